"""What goes wrong gets a clear message and its own exit code, and leaves nothing running."""

import socket
from pathlib import Path

import pytest

from harness.model.events import FaultIntended, FaultUndone, RoundFinished
from harness.services.target_lock import lock_target
from tests.support.cli import VAULT, Running, harness, left_behind
from tests.support.proxies import free_port
from tests.support.vault import a_vault

ATOMIC = ("--variant", "atomic", "--rounds", "1")


@pytest.mark.parametrize(
    ("target", "experiment", "says"),
    [
        pytest.param({}, {"rounds: 3": "rouns: 3"}, "rounds", id="unknown-key"),
        pytest.param({}, {"40ms": "40"}, "no unit", id="missing-unit"),
        pytest.param({}, {"40ms": "40qs"}, "qs", id="wrong-unit"),
        pytest.param({}, {"100 - value": "100 - valeu"}, "value", id="unknown-probe"),
        pytest.param({}, {"acknowledged(take)": "acknowledged(tak)"}, "take", id="operation"),
        pytest.param({}, {"100 - value ==": "100 - * =="}, "vault.yaml:", id="does-not-parse"),
        pytest.param(
            {"{http: POST /reset, on": '{http: "POST /reset/{oops}", on'},
            {},
            "oops",
            id="reset-names-nothing",
        ),
        pytest.param(
            {"run: python store.py {port}": "url: http://203.0.113.7:80"},
            {},
            "203.0.113.7",
            id="non-loopback",
        ),
    ],
)
def test_run_when_the_files_are_wrong_then_exit_2_and_nothing_was_started(
    tmp_path: Path, target: dict[str, str], experiment: dict[str, str], says: str
):
    file = a_vault(tmp_path, target=target, experiment=experiment)
    ran = harness("run", file, cwd=tmp_path)
    assert ran.code == 2, ran
    assert says in ran.err, ran
    assert "Traceback" not in ran.err
    assert ran.folders == ()


