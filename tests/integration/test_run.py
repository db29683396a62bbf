"""One experiment from file to verdict, on real processes, a real proxy and real sockets."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.model.events import (
    FaultApplied,
    FaultIntended,
    FaultSeen,
    FaultUndone,
    HopRequestEnded,
    OperationReturned,
    OperationSent,
)
from harness.model.units import Duration
from harness.proxy.client import ProxyServer
from tests.support.cli import BANK, VAULT, Running, harness, left_behind
from tests.support.engines import toxiproxy_server
from tests.support.proxies import foreign_toxiproxy
from tests.support.vault import a_vault
from tests.support.waiting import until_sync

s = Duration.of_s


def test_run_when_a_variant_loses_updates_then_it_is_violated_with_a_counterexample(tmp_path: Path):
    ran = harness("run", VAULT, "--variant", "naive", "--json", cwd=tmp_path)
    assert ran.code == 0, ran
    (run,) = ran.json["runs"]
    assert (run["verdict"], run["as_expected"]) == ("violated", True)
    by_name = {i["name"]: i for i in run["invariants"]}
    assert by_name["never-negative"]["verdict"] == "held"
    example = by_name["conserved"]["counterexample"]
    assert example["values"], example
    assert left_behind(ran.folders) == []


def test_run_when_a_variant_is_sound_then_it_held_and_its_evidence_is_complete(tmp_path: Path):
    ran = harness("run", VAULT, "--variant", "atomic", "--json", cwd=tmp_path)
    assert ran.code == 0, ran
    (run,) = ran.json["runs"]
    assert run["verdict"] == "held", run["reason"]
    assert "would have shown with 95 % confidence" in run["power"]
    (fault,) = run["faults"]
    assert fault["seen_on_wire"] and fault["messages"] >= 20
    assert run["bursts"][0]["overlap"] >= 10
    assert run["steady_state"] == {"before": "held", "after": "held", "detail": ""}


def test_run_when_both_variants_run_then_the_console_shows_both_verdicts(tmp_path: Path):
    ran = harness("run", VAULT, cwd=tmp_path)
    assert ran.code == 0, ran
    assert re.search(r"naive .*violated +as expected", ran.out), ran
    assert re.search(r"atomic .*held +as expected", ran.out), ran
    assert "\x1b" not in ran.out
    assert len(ran.folders) == 2


def test_run_when_the_code_of_the_variants_is_swapped_then_it_is_unexpected_and_exits_1(
    tmp_path: Path,
):
    shutil.copytree(VAULT.parent, tmp_path / "targets")
    app = tmp_path / "targets" / "vault" / "app.py"
    app.write_text(app.read_text().replace('VARIANT == "atomic"', 'VARIANT == "naive"'))
    ran = harness("run", tmp_path / "targets" / "vault.yaml", "--json", cwd=tmp_path)
    assert ran.code == 1, ran
    assert [r["as_expected"] for r in ran.json["runs"]] == [False, False]


def test_run_when_it_ends_then_every_fault_was_applied_seen_and_undone_each_round(tmp_path: Path):
    ran = harness("run", VAULT, "--variant", "atomic", cwd=tmp_path)
    kinds = [FaultApplied, FaultSeen, FaultUndone]
    assert [[e.round for e in ran.events if isinstance(e, k)] for k in kinds] == [[1, 2, 3]] * 3
    assert all(e.found for e in ran.events if isinstance(e, FaultUndone))


def test_run_when_it_ends_then_instants_of_both_processes_lie_on_one_clock(tmp_path: Path):
    ran = harness("run", VAULT, "--variant", "atomic", "--rounds", "1", cwd=tmp_path)
    sent = [e.sent for e in ran.events if isinstance(e, OperationSent)]
    returned = [e.last for e in ran.events if isinstance(e, OperationReturned)]
    delayed = [e for e in ran.events if isinstance(e, HopRequestEnded) and e.injected]
    assert len(sent) == len(returned) == 20
    assert delayed
    assert all(min(sent) <= e.ended <= max(returned) for e in delayed)


def test_run_when_rounds_seed_and_time_are_given_then_they_replace_the_files(tmp_path: Path):
    arguments = ["--rounds", "2", "--seed", "7", "--time", "90s"]
    ran = harness("run", VAULT, "--variant", "atomic", *arguments, cwd=tmp_path)
    assert (ran.result["seed"], ran.result["rounds"]) == (7, 2)


def test_dry_run_when_asked_then_it_prints_the_plan_and_starts_nothing(tmp_path: Path):
    ran = harness("run", VAULT, "--dry-run", cwd=tmp_path)
    assert ran.code == 0, ran
    assert "40 ms latency" in ran.out and "conserved" in ran.out
    assert ran.folders == ()


def test_run_when_a_folder_is_given_then_its_experiments_are_a_suite(tmp_path: Path):
    shutil.copytree(VAULT.parent, tmp_path / "suite")
    second = (tmp_path / "suite" / "vault.yaml").read_text()
    (tmp_path / "suite" / "again.yaml").write_text(
        second.replace("experiment: vault", "experiment: again").replace("rounds: 3", "rounds: 1")
    )
    ran = harness("run", tmp_path / "suite", "--variant", "atomic", "--json", cwd=tmp_path)
    assert ran.code == 0, ran
    assert sorted(r["experiment"] for r in ran.json["runs"]) == ["again", "vault"]


def test_report_when_result_json_is_gone_then_the_journal_alone_gives_it_back(tmp_path: Path):
    ran = harness("run", VAULT, "--variant", "naive", cwd=tmp_path)
    (folder,) = ran.folders
    before = (folder / "result.json").read_bytes()
    (folder / "result.json").unlink()
    report = harness("report", folder, cwd=tmp_path)
    assert report.code == 0, report
    assert (folder / "result.json").read_bytes() == before


def test_report_when_one_event_was_edited_then_the_verdict_differs(tmp_path: Path):
    ran = harness("run", VAULT, "--variant", "atomic", cwd=tmp_path)
    (folder,) = ran.folders
    (folder / "result.json").unlink()
    journal = folder / "journal.jsonl"
    lines = journal.read_text().splitlines()
    number, event = next(
        (i, json.loads(line))
        for i, line in enumerate(lines)
        if '"ProbeRead"' in line and '"at-end"' in line
    )
    event["value"] += 10
    lines[number] = json.dumps(event)
    journal.write_text("\n".join(lines) + "\n")
    report = harness("report", folder, "--json", cwd=tmp_path)
    assert report.code == 1, report
    assert report.json["verdict"] == "violated"


def test_run_when_somebody_removes_the_toxic_then_it_is_inconclusive_and_names_the_fault(
    tmp_path: Path,
):
    # The hold is the time to remove it in.
    file = a_vault(tmp_path, experiment={"concurrency: 20": "concurrency: 20, hold: 3s"})
    running = Running("run", file, "--variant", "atomic", "--rounds", "2", "--json", cwd=tmp_path)
    applied = until_sync(
        lambda: [e for e in running.events(FaultIntended) if e.round == 2],
        within=s(30),
        what="the fault of round 2 is announced",
    )
    undo = applied[0].undo
    until_sync(
        lambda: ProxyServer(undo["admin"]).remove_toxic(undo["proxy"], undo["toxic"]),
        within=s(30),
        what="the toxic is there to be removed",
    )
    ran = running.finish()
    assert ran.code == 3, ran
    (run,) = ran.json["runs"]
    assert run["verdict"] == "inconclusive"
    assert "latency@store" in run["reason"] + " ".join(run["missing"]), run


@pytest.mark.engine("toxiproxy")
def test_run_when_a_real_toxiproxy_is_given_then_verdicts_are_the_same_and_it_is_left_clean(
    tmp_path: Path,
):
    with foreign_toxiproxy(toxiproxy_server()) as url:
        ran = harness("run", VAULT, "--proxy", url, "--json", cwd=tmp_path)
        assert ran.code == 0, ran
        assert [r["verdict"] for r in ran.json["runs"]] == ["violated", "held"]
        assert all(f["seen_on_wire"] for r in ran.json["runs"] for f in r["faults"])
        assert ProxyServer(url).proxies() == {}


@pytest.mark.engine("postgres")
def test_bank_when_both_variants_run_then_naive_is_violated_and_atomic_held(tmp_path: Path):
    ran = harness("run", BANK, "--rounds", "3", "--json", cwd=tmp_path)
    assert ran.code == 0, ran
    assert [r["verdict"] for r in ran.json["runs"]] == ["violated", "held"]
    assert left_behind(ran.folders) == []


def test_run_when_keep_is_asked_then_services_stay_up_and_the_printed_command_stops_them(
    tmp_path: Path,
):
    ran = harness("run", VAULT, "--variant", "atomic", "--rounds", "1", "--keep", cwd=tmp_path)
    assert ran.code == 0, ran
    assert len(left_behind(ran.folders)) == 3, ran
    (command,) = re.findall(r"stop them with: +(.*)", ran.out)
    subprocess.run(["sh", "-c", command], check=True)
    until_sync(lambda: not left_behind(ran.folders), within=s(30), what="the kept ones are gone")
