"""Each command as a user runs it, with right and with wrong arguments: what it prints, how it ends.

``harness run`` has files of its own beside this one.
"""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bank import a_bank
from tests.support.cli import BANK, ROOT, VAULT, harness
from tests.support.proxies import free_port
from tests.support.vault import a_vault

COMMANDS = ("run", "report", "validate", "schema", "proxy")


# All of them


@pytest.mark.parametrize("command", COMMANDS)
def test_command_when_asked_for_help_then_exit_0_and_an_example(tmp_path: Path, command: str):
    ran = harness(command, "--help", cwd=tmp_path)
    assert ran.code == 0, ran
    assert f"harness {command}" in ran.out.partition("example")[2], ran


@pytest.mark.parametrize("command", COMMANDS)
def test_command_when_given_an_option_it_lacks_then_exit_2_and_the_option_is_named(
    tmp_path: Path, command: str
):
    ran = harness(command, "--frobnicate", cwd=tmp_path)
    assert ran.code == 2, ran
    assert ran.out == "" and "usage: harness" in ran.err, ran


def test_harness_when_no_or_an_unknown_command_is_given_then_exit_2_and_the_commands(
    tmp_path: Path,
):
    assert harness(cwd=tmp_path).code == 2
    ran = harness("rum", cwd=tmp_path)
    assert ran.code == 2, ran
    assert all(command in ran.err for command in COMMANDS), ran


def test_harness_when_asked_for_its_version_then_exit_0(tmp_path: Path):
    ran = harness("--version", cwd=tmp_path)
    assert (ran.code, ran.out.split()[0]) == (0, "harness"), ran


# validate


def test_validate_when_all_is_right_then_exit_0_with_a_line_for_each_file(tmp_path: Path):
    ran = harness("validate", BANK, ROOT / "targets", cwd=tmp_path)
    assert ran.code == 0, ran
    targets = [*(ROOT / "targets").glob("*/target.yaml"), ROOT / "targets/breaker/node.yaml"]
    assert len(targets) >= 8
    full = (ROOT / "targets").glob("*/full/*.yaml")
    assert sorted(ran.out.splitlines()) == sorted(
        [
            *(f"{experiment}: ok (experiment)" for experiment in (BANK, *full)),
            *(f"{target}: ok (target)" for target in targets),
        ]
    )
    assert ran.err == ""


def test_validate_when_several_files_are_wrong_then_exit_2_and_each_problem_once(tmp_path: Path):
    bank = a_bank(tmp_path, experiment={"rounds: 20": "rouns: 20", "40ms": "40"})
    vault = a_vault(tmp_path, target={"probes:": "probs:"})
    ran = harness("validate", bank, vault, vault.parent / "vault", cwd=tmp_path)
    assert ran.code == 2, ran
    assert f"{bank}:8:1" in ran.err and "rounds" in ran.err, ran
    assert f"{bank}:10:" in ran.err and "40 has no unit" in ran.err, ran
    assert ran.err.count("probs: unknown key") == 1, ran
    assert "in 3 of 3 files" in ran.err and ran.out == "", ran


def test_validate_when_a_host_is_not_loopback_then_exit_2_unless_it_is_allowed(tmp_path: Path):
    file = a_vault(tmp_path, target={"run: python store.py {port}": "url: http://203.0.113.7:80"})
    ran = harness("validate", file, cwd=tmp_path)
    assert ran.code == 2 and "203.0.113.7" in ran.err, ran
    assert harness("validate", file, "--allow-host", "203.0.113.7", cwd=tmp_path).code == 0


def test_validate_when_there_is_no_such_file_then_exit_2_and_it_is_named(tmp_path: Path):
    ran = harness("validate", "nowhere.yaml", cwd=tmp_path)
    assert ran.code == 2 and "nowhere.yaml" in ran.err, ran
    assert "Traceback" not in ran.err


# schema


