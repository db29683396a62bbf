"""What else a user does with a file, end to end: variants that changed, a login, another invariant."""

import re
import time
from pathlib import Path

import pytest

from harness.model.events import Prepared
from harness.model.units import Duration
from tests.support.bank import a_bank
from tests.support.cli import Ran, Running, harness, left_behind
from tests.support.vault import a_vault
from tests.support.waiting import until_sync


@pytest.mark.engine("postgres")
def test_bank_when_the_code_of_its_variants_is_swapped_then_both_are_unexpected_and_exit_1(
    tmp_path: Path,
):
    swapped = {
        '"naive": withdraw_naive': '"naive": withdraw_atomic',
        '"atomic": withdraw_atomic': '"atomic": withdraw_naive',
    }
    ran = harness("run", a_bank(tmp_path, code=swapped), "--rounds", "2", cwd=tmp_path)
    assert ran.code == 1, ran
    said = " ".join(ran.out.split())
    assert re.search(r"naive .*held +unexpected: violated by money-conserved was expected", said)
    assert re.search(r"atomic .*violated +unexpected: held was expected", said), ran
    assert "held, but violated by money-conserved was expected" in said, ran
    assert "violated, but held was expected" in said, ran
    assert left_behind(ran.folders) == []


SERVES_WHO_IS_LOGGED_IN = {
    "    def do_POST(self) -> None:\n": """    def do_POST(self) -> None:
        if self.path == "/login":
            data = json.dumps({"token": TOKEN}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            return
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.answer(401)
            return
""",
    "VARIANT = ": 'TOKEN = "tok-" + os.urandom(8).hex()\nVARIANT = ',
}
LOGIN = """operations:
  login: {http: POST /login, on: app}
"""


def test_run_when_prepare_captures_a_token_then_requests_carry_it_and_no_file_shows_it(
    tmp_path: Path,
):
    file = a_vault(
        tmp_path,
        code=SERVES_WHO_IS_LOGGED_IN,
        target={
            "operations:\n": LOGIN,
            "    json: {amount": '    headers: {Authorization: "Bearer {token}"}\n    json: {amount',
        },
        experiment={
            "rounds: 3": "rounds: 1\nprepare:\n  - {operation: login, capture: {token: json.token}}"
        },
    )
    ran = harness("run", file, "--variant", "atomic", "--json", cwd=tmp_path)
    assert ran.code == 0, ran
    assert [e.captured for e in ran.events if isinstance(e, Prepared)] == [("token",)]
    (run,) = ran.json["runs"]
    assert run["traffic"]["take"] == {"sent": 20, "acknowledged": 10, "rejected": 10, "unknown": 0}
    (folder,) = ran.folders
    shown = [path for path in folder.rglob("*") if path.is_file() and b"tok-" in path.read_bytes()]
    assert shown == []


def test_run_when_what_prepare_asks_for_is_refused_then_exit_5_and_the_operation_is_named(
    tmp_path: Path,
):
    file = a_vault(
        tmp_path,
        code={
            "        self.answer(take(sent": "        self.answer(403 if sent == {} else take(sent"
        },
        target={"operations:\n": LOGIN},
        experiment={"rounds: 3": "rounds: 1\nprepare: [{operation: login}]"},
    )
    ran = harness("run", file, "--variant", "atomic", cwd=tmp_path)
    assert ran.code == 5, ran
    assert "prepare: login" in ran.out and "403" in ran.out, ran
    assert left_behind(ran.folders) == []


def test_run_when_what_is_checked_first_is_taken_relatively_then_always_is_violated(
    tmp_path: Path,
):
    """Check, then ``value -= amount``: nothing is lost, so only the readings in between show it."""
    file = a_vault(
        tmp_path,
        code={'{"value": value - amount}': '{"value": -amount}'},
        store={'state["value"] = sent["value"]': 'state["value"] += sent["value"]'},
        experiment={"violated: [conserved]": "violated: [never-negative]"},
    )
    ran = harness("run", file, "--variant", "naive", "--json", cwd=tmp_path)
    assert ran.code == 0, ran
    (run,) = ran.json["runs"]
    assert (run["verdict"], run["as_expected"]) == ("violated", True)
    by_name = {each["name"]: each for each in run["invariants"]}
    assert by_name["conserved"]["verdict"] == "held"
    assert by_name["never-negative"]["evidence"]["violated_rounds"] == 3
    (reading,) = by_name["never-negative"]["counterexample"]["values"]["readings"].values()
    assert reading["value"] < 0


@pytest.mark.timeout(600)
def test_run_when_one_of_the_same_name_begins_in_the_same_second_elsewhere_then_both_end_well(
    tmp_path: Path,
):
    """Two checkouts, two CI jobs on one machine: the sweep of the first must spare the second."""
    # Which second a process begins in is the machine's affair: tried until it was the same.
    for attempt in range(10):
        first, second = _side_by_side(tmp_path / str(attempt))
        assert (first.code, second.code) == (0, 0), (str(first), str(second))
        if first.events[0].at[:19] == second.events[0].at[:19]:
            return
    raise AssertionError("in ten attempts the two never began in the same second")


def _side_by_side(folder: Path) -> tuple[Ran, Ran]:
    for name in ("short", "long"):
        (folder / name).mkdir(parents=True)
    files = {name: a_vault(folder / name) for name in ("short", "long")}
    until_sync(lambda: time.time() % 1 < 0.2, within=Duration.of_s(30), what="a second begins")
    short, long = (
        Running("run", files[name], "--variant", "atomic", "--rounds", rounds, cwd=folder / name)
        for name, rounds in (("short", 1), ("long", 5))
    )
    return short.finish(), long.finish()
