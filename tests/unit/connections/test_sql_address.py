"""Database URLs: the driver they mean, and what of them people may see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.connections.sql_address import SqlAddress
from harness.model.errors import UserError


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        pytest.param("postgresql://u:p@127.0.0.1/app", "postgresql+asyncpg", id="postgresql"),
        pytest.param("postgres://u@127.0.0.1/app", "postgresql+asyncpg", id="postgres"),
        pytest.param("postgresql+psycopg://u@127.0.0.1/app", "postgresql+asyncpg", id="driver"),
        pytest.param("mysql://u@127.0.0.1/app", "mysql+asyncmy", id="mysql"),
        pytest.param("mariadb://u@127.0.0.1/app", "mysql+asyncmy", id="mariadb"),
        pytest.param("sqlite:///app.db", "sqlite+aiosqlite", id="sqlite"),
    ],
)
def test_a_url_when_of_a_known_database_then_gets_its_driver(text: str, driver: str) -> None:
    assert SqlAddress.parse(text, what="db").url.drivername == driver


def test_sslmode_when_given_then_becomes_the_drivers_own_word() -> None:
    address = SqlAddress.parse("postgresql://u@127.0.0.1/app?sslmode=require", what="db")
    assert address.options == {"ssl": "require"}
    assert "sslmode" not in address.url.query


@pytest.mark.parametrize(
    "text", ["oracle://u:s3cret@h/x", "postgresql//u:s3cret@h", "mysql://u:s3cret@h:port/x"]
)
def test_a_url_when_unusable_then_says_which_are_known_without_the_password(text: str) -> None:
    with pytest.raises(UserError, match="Write postgresql://") as raised:
        SqlAddress.parse(text, what="service db")
    assert "s3cret" not in str(raised.value)
    assert str(raised.value).startswith("service db: ")


@given(st.text(min_size=4, max_size=20).filter(lambda text: text not in "postgresql://u@h:1/app"))
def test_a_password_when_in_any_message_then_is_hidden(password: str) -> None:
    from urllib.parse import quote

    spelled = quote(password, safe="")
    address = SqlAddress.parse(f"postgresql://u:{spelled}@h:1/app?x={spelled}", what="db")
    assert spelled not in address.shown
    for leak in (password, spelled, f"could not use {password!r}"):
        assert password not in address.hide(leak)
        assert spelled not in address.hide(leak)
