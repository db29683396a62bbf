"""Commands for people: a shell takes every name as it is."""

import shlex

from harness.proxy.commands import enabling_command, removal_command


def test_removal_command_when_names_are_odd_then_a_shell_takes_them_as_they_are():
    assert removal_command("http://127.0.0.1:8474/", "harness-r-db") == (
        "curl -X DELETE http://127.0.0.1:8474/proxies/harness-r-db"
    )
    assert removal_command("http://h:1", "a", "latency.1").endswith("/proxies/a/toxics/latency.1")
    odd = removal_command("http://h:1", "a/b?c #$(d)", "e'f")
    assert shlex.split(odd)[3:] == ["http://h:1/proxies/a%2Fb%3Fc%20%23%24%28d%29/toxics/e%27f"]
    assert shlex.split(removal_command("http://h:1/x y", "a")) == [
        "curl", "-X", "DELETE", "http://h:1/x y/proxies/a",
    ]  # fmt: skip


def test_enabling_command_when_names_are_odd_then_a_shell_takes_them_as_they_are():
    assert shlex.split(enabling_command("http://h:1/", "a/b?c #$(d)")) == [
        "curl", "-d", '{"enabled": true}', "http://h:1/proxies/a%2Fb%3Fc%20%23%24%28d%29",
    ]  # fmt: skip
