"""The guard: browsers, foreign hosts, pages of elsewhere."""

import pytest

from harness.proxy.api.guard import Guard

LOCAL = Guard(loopback=True)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "localhost"},
        {"host": "localhost.:80"},
        {"host": "127.0.0.1:8474"},
        {"host": "127.9.9.9"},
        {"host": "[::1]:8474"},
        {"host": "localhost", "user-agent": "mozilla/5.0"},
    ],
)
def test_caller_when_local_then_is_served(headers):
    assert LOCAL.refusal(headers) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "localhost.evil.example:80"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "10.0.0.1:8474"},
        {"host": "[2001:db8::1]:80"},
        {"host": ""},
        {"host": "localhost", "origin": "http://localhost"},
        {"host": "localhost", "user-agent": "Mozilla/5.0"},
    ],
)
def test_caller_when_led_here_then_is_refused(headers):
    assert LOCAL.refusal(headers).status == 403


def test_host_when_api_is_not_on_loopback_then_is_not_looked_at_but_origin_is():
    anywhere = Guard(loopback=False)
    assert anywhere.refusal({"host": "proxy.example"}) is None
    assert anywhere.refusal({"host": "proxy.example", "origin": "null"}).status == 403


@pytest.mark.parametrize("named", ["Box.example", "box.example:8474", "box.example."])
def test_host_when_named_by_an_option_then_is_served_and_no_other(named):
    guard = Guard.of(loopback=True, allowed=(named, "[2001:db8::1]"))
    assert guard.refusal({"host": "box.example"}) is None
    assert guard.refusal({"host": "BOX.example:8474"}) is None
    assert guard.refusal({"host": "[2001:db8::1]:80"}) is None
    assert guard.refusal({"host": "evil.box.example"}).status == 403
    assert guard.refusal({"host": "box.example", "origin": "http://box.example"}).status == 403
