"""Routes: which path is which call, and what every request gets."""

import pytest

from harness.proxy.metrics import Metrics
from tests.support.virtual_server import virtual_server


@pytest.fixture
def server():
    with virtual_server() as made:
        made.make("/proxies", {"name": "a/b", "upstream": "x:1", "listen": "127.0.0.1:0"})
        yield made


@pytest.mark.parametrize(
    ("path", "cleaned"),
    [
        ("//proxies", "/proxies"),
        ("/proxies//a/", "/proxies/a/"),
        ("/a/../proxies", "/proxies"),
        ("//", "/"),
    ],
)
def test_path_when_not_clean_then_is_redirected(server, path, cleaned):
    assert server.headers_of("GET", path) == (301, {"Location": cleaned})


def test_name_when_encoded_then_is_decoded_after_splitting(server):
    assert server.call("GET", "/proxies/a%2Fb")[0] == 200
    assert server.call("GET", "/proxies/a/b")[0] == 404


def test_method_when_unknown_here_then_says_which_are_known(server):
    assert server.headers_of("PUT", "/proxies/x") == (405, {"Allow": "DELETE, GET, PATCH, POST"})
    assert server.headers_of("PUT", "/leases") == (405, {"Allow": "GET, POST"})


def test_turns_when_asked_for_then_are_a_page(server):
    status, found = server.call("GET", "/proxies/a%2Fb/turns", query="after=0")
    assert status == 200
    assert list(found.items()) == [
        ("turns", []), ("next", 0), ("dropped", 0), ("connections", 0), ("bytes_up", 0),
        ("bytes_down", 0), ("held", 0), ("open", 0), ("acted", {}),
    ]  # fmt: skip


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=", "after=٣", "after=" + "9" * 30])
def test_turns_when_after_is_no_whole_number_then_says_so(server, query):
    assert server.call("GET", "/proxies/a%2Fb/turns", query=query)[0] == 400


def test_bug_when_it_happens_then_is_a_500_and_a_traceback(server, monkeypatch, capsys):
    monkeypatch.setattr(server.server, "proxies", lambda: 1 / 0)
    assert server.call("GET", "/proxies")[0] == 500
    assert "ZeroDivisionError" in capsys.readouterr().err
    monkeypatch.undo()


def test_metrics_when_they_cannot_be_read_then_that_is_a_500_and_a_traceback(
    server, monkeypatch, capsys
):
    server.metrics = Metrics(server.server, proxy_bytes=True, runtime=False)
    monkeypatch.setattr(server.server, "proxies", lambda: 1 / 0)
    assert server.call("GET", "/metrics")[0] == 500
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_guard_when_path_is_unknown_then_comes_second(server):
    agent = {"user-agent": "Mozilla/5.0"}
    assert server.call("GET", "/nope", headers=agent)[0] == 404
    assert server.call("GET", "/version", headers=agent)[0] == 403
    assert server.call("POST", "/leases", {"ttl": 100}, headers=agent)[0] == 403


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_toxic_when_it_or_its_proxy_is_missing_then_is_told_before_a_broken_body(server, method):
    for path, says in (
        ("/proxies/none/toxics/t", "proxy not found"),
        ("/proxies/a%2Fb/toxics/t", "toxic not found"),
        ("/leases/l-none", "lease not found"),
    ):
        status, found = server.call(method, path, b"{")
        assert (status, found["error"]) == (404, says)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_metrics_when_served_then_by_whatever_method_and_else_not_at_all(server, method):
    agent = {"user-agent": "Mozilla/5.0"}
    assert server.call(method, "/metrics") == (404, "404 page not found\n")
    assert server.call(method, "/metrics", headers=agent)[0] == 404
    server.metrics = Metrics(server.server, proxy_bytes=True, runtime=False)
    status, text = server.call(method, "/metrics")
    assert status == 200
    assert "toxiproxy_leases 0.0\n" in text
    assert server.call(method, "/metrics", headers=agent)[0] == 403
    assert server.call(method, "/metrics", headers={"origin": "http://x"})[0] == 403
    assert server.call(method, "/metrics/")[0] == 404


def test_requests_when_never_observed_then_says_so_and_else_are_a_page(server):
    assert server.call("GET", "/proxies/a%2Fb/requests") == (
        404, {"error": "requests are not observed", "status": 404}
    )  # fmt: skip
    status, shown = server.call("PATCH", "/proxies/a%2Fb", {"observe": {"path": True}})
    assert (status, list(shown)[-1], shown["observe"]) == (200, "observe", {"path": True})
    found = server.get("/proxies/a%2Fb/requests")
    assert (found["requests"], found["next"], found["more"]) == ([], 0, False)
    assert server.call("GET", "/proxies/a%2Fb/requests", query="after=x")[0] == 400
    assert server.call("GET", "/proxies/nobody/requests")[0] == 404
    assert "observe" not in server.call("PATCH", "/proxies/a%2Fb", {"observe": None})[1]
    assert server.call("GET", "/proxies/a%2Fb/requests")[0] == 200