@pytest.mark.parametrize("which", ["experiment", "target"])
def test_schema_when_asked_for_a_kind_of_file_then_prints_the_one_that_editors_are_given(
    tmp_path: Path, which: str
):
    ran = harness("schema", which, cwd=tmp_path)
    assert ran.code == 0 and ran.err == "", ran
    assert ran.out == (ROOT / f"docs/reference/{which}.schema.json").read_text()


def test_schema_when_asked_for_no_kind_then_prints_that_of_experiments(tmp_path: Path):
    assert harness("schema", cwd=tmp_path).out == harness("schema", "experiment", cwd=tmp_path).out


def test_schema_when_asked_for_another_kind_then_exit_2_and_the_kinds(tmp_path: Path):
    ran = harness("schema", "journal", cwd=tmp_path)
    assert ran.code == 2 and "experiment" in ran.err and "target" in ran.err, ran


# report


def test_report_when_given_an_id_or_a_folder_then_both_say_what_the_run_said(tmp_path: Path):
    ran = harness("run", VAULT, "--variant", "naive", "--rounds", "1", cwd=tmp_path)
    (folder,) = ran.folders
    by_id = harness("report", folder.name, cwd=tmp_path)
    by_folder = harness("report", folder, cwd=Path("/"))
    assert by_id.code == by_folder.code == ran.code == 0, by_id
    found = "conserved  violated in"
    assert found in ran.out and found in by_id.out and found in by_folder.out, by_id
    as_json = harness("report", folder.name, "--json", cwd=tmp_path)
    assert as_json.json["runs"] == [json.loads((folder / "result.json").read_bytes())]


def test_report_when_the_journal_is_torn_then_it_is_said_and_is_no_pass(tmp_path: Path):
    ran = harness("run", VAULT, "--variant", "atomic", "--rounds", "1", cwd=tmp_path)
    (folder,) = ran.folders
    journal = folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    report = harness("report", folder, cwd=tmp_path)
    assert report.code not in (0, 1), report
    assert "judged from what is there" in report.err, report


def test_report_when_a_line_within_the_journal_is_broken_then_exit_2_with_its_number(
    tmp_path: Path,
):
    folder = tmp_path / "runs" / "a-run"
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text('{"n": 1}\nnonsense\n{"n": 3}\n')
    ran = harness("report", "a-run", cwd=tmp_path)
    assert ran.code == 2 and "journal.jsonl" in ran.err, ran
    assert "Traceback" not in ran.err


def test_report_when_there_is_no_such_run_then_exit_2_and_the_nearest_is_named(tmp_path: Path):
    assert "no runs in runs/ yet" in harness("report", "a-run", cwd=tmp_path).err
    (tmp_path / "runs" / "2026-11-25-vault").mkdir(parents=True)
    (tmp_path / "runs" / "2026-11-25-vault" / "journal.jsonl").touch()
    ran = harness("report", "2026-11-24-vault", cwd=tmp_path)
    assert ran.code == 2 and "The nearest: 2026-11-25-vault" in ran.err, ran


# proxy


def test_proxy_when_its_port_is_taken_then_exit_2_and_the_port_is_named(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = harness("proxy", "--port", port, cwd=tmp_path)
    assert ran.code == 2 and str(port) in ran.err, ran
    assert "Traceback" not in ran.err


def test_proxy_when_its_host_or_port_cannot_be_then_exit_2(tmp_path: Path):
    for wrong in (("--port", "70000"), ("--host", "no.such.host.invalid"), ("--seed", "x")):
        ran = harness("proxy", *wrong, cwd=tmp_path)
        assert ran.code == 2 and "Traceback" not in ran.err, ran


@pytest.mark.serial
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_proxy_when_it_is_told_to_end_then_it_has_served_and_exits_with_0(
    tmp_path: Path, number: signal.Signals
):
    from harness.proxy.client import ProxyServer

    process = subprocess.Popen(
        [sys.executable, "-m", "harness.cli", "proxy", "--port", str(free_port())],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        api = json.loads(process.stdout.readline())["api"]
        assert ProxyServer(api).proxies() == {}
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.communicate()