def test_run_when_a_pinned_hop_is_taken_then_exit_2_and_the_port_is_named(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        pinned = {"{from: app, to: store}": f'{{from: app, to: store, listen: "127.0.0.1:{port}"}}'}
        ran = harness("run", a_vault(tmp_path, target=pinned), *ATOMIC, cwd=tmp_path)
    assert ran.code == 2, ran
    assert str(port) in ran.out + ran.err
    assert left_behind(ran.folders) == []


def test_run_when_a_port_that_a_service_insists_on_is_taken_then_exit_5_with_its_own_words(
    tmp_path: Path,
):
    """Ports that we give cannot be taken for long: another one is tried. This one is the service's."""
    second = 'Server(("127.0.0.1", int(os.environ["METRICS"])), Store)'
    file = a_vault(
        tmp_path,
        store={
            "import json\n": "import json\nimport os\n",
            '__main__":\n': f'__main__":\n    metrics = {second}\n',
        },
    )
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ran = harness("run", file, *ATOMIC, cwd=tmp_path, env={"METRICS": port})
    assert ran.code == 5, ran
    assert "service store" in ran.out and "Address already in use" in ran.out, ran
    assert left_behind(ran.folders) == []


def test_run_when_the_target_is_locked_by_another_run_then_exit_2(tmp_path: Path):
    file = a_vault(tmp_path)
    with lock_target(file.parent / "vault" / "target.yaml"):
        ran = harness("run", file, *ATOMIC, cwd=tmp_path)
    assert ran.code == 2, ran
    assert "another run" in ran.err, ran
    assert ran.folders == ()


def test_run_when_no_toxiproxy_answers_at_the_url_then_exit_2(tmp_path: Path):
    url = f"http://127.0.0.1:{free_port()}"
    ran = harness("run", VAULT, *ATOMIC, "--proxy", url, cwd=tmp_path)
    assert ran.code == 2, ran
    assert url in ran.out + ran.err
    assert left_behind(ran.folders) == []


def test_run_when_the_steady_state_is_not_there_then_exit_3_and_nothing_was_injected(
    tmp_path: Path,
):
    file = a_vault(tmp_path, experiment={"value == 100": "value == 99"})
    ran = harness("run", file, *ATOMIC, cwd=tmp_path)
    assert ran.code == 3, ran
    said = " ".join(ran.out.split())
    assert "value == 99 is false" in said and "nothing was injected" in said, ran
    assert not [e for e in ran.events if type(e).__name__ == "FaultIntended"]


def test_run_when_nobody_dials_the_hop_then_exit_3_and_the_hop_is_named(tmp_path: Path):
    file = a_vault(tmp_path, target={"{hops.store.address}": "{services.store.address}"})
    ran = harness("run", file, *ATOMIC, cwd=tmp_path)
    assert ran.code == 3, ran
    assert "hop store" in ran.out, ran


# A probe that counts how often it was asked: no two readings are ever equal.
ONE_NEVER_STANDS_STILL = {
    "store": {
        "    def do_GET(self) -> None:\n": '    def do_GET(self) -> None:\n        state["asked"] = state.get("asked", 0) + 1\n'
    },
    "target": {
        "  value: {http": "  asked: {http: GET /value, on: store, value: json.asked}\n  value: {http"
    },
}


def test_run_when_probes_never_settle_then_exit_3_and_the_probe_is_named(tmp_path: Path):
    file = a_vault(
        tmp_path,
        **ONE_NEVER_STANDS_STILL,
        experiment={
            "100 - value == 10 * acknowledged(take)": "asked > 0 and 100 - value == 10 * acknowledged(take)",
            "rounds: 3": "rounds: 1\nsettle: {gap: 10ms, limit: 300ms}",
        },
    )
    ran = harness("run", file, *ATOMIC, cwd=tmp_path)
    assert ran.code == 3, ran
    assert "asked" in ran.out and "settle" in ran.out.lower(), ran


def test_run_when_the_time_limit_is_reached_then_exit_4_and_all_was_rolled_back(tmp_path: Path):
    # How long the services take to come up is the machine's affair: tried until there was a fault.
    for limit in (3, 12, 40):
        folder = tmp_path / str(limit)
        folder.mkdir()
        file = a_vault(folder, experiment={"rounds: 3": "rounds: 1000"})
        ran = harness("run", file, "--variant", "atomic", "--time", f"{limit}s", cwd=folder)
        assert ran.code == 4, ran
        assert left_behind(ran.folders) == []
        # The limit may come while one is being applied: it is undone, though nobody saw it applied.
        intended = [e for e in ran.events if isinstance(e, FaultIntended)]
        assert len(intended) == len([e for e in ran.events if isinstance(e, FaultUndone)])
        if intended:
            return
    raise AssertionError(f"no fault within the limit; the last run: {ran}")


@pytest.mark.parametrize(
    ("target", "code", "experiment", "says"),
    [
        pytest.param(
            {},
            {'STORE = os.environ["STORE"]': 'raise SystemExit("no ledger, no service")'},
            {},
            "no ledger, no service",
            id="dies-at-start",
        ),
        pytest.param(
            {"{http: GET /healthz}": "{http: GET /healthz, within: 5s}"},
            {"        self.answer(200)": "        self.answer(503)"},
            {},
            "503",
            id="never-ready",
        ),
        pytest.param({"value: json.value": "value: json.valve"}, {}, {}, "valve", id="probe-key"),
        pytest.param(
            {}, {}, {"100 - value ==": "value / 0 + 100 - value =="}, "zero", id="division-by-zero"
        ),
    ],
)
def test_run_when_the_target_fails_then_exit_5_with_its_own_words(
    tmp_path: Path,
    target: dict[str, str],
    code: dict[str, str],
    experiment: dict[str, str],
    says: str,
):
    file = a_vault(tmp_path, target=target, code=code, experiment=experiment)
    ran = harness("run", file, *ATOMIC, cwd=tmp_path)
    assert ran.code == 5, ran
    assert says in ran.out + ran.err, ran
    assert left_behind(ran.folders) == []


def test_run_when_the_journal_cannot_be_written_any_more_then_exit_5_and_all_is_stopped(
    tmp_path: Path,
):
    running = Running(
        "run", VAULT, "--variant", "atomic", "--rounds", "50", cwd=tmp_path, largest_file=40_000
    )
    ran = running.finish()
    assert ran.code == 5, ran
    assert "journal cannot be written" in ran.out + ran.err, ran
    assert "Traceback" not in ran.out + ran.err, ran
    assert left_behind(ran.folders) == []


def test_run_when_three_rounds_in_a_row_never_settle_then_the_rest_is_not_run(tmp_path: Path):
    file = a_vault(
        tmp_path,
        **ONE_NEVER_STANDS_STILL,
        experiment={
            "100 - value == 10 * acknowledged(take)": "asked > 0 and 100 - value == 10 * acknowledged(take)",
            "rounds: 3": "rounds: 20\nsettle: {gap: 10ms, limit: 100ms}",
        },
    )
    ran = harness("run", file, "--variant", "atomic", cwd=tmp_path)
    assert ran.code == 3, ran
    assert len([e for e in ran.events if isinstance(e, RoundFinished)]) == 3
