"""URLs: where they lead, and led elsewhere."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.address import Address
from harness.model.errors import UserError
from harness.services.urls import address_of, anchored, password_in, scheme_of, with_address

HOP = Address("127.0.0.1", 15432)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        pytest.param("http://127.0.0.1:8000/x", Address("127.0.0.1", 8000), id="plain"),
        pytest.param("postgresql://u:p@[::1]/app", Address("::1", 5432), id="ipv6"),
        pytest.param("postgresql+asyncpg://h/app", Address("h", 5432), id="driver"),
        pytest.param("mysql://u@h/app", Address("h", 3306), id="mysql"),
        pytest.param("redis://:p@h/0", Address("h", 6379), id="redis"),
        pytest.param("sqlite:///tmp/x.db", None, id="file"),
    ],
)
def test_address_of_when_a_url_leads_somewhere_then_there(
    url: str, address: Address | None
) -> None:
    assert address_of(url, what="service app") == address


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("127.0.0.1:8000", "has no scheme|names no host", id="no-scheme"),
        pytest.param("ftp://host/x", "names no port", id="no-port"),
        pytest.param("http://host:99999/", "cannot be read", id="bad-port"),
        pytest.param("http:///x", "names no host", id="no-host"),
        pytest.param("http://[::1/", "cannot be read", id="bracket"),
    ],
)
def test_address_of_when_a_url_leads_nowhere_then_user_error(url: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as raised:
        address_of(url, what="service app")
    assert str(raised.value).startswith("service app: ")


def test_address_of_when_it_fails_then_no_password_is_said() -> None:
    with pytest.raises(UserError) as raised:
        address_of("ftp://me:hunter2@host/x", what="service app")
    assert "hunter2" not in str(raised.value)


def test_with_address_when_led_to_a_hop_then_all_else_stays() -> None:
    url = "postgresql://us%40er:p%3Aw@db.example:5433/app?sslmode=disable&x=1"
    expected = "postgresql://us%40er:p%3Aw@127.0.0.1:15432/app?sslmode=disable&x=1"
    assert with_address(url, HOP) == expected


def test_with_address_when_there_is_only_a_password_then_it_stays() -> None:
    assert with_address("redis://:p%3Aw@h:6379/2", HOP) == "redis://:p%3Aw@127.0.0.1:15432/2"
    assert password_in("redis://:p%3Aw@h:6379/2") == "p%3Aw"


def test_with_address_when_the_hop_is_ipv6_then_it_has_brackets() -> None:
    assert with_address("http://h/x", Address("::1", 80)) == "http://[::1]:80/x"


words = st.text("abcXYZ019%-_.~", min_size=1, max_size=8)


@given(words, words, words, words)
def test_with_address_when_led_elsewhere_then_it_leads_there_with_the_same_password(
    user: str, password: str, path: str, value: str
) -> None:
    url = f"postgresql://{user}:{password}@db.example:5433/{path}?a={value}"
    led = with_address(url, HOP)
    assert address_of(led, what="x") == HOP
    assert password_in(led) == password
    assert led.endswith(f"/{path}?a={value}")


@pytest.mark.parametrize("url", ["http://h/x", "http://user@h/x", "http://h/x?a=b:c@d"])
def test_password_in_when_there_is_none_then_none(url: str) -> None:
    assert password_in(url) is None


@pytest.mark.parametrize(
    ("url", "scheme"),
    [("HTTPS://h", "https"), ("postgresql+asyncpg://h/app", "postgresql"), ("http://h", "http")],
)
def test_scheme_of_when_there_is_a_driver_then_without_it(url: str, scheme: str) -> None:
    assert scheme_of(url) == scheme


@pytest.mark.parametrize(
    ("url", "anchored_url"),
    [
        pytest.param("sqlite:///shop.db", "sqlite:////srv/shop/shop.db", id="relative"),
        pytest.param("sqlite:////var/shop.db", "sqlite:////var/shop.db", id="absolute"),
        pytest.param("sqlite:///:memory:", "sqlite:///:memory:", id="memory"),
        pytest.param("sqlite://", "sqlite://", id="none"),
    ],
)
def test_anchored_when_a_file_is_relative_then_it_lies_below_the_targets_folder(url, anchored_url):
    assert anchored(url, Path("/srv/shop")) == anchored_url
