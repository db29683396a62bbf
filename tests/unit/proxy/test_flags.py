"""The flags: one dash or two, what they become, what is refused."""

import argparse
from pathlib import Path

import pytest

from harness.model.errors import UserError
from harness.proxy.flags import Settings, add_flags, settings


def parsed(*arguments, port=8474):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_flags(parser, port=port)
    return settings(parser.parse_args(arguments))


def test_flags_when_none_is_given_then_are_the_defaults():
    assert parsed() == Settings(port=8474)
    assert parsed(port=0) == Settings()


@pytest.mark.parametrize("dash", ["-", "--"])
def test_flags_when_given_with_one_dash_or_two_then_are_the_same(dash):
    given = [
        "host", "localhost", "port", "0", "seed", "-3", "config", "p.json", "max-connections", "7",
        "proxy-metrics", "runtime-metrics", "allow-host", "a", "allow-host", "b",
    ]  # fmt: skip
    words = {"localhost", "0", "-3", "p.json", "7", "a", "b"}
    assert parsed(*[word if word in words else f"{dash}{word}" for word in given]) == Settings(
        host="localhost", port=0, seed=-3, config=Path("p.json"), max_connections=7,
        proxy_metrics=True, runtime_metrics=True, allowed_hosts=("a", "b"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-nope"], "unrecognized arguments: -nope"),
        (["--proxy-metric"], "unrecognized arguments"),
        (["-port", "70000"], "70000 is no port; write 0 to 65535"),
        (["-port", "x"], "invalid port value: 'x'"),
        (["-max-connections", "0"], "0 is no bound; write 1 or more"),
        (["-max-connections", "many"], "invalid whole number value: 'many'"),
    ],
)
def test_flag_when_wrong_then_exit_2_with_the_reason(arguments, says, capsys):
    with pytest.raises(SystemExit) as leaving:
        parsed(*arguments)
    assert leaving.value.code == 2
    assert says in capsys.readouterr().err


def test_version_when_asked_for_then_is_printed_and_that_is_all(capsys):
    for flag in ("-version", "--version"):
        with pytest.raises(SystemExit) as leaving:
            parsed(flag)
        assert leaving.value.code == 0
        assert capsys.readouterr().out.startswith("toxiproxy-server version 2.12.0 ")


def test_host_when_others_could_reach_it_then_must_be_allowed():
    with pytest.raises(UserError, match="no password"):
        parsed("-host", "0.0.0.0")
    assert parsed("-host", "0.0.0.0", "-allow-remote").host == "0.0.0.0"
