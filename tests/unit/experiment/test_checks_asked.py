"""Whom a question goes to: the service that ``on`` names, or the only one that fits."""

import pytest
from pydantic import TypeAdapter

from harness.experiment.checks_asked import needs_of
from harness.experiment.target_parts import Probe
from harness.experiment.worded import choice
from harness.kinds import params
from tests.unit.experiment.tiny import plans, problems

CACHE = {"  app:\n": "  cache: {embedded: valkey}\n  app:\n"}


def probe(text):
    return {"  stock: {http: GET /stock, value: json.count}": f"  stock: {text}"}


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("{http: GET /stock, value: json.count}", "app"),
        ("{sql: SELECT 1}", "postgres"),
        ("{redis: GET stock}", "cache"),
        ("{process: files}", "app"),
        ("{process: lag, endpoint: GET /lag, value: json.ms}", "app"),
        ('{file: "{folder}/a.log"}', ""),
    ],
)
def test_on_when_left_out_then_is_the_only_one_that_fits_or_nobody(tmp_path, text, on):
    naive, _ = plans(tmp_path, target={**CACHE, **probe(text)})
    assert naive.target.probes[1].on == on


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{redis: GET a, on: app}", "stock.on: app speaks HTTP"),
        ("{sql: SELECT 1, on: cache}", "stock.on: cache speaks REDIS"),
        ("{process: files, on: postgres}", "stock.on: postgres is no process that a command"),
        ("{process: lag, endpoint: GET /lag, on: postgres}", "stock.on: postgres speaks SQL"),
        ("{process: lag, endpoint: lag}", "stock.endpoint: found the text 'lag'"),
        ("{process: lag, endpoint: GET /a, value: jsn}", "stock.value: unknown name 'jsn'"),
        ('{file: "{folder}/a.log", on: app}', "stock.on: no service is asked here"),
        ("{process: files, on: ap}", "stock.on: unknown service 'ap'"),
    ],
)
def test_on_when_the_service_does_not_fit_then_is_told(tmp_path, text, says):
    (found,) = problems(tmp_path, target={**CACHE, **probe(text)})
    assert found.startswith(f"probes.{says}")


def test_on_when_a_process_is_asked_of_and_there_are_two_then_is_needed(tmp_path):
    target = {"  app:\n": "  worker: {run: work}\n  app:\n", **probe("{process: memory}")}
    (found,) = problems(tmp_path, target=target)
    assert "'on' is missing, and there are 2 services that are started here by run or node" in found


def test_reset_when_by_command_or_by_a_store_then_has_its_service_or_none(tmp_path):
    reset = 'reset: [{command: "rm -f {folder}/a.log"}, {redis: [FLUSHALL, "SET a 1"]}]'
    target = {**CACHE, "reset: {sql: reset.sql, on: postgres}": reset}
    naive, _ = plans(tmp_path, target=target)
    assert [(each.kind, each.on, each.params) for each in naive.target.resets] == [
        ("command", "", {"command": "rm -f {folder}/a.log"}),
        ("redis", "cache", {"redis": ["FLUSHALL", "SET a 1"]}),
    ]


class Foreign:
    kind = "foreign"
    summary = "from elsewhere"

    @params
    class Params:
        foreign: str


def test_needs_when_a_kind_says_nothing_then_any_service_will_do():
    probe = TypeAdapter(choice({"foreign": Foreign}, Probe, "probe"))
    assert needs_of(probe.validate_python({"foreign": "a"})) == "unknown"
