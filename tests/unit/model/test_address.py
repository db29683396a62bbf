"""Addresses are read strictly, and only this machine's own names count as loopback."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.address import Address
from harness.model.errors import UserError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:5432", "127.0.0.1", 5432),
        ("[::1]:80", "::1", 80),
        ("db.example:0", "db.example", 0),
    ],
)
def test_address_when_well_formed_then_is_read_and_written_the_same(text, host, port):
    address = Address.parse(text)
    assert (address.host, address.port) == (host, port)
    assert address.text() == text


@pytest.mark.parametrize(
    "text", ["", "localhost", ":80", "host:", "host:x", "host:65536", "host:-1"]
)
def test_address_when_malformed_then_the_message_shows_one_that_is_right(text):
    with pytest.raises(UserError, match=r"write host:port, such as 127\.0\.0\.1:15432"):
        Address.parse(text)


@given(st.ip_addresses(), st.integers(0, 65535))
def test_address_when_any_ip_then_reads_back(ip, port):
    address = Address(str(ip), port)
    assert Address.parse(address.text()) == address


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost", "LOCALHOST"])
def test_host_when_of_this_machine_then_is_loopback(host):
    assert Address(host, 80).is_loopback


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "localhost.example", "127.0.0.1.example", "example", ""]
)
def test_host_when_of_any_other_name_then_is_not_trusted(host):
    assert not Address(host, 80).is_loopback
