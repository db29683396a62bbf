"""Routes: which path is which call, and what every request gets."""

import asyncio

import pytest

from harness.proxy.api.guard import Guard
from harness.proxy.api.routes import Request, answer
from harness.proxy.clock import now
from harness.proxy.proxy import Surroundings
from harness.proxy.server import Server
from harness.proxy.states import ProxySpec


@pytest.fixture
def ask():
    loop = asyncio.new_event_loop()
    server = Server(Surroundings(loop=loop, clock=now, spawn=lambda _task: None, seed=0))
    loop.run_until_complete(
        server.create(ProxySpec(name="a/b", upstream="x:1", listen="127.0.0.1:0"))
    )

    def call(method, path, body=b"", query="", **headers):
        request = Request(method=method, path=path, query=query, headers=headers, body=body)
        return loop.run_until_complete(answer(server, request, guard=Guard(loopback=True)))

    call.server = server
    yield call
    server.refuse_all()
    loop.close()


@pytest.mark.parametrize(
    ("path", "cleaned"),
    [
        ("//proxies", "/proxies"),
        ("/proxies//a/", "/proxies/a/"),
        ("/a/../proxies", "/proxies"),
        ("//", "/"),
    ],
)
def test_path_when_not_clean_then_is_redirected(ask, path, cleaned):
    found = ask("GET", path)
    assert (found.status, found.headers) == (301, (("Location", cleaned),))


def test_name_when_encoded_then_is_decoded_after_splitting(ask):
    assert ask("GET", "/proxies/a%2Fb").status == 200
    assert ask("GET", "/proxies/a/b").status == 404


def test_method_when_unknown_here_then_says_which_are_known(ask):
    found = ask("PUT", "/proxies/x")
    assert (found.status, dict(found.headers)["Allow"]) == (405, "DELETE, GET, PATCH, POST")


def test_turns_when_asked_for_then_are_a_page(ask):
    found = ask("GET", "/proxies/a%2Fb/turns", query="after=0")
    assert found.body == (
        b'{"turns":[],"next":0,"dropped":0,"connections":0,"bytes_up":0,"bytes_down":0}'
    )


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=", "after=٣", "after=" + "9" * 30])
def test_turns_when_after_is_no_whole_number_then_says_so(ask, query):
    assert ask("GET", "/proxies/a%2Fb/turns", query=query).status == 400


def test_bug_when_it_happens_then_is_a_500_and_a_traceback(ask, monkeypatch, capsys):
    monkeypatch.setattr(ask.server, "proxies", lambda: 1 / 0)
    found = ask("GET", "/proxies")
    assert found.status == 500
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_guard_when_path_is_unknown_then_comes_second(ask):
    agent = {"user-agent": "Mozilla/5.0"}
    assert ask("GET", "/nope", **agent).status == 404
    assert ask("GET", "/version", **agent).status == 403
