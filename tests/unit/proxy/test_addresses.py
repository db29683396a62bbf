"""Addresses as Toxiproxy writes them."""

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.proxy.addresses import AddressProblem, Listen, UnknownHost, resolve, split


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("127.0.0.1:", ("127.0.0.1", 0)),
        (":", ("", 0)),
        ("", ("", 0)),
        (":0", ("", 0)),
        ("[::1]:443", ("::1", 443)),
        ("db.example:http", ("db.example", 80)),
        ("h:+80", ("h", 80)),
        ("h:-0", ("h", 0)),
    ],
)
def test_split_when_an_address_then_gives_its_parts(text, parts):
    assert split(text) == parts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("garbage", "missing port"),
        ("127.0.0.1", "missing port"),
        ("[::1]", "missing port"),
        ("::1:0", "too many colons"),
        ("h:65536", "invalid port"),
        ("h:-1", "invalid port"),
        ("h:000000000000000000001", "invalid port"),
        ("h:nonesuch", "unknown port"),
        ("http://x/", "unknown port"),
        ("h:--5", "unknown port"),
        ("h:+", "unknown port"),
        ("h:٣", "unknown port"),
        ("h:ht\udc00tp", "unknown port"),
        ("h:1\0", "a NUL cannot be in an address"),
        ("h\0:1", "a NUL cannot be in an address"),
        ("[::1\0]:1", "a NUL cannot be in an address"),
    ],
)
def test_split_when_no_address_then_says_why(text, reason):
    with pytest.raises(AddressProblem, match=reason):
        split(text)


@given(st.text(), st.text(alphabet="0123456789+-:[]\0 aé"))
def test_split_when_arbitrary_then_is_an_address_or_refused_as_none(host, port):
    with suppress(AddressProblem):
        assert 0 <= split(f"{host}:{port}")[1] <= 65_535


@pytest.mark.parametrize(
    ("text", "listen", "shown"),
    [
        ("", Listen("", 0), "[::]:0"),
        ("localhost:5", Listen("127.0.0.1", 5), "127.0.0.1:5"),
        ("[0:0::1]:5", Listen("::1", 5), "[::1]:5"),
    ],
)
def test_resolve_when_an_address_then_has_an_ip(text, listen, shown):
    found = asyncio.run(resolve(text))
    assert found == listen
    assert found.text() == shown
    assert found.pinned is (listen.port != 0)


def test_resolve_when_the_host_is_unknown_then_says_which():
    with pytest.raises(UnknownHost, match="lookup no host: no such host"):
        asyncio.run(resolve("no host:5"))
