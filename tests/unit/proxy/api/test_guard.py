"""The guard: browsers, foreign hosts, pages of elsewhere."""

import pytest

from harness.proxy.api.guard import refusal


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
    assert refusal(headers, loopback=True) is None


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
    assert refusal(headers, loopback=True).status == 403


def test_host_when_api_is_not_on_loopback_then_is_not_looked_at_but_origin_is():
    assert refusal({"host": "proxy.example"}, loopback=False) is None
    assert refusal({"host": "proxy.example", "origin": "null"}, loopback=False).status == 403
