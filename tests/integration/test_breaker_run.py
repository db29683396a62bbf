"""A breaker's script from file to verdict: real processes, the real proxy, a till that keeps its promises or not."""

import csv
import re
import signal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from harness.model.events import (
    FaultApplied,
    FaultIntended,
    FaultSeen,
    FaultUndone,
    LimitReached,
    OperationSent,
    PhaseEntered,
    PhaseLeft,
)
from harness.model.units import Duration
from harness.proxy.client import ProxyServer
from tests.support.cli import Ran, Running, harness, left_behind
from tests.support.engines import toxiproxy_server
from tests.support.proxies import foreign_toxiproxy
from tests.support.till import a_till
from tests.support.waiting import until_sync

# A run of a script takes its time by the clock, and its load must be sent when it is due.
pytestmark = [pytest.mark.slow, pytest.mark.serial, pytest.mark.timeout(180)]

s = Duration.of_s
SHORT = "baseline, exact-trip"


def invariants(ran: Ran) -> dict[str, Any]:
    """By number, what was said of each."""
    return {each["id"]: each for each in ran.result["breaker"]["invariants"]}


def violated(ran: Ran) -> set[str]:
    return {number for number, each in invariants(ran).items() if each["verdict"] == "violated"}


def left(ran: Ran) -> dict[str, PhaseLeft]:
    return {event.phase: event for event in ran.events if isinstance(event, PhaseLeft)}


def test_run_when_the_breaker_is_sound_then_nothing_is_violated_and_the_evidence_is_complete(
    tmp_path: Path,
):
    ran = harness("run", a_till(tmp_path), "--variant", "sound", cwd=tmp_path)
    assert ran.code in (0, 3), ran  # a busy machine may leave some of it inconclusive, not wrong
    assert violated(ran) == set()
    assert invariants(ran)["BRK-01"]["verdict"] == "held", ran
    breaker = ran.result["breaker"]
    assert (breaker["schema"], breaker["error"]) == (1, None)
    assert {fault["kind"] for fault in breaker["faults"]} == {"status", "latency"}
    assert all(fault["injected"] for fault in breaker["faults"])
    assert breaker["classes"]["exact-trip"]["forwarded-failed"] == 5
    assert left_behind(ran.folders) == []
    (folder,) = ran.folders
    sent = sum(isinstance(event, OperationSent) for event in ran.events)
    with (folder / "breaker-calls.csv").open() as lines:
        assert len(list(csv.DictReader(lines))) == sent
    assert ET.parse(folder / "breaker.svg").getroot().tag.endswith("svg")


def test_run_when_there_is_no_breaker_then_that_it_never_opens_is_violated(tmp_path: Path):
    file = a_till(tmp_path, phases="baseline, exact-trip, outage")
    ran = harness("run", file, "--variant", "none", cwd=tmp_path)
    assert "BRK-01" in violated(ran), ran
    example = invariants(ran)["BRK-01"]["counterexample"]
    assert example["rows"]
    assert "BRK-01" in ran.out


def test_report_when_the_files_are_gone_then_the_journal_gives_them_back_byte_for_byte(
    tmp_path: Path,
):
    ran = harness("run", a_till(tmp_path, phases=SHORT), "--variant", "sound", cwd=tmp_path)
    (folder,) = ran.folders
    names = ("result.json", "breaker.svg", "breaker-calls.csv")
    before = {name: (folder / name).read_bytes() for name in names}
    for name in names:
        (folder / name).unlink()
    report = harness("report", folder, cwd=tmp_path)
    assert report.code == ran.code, report
    assert {name: (folder / name).read_bytes() for name in names} == before


def test_run_when_it_ends_then_every_fault_was_undone_and_bears_its_phase(tmp_path: Path):
    ran = harness("run", a_till(tmp_path, phases=SHORT), "--variant", "sound", cwd=tmp_path)
    kinds = [FaultApplied, FaultUndone, FaultSeen]
    assert [[e.fault for e in ran.events if isinstance(e, kind)] for kind in kinds] == [
        ["exact-trip.status"]
    ] * 3
    entered = [event.phase for event in ran.events if isinstance(event, PhaseEntered)]
    assert entered == ["baseline", "before-exact-trip", "exact-trip"]
    assert set(entered) == set(left(ran))


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("no-ids", "baseline calls could not be joined; name another carrier under breaker.id"),
        ("cached", "of baseline calls never reached the downstream"),
    ],
)
def test_run_when_the_baseline_tells_calls_not_apart_then_it_is_inconclusive_at_once(
    tmp_path: Path, variant: str, words: str
):
    ran = harness("run", a_till(tmp_path), "--variant", variant, cwd=tmp_path)
    assert ran.code == 3, ran
    assert {each["verdict"] for each in invariants(ran).values()} <= {
        "inconclusive",
        "not-applicable",
    }
    assert words in invariants(ran)["BRK-01"]["summary"]
    # What is behind the baseline was not played, and says why.
    assert "one arrival each" in left(ran)["exact-trip"].why
    assert sum(isinstance(event, OperationSent) for event in ran.events) == 100


def test_run_when_the_hop_does_not_speak_http_then_it_is_inconclusive_and_says_so(tmp_path: Path):
    file = a_till(tmp_path, target={"python bank.py": "python lines.py"})
    ran = harness("run", file, "--variant", "lines", cwd=tmp_path)
    assert ran.code == 3, ran
    assert "the hop did not speak HTTP/1" in invariants(ran)["BRK-01"]["summary"]


