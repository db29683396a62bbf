"""URLs: which protocol, whose host, and no password in plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.experiment.draft import Draft
from harness.experiment.hosts import check_host, check_listen, check_password, check_url, speaks
from harness.experiment.report import Report
from harness.experiment.source import parse


@pytest.fixture
def draft():
    report = Report()
    return Draft(file="f", root=parse("a: 1", "f", report), at=(), report=report)


def found(draft):
    return [problem.found for problem in draft.report.problems]


@pytest.mark.parametrize(
    ("url", "protocol"),
    [
        ("http://127.0.0.1", "http"),
        ("postgresql+asyncpg://h/d", "sql"),
        ("mysql://h", "sql"),
        ("sqlite:///a", "sql"),
        ("redis://h:6379/0", "redis"),
        ("amqp://h", "unknown"),
        ("{env:URL}", "unknown"),
    ],
)
def test_url_when_it_has_a_scheme_then_that_tells_what_it_speaks(url, protocol):
    assert speaks(url) == protocol


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000",
        "http://localhost",
        "http://[::1]:80",
        "http://DB.example:80",
        "sqlite:///accounts.db",
        "redis://127.0.0.1:6379/0",
        "redis://:{env:P}@127.0.0.1:6379/0",
        "{env:URL}",
        "http://{env:HOST}:80",
        "http://{env:HOST}:{env:PORT}/a",
        "postgresql://{env:U}:{env:P}@127.0.0.1/app",
        "postgresql://{env:U}:{file:secret.txt}@127.7.7.7:5432/app",
        "postgresql://postgres@127.0.0.1/app",
        "postgresql://{env:U}@127.0.0.1/app",
        "postgresql://{env:U}:{file:/run/secrets/db}@127.0.0.1/app",
    ],
)
def test_url_when_right_then_nothing_is_told(draft, url):
    check_url(draft, ("a",), url, ["db.example"])
    assert found(draft) == []


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("127.0.0.1:80", "is no URL"),
        ("https://127.0.0.1", "https is not supported yet"),
        ("amqp://127.0.0.1", "unknown protocol"),
        ("redis://192.0.2.1:6379", "is not this machine"),
        ("redis://:secret@127.0.0.1:6379", "a password in plain text"),
        ("http://192.0.2.1", "is not this machine"),
        ("http://127.0.0.1.example", "is not this machine"),
        ("http://0.0.0.0", "is not this machine"),
        ("http://localhost@203.0.113.1/", "is not this machine"),
        ("http://user:{env:P}@203.0.113.1/", "is not this machine"),
        ("http:///a", "names no host"),
        ("http://127.0.0.1:99999", "cannot be read"),
        ("http://[::1", "cannot be read"),
        ("mysql://u:secret@127.0.0.1/a", "a password in plain text"),
        ("postgresql://127.0.0.1/a?password=secret", "a password in plain text"),
        ("postgresql://{env:U}:secret@127.0.0.1/a", "a password in plain text"),
    ],
)
def test_url_when_wrong_then_is_told(draft, url, says):
    check_url(draft, ("a",), url, [])
    assert len(found(draft)) == 1
    assert says in found(draft)[0]


def test_host_when_not_this_machine_then_the_way_to_allow_it_is_told(draft):
    check_host(draft, ("a",), "db.example", [])
    (problem,) = draft.report.problems
    assert "--allow-host db.example" in problem.hint and "allow_hosts:" in problem.hint


@pytest.mark.parametrize(
    "text", ["postgresql://me:s3cret@h/db", "a=redis://:s3cret@h b", "mysql://h/d?passwd=x"]
)
def test_password_when_literal_anywhere_in_a_text_then_is_told_and_never_repeated(draft, text):
    check_password(draft, ("a",), text)
    (problem,) = draft.report.problems
    assert "s3cret" not in str(problem)


@pytest.mark.parametrize("text", ["{hops.db.url}", "http://h:80/a@b", "a:b@c", "//", "x://[::1"])
def test_password_when_there_is_none_then_nothing_is_told(draft, text):
    check_password(draft, ("a",), text)
    assert found(draft) == []


@pytest.mark.parametrize(
    ("listen", "says"),
    [
        ("15432", "is no address"),
        ("127.0.0.1:0", "pins nothing"),
        ("203.0.113.1:80", "not this machine"),
    ],
)
def test_listen_when_wrong_then_is_told(draft, listen, says):
    check_listen(draft, ("a",), listen, [])
    assert says in found(draft)[0]


def test_listen_when_right_then_is_the_address(draft):
    address = check_listen(draft, ("a",), "[::1]:15432", [])
    assert address is not None and address.port == 15432
    assert found(draft) == []


@given(st.text(st.sampled_from("htp:/@{}[]?#.a1-\\ %é"), max_size=20) | st.text(max_size=20))
def test_url_when_any_text_then_nothing_is_raised(text):
    report = Report()
    draft = Draft(file="f", root=parse("a: 1", "f", report), at=(), report=report)
    check_url(draft, ("a",), text, [])
    check_password(draft, ("a",), text)
    check_listen(draft, ("a",), text, [])