def test_run_when_the_downstream_has_other_callers_then_they_are_counted_and_change_nothing(
    tmp_path: Path,
):
    ran = harness("run", a_till(tmp_path, phases=SHORT), "--variant", "chatty", cwd=tmp_path)
    assert violated(ran) == set()
    breaker = ran.result["breaker"]
    assert breaker["classes"]["baseline"]["forwarded-ok"] == 100
    assert breaker["classes"]["baseline"]["strays"] > 20


def test_run_when_a_fallback_says_200_then_it_is_a_rejection_all_the_same(tmp_path: Path):
    ran = harness("run", a_till(tmp_path, phases=SHORT), "--variant", "fallback", cwd=tmp_path)
    assert violated(ran) == set()
    classes = ran.result["breaker"]["classes"]["exact-trip"]
    assert (classes["forwarded-failed"], classes["short-circuited"]) == (5, 1)


def test_run_when_the_service_dies_in_a_phase_then_it_is_an_error_before_the_phase_is_over(
    tmp_path: Path,
):
    code = {"self.sales > 150": "self.sales > 250"}  # in the outage, which lasts for seconds
    ran = harness("run", a_till(tmp_path, code=code), "--variant", "mortal", cwd=tmp_path)
    assert ran.code == 5, ran
    assert "ended by itself with exit code 3" in ran.err + ran.out
    behind = [event for event in ran.events if isinstance(event, OperationSent)][250:]
    assert len(behind) < 100
    assert left_behind(ran.folders) == []


def an_outage(running: Running) -> object:
    return [e for e in running.events(FaultApplied) if e.fault.startswith("outage")]


LONG = {"open: 1s": "open: 20s"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_run_when_interrupted_in_a_phase_then_exit_130_and_nothing_remains(
    tmp_path: Path, number: signal.Signals
):
    file = a_till(tmp_path, experiment=LONG, phases="baseline, outage")
    running = Running("run", file, "--variant", "sound", cwd=tmp_path)
    until_sync(lambda: an_outage(running), within=s(60), what="the outage is in force")
    running.send(number)
    ran = running.finish(within=30)
    assert ran.code == 130, ran
    assert left_behind(ran.folders) == []
    faults = [
        {e.fault for e in ran.events if isinstance(e, k)} for k in (FaultApplied, FaultUndone)
    ]
    assert faults[0] <= faults[1]
    assert ran.result["verdict"] == "interrupted"


def test_run_when_killed_in_a_phase_then_the_guardian_ends_all_that_was_started(tmp_path: Path):
    file = a_till(tmp_path, experiment=LONG, phases="baseline, outage")
    running = Running("run", file, "--variant", "sound", cwd=tmp_path)
    until_sync(lambda: an_outage(running), within=s(60), what="the outage is in force")
    folder = running.folder
    assert folder is not None
    running.send(signal.SIGKILL)
    running.finish(within=30)
    until_sync(lambda: not left_behind([folder]), within=s(15), what="nothing carries its mark")


def test_run_when_its_time_is_over_in_a_phase_then_it_is_rolled_back_and_says_so(tmp_path: Path):
    # It never answers well again, so that the way to the next phase takes longer than planned.
    code = {
        "self.sales > 150": "self.sales > 100",
        "os._exit(3)": "return web.Response(status=500)",
    }
    file = a_till(tmp_path, phases=SHORT, code=code)
    ran = harness("run", file, "--variant", "mortal", "--time", "15s", cwd=tmp_path)
    assert ran.code == 4, ran
    (limit,) = [event for event in ran.events if isinstance(event, LimitReached)]
    assert limit.during == "phase exact-trip"
    assert left_behind(ran.folders) == []


def test_run_when_the_script_needs_more_time_than_there_is_then_it_is_refused_before_it_starts(
    tmp_path: Path,
):
    file = a_till(tmp_path, experiment={"open: 1s": "open: 600s"})
    ran = harness("run", file, "--variant", "sound", "--time", "60s", cwd=tmp_path)
    assert ran.code == 2, ran
    assert ran.folders == ()
    assert re.search(r"\d+ ?(min|m|s|h)", ran.err + ran.out)


@pytest.mark.engine("toxiproxy")
def test_run_when_a_real_toxiproxy_is_given_then_it_makes_the_outages_and_is_left_clean(
    tmp_path: Path,
):
    file = a_till(
        tmp_path,
        phases="baseline, exact-trip, outage",
        experiment={"open: 1s": "open: 500ms\n  script: full"},
        target={'VARIANT: "{variant}"': 'VARIANT: "{variant}", OPEN_MS: "500"'},
    )
    with foreign_toxiproxy(toxiproxy_server()) as url:
        ran = harness("run", file, "--variant", "sound", "--proxy", url, cwd=tmp_path)
        assert violated(ran) == set(), ran
        assert ProxyServer(url).proxies() == {}
    seen = {event.fault: event for event in ran.events if isinstance(event, FaultSeen)}
    for kind in ("status", "reset", "blackhole", "latency", "trickle"):
        assert seen[f"outage-{kind}.{kind}"].hit >= 5
        assert left(ran)[f"outage-{kind}"].reached
    foreign = {e.outage for e in ran.events if isinstance(e, FaultIntended) and url in str(e.undo)}
    assert foreign == {"reset", "blackhole", "latency", "refuse"}
