"""Nothing broke, and nothing could have: exit 3, naming what was missing, with everything stopped."""

from pathlib import Path

import pytest

from harness.model.events import FaultApplied, FaultSeen
from tests.support.cli import harness, left_behind
from tests.support.vault import a_vault

ATOMIC = ("--variant", "atomic", "--rounds", "2", "--json")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        pytest.param("latency: 40ms, toxicity: 0.001%", "never seen on the wire", id="spares-all"),
        pytest.param("latency: 40ms, for: 1ms", "(0 messages while it lasted)", id="over-before"),
    ],
)
def test_run_when_a_fault_is_in_force_and_leaves_no_trace_then_exit_3_and_it_is_named(
    tmp_path: Path, fault: str, says: str
):
    # Taking the fault back is a call to another process: the hold gives it time.
    changes = {"latency: 40ms": fault, "concurrency: 20": "concurrency: 20, hold: 2s"}
    file = a_vault(tmp_path, experiment=changes)
    ran = harness("run", file, *ATOMIC, "--seed", "1", cwd=tmp_path)
    assert ran.code == 3, ran
    assert [e.round for e in ran.events if isinstance(e, FaultApplied)] == [1, 2]
    assert [e.hit for e in ran.events if isinstance(e, FaultSeen)] == [0, 0]
    (run,) = ran.json["runs"]
    assert not run["faults"][0]["seen_on_wire"]
    assert any("latency@store" in each and says in each for each in run["missing"]), run
    assert left_behind(ran.folders) == []


def test_run_when_every_outcome_is_unknown_then_exit_3_and_it_is_said(tmp_path: Path):
    file = a_vault(
        tmp_path,
        code={'self.answer(take(sent["amount"]))': 'self.answer(take(sent["amount"]) and 503)'},
    )
    ran = harness("run", file, *ATOMIC, cwd=tmp_path)
    assert ran.code == 3, ran
    (run,) = ran.json["runs"]
    assert run["traffic"]["take"] == {"sent": 40, "acknowledged": 0, "rejected": 0, "unknown": 40}
    assert any("acknowledged or rejected" in each for each in run["missing"]), run
    assert left_behind(ran.folders) == []


def test_run_when_so_many_outcomes_are_unknown_that_any_state_would_fit_then_exit_3(
    tmp_path: Path,
):
    """Whoever took gets 503: ten unknown ones fit, and would fit whatever the other ten had said."""
    answered = 'self.answer(take(sent["amount"]))'
    lost = 'self.answer({200: 503, 409: 409}[take(sent["amount"])])'
    file = a_vault(tmp_path, code={answered: lost})
    ran = harness("run", file, *ATOMIC, cwd=tmp_path)
    assert ran.code == 3, ran
    (run,) = ran.json["runs"]
    assert run["traffic"]["take"] == {"sent": 40, "acknowledged": 0, "rejected": 20, "unknown": 20}
    (conserved,) = [each for each in run["invariants"] if each["name"] == "conserved"]
    assert conserved["verdict"] == "inconclusive", run
    assert conserved["evidence"]["rounds_with_power"] == 0, run
    assert run["power"] == ""


def test_run_when_only_one_request_ever_is_in_flight_then_exit_3_and_the_overlap_is_named(
    tmp_path: Path,
):
    """A service that hangs up on everybody but the first: there is no race to be had."""
    file = a_vault(
        tmp_path,
        code={
            "    daemon_threads = True\n": "    daemon_threads = True\n    busy = 0\n\n"
            "    def verify_request(self, *_):\n"
            "        self.busy += 1\n"
            "        return self.busy == 1\n\n"
            "    def shutdown_request(self, request):\n"
            "        self.busy -= 1\n"
            "        super().shutdown_request(request)\n"
        },
    )
    ran = harness("run", file, *ATOMIC, cwd=tmp_path)
    assert ran.code == 3, ran
    (run,) = ran.json["runs"]
    assert any("two are needed" in each for each in run["missing"]), run
    assert run["bursts"][0]["overlap"] == 1


def test_run_when_the_service_takes_one_connection_at_a_time_then_the_hop_tells_of_it(
    tmp_path: Path,
):
    """All requests are under way, so the round counts; that the naive one then holds is unexpected."""
    file = a_vault(tmp_path, code={"ThreadingHTTPServer": "HTTPServer"})
    ran = harness("run", file, "--variant", "naive", "--rounds", "1", "--json", cwd=tmp_path)
    assert ran.code == 1, ran
    (run,) = ran.json["runs"]
    assert (run["verdict"], run["as_expected"]) == ("held", False)
    assert run["bursts"][0]["overlap"] >= 10
    assert run["bursts"][0]["hop_overlap"] == {"store": 1}


LOSES_THE_FIRST = {
    '                state["value"] = START': "                state.update(value=START, first=True)",
    '                state["value"] -= sent["amount"]': (
        '                state["value"] -= 0 if state.pop("first", False) else sent["amount"]'
    ),
}


def test_run_when_a_lost_effect_and_an_unknown_one_make_up_for_each_other_then_exit_3(
    tmp_path: Path,
):
    """Of ten takes one is lost and one never answered; the app itself turns the other ten away."""
    file = a_vault(
        tmp_path,
        code={
            "import json\n": "import itertools\nimport json\n",
            "VARIANT = ": "turn = itertools.count()\nVARIANT = ",
            'self.answer(take(sent["amount"]))': (
                'self.answer(409 if next(turn) % 2 else take(sent["amount"]))'
            ),
        },
        store=LOSES_THE_FIRST,
        experiment={"latency: 40ms": "blackhole_after: 0, first: 1"},
        target={"    vars: {amount: 10}\n": "    vars: {amount: 10}\n    timeout: 1s\n"},
    )
    ran = harness("run", file, *ATOMIC, cwd=tmp_path)
    assert ran.code == 3, ran
    (run,) = ran.json["runs"]
    assert run["traffic"]["take"] == {"sent": 40, "acknowledged": 18, "rejected": 20, "unknown": 2}
    (conserved,) = [each for each in run["invariants"] if each["name"] == "conserved"]
    assert conserved["evidence"]["rounds_with_power"] == 0, run
    assert "which may hide an effect lost or made twice" in conserved["summary"], run
    assert left_behind(ran.folders) == []


def test_run_when_the_fault_itself_rejects_all_requests_then_exit_3_and_it_is_said(tmp_path: Path):
    """The store never gets one of them; that all is well with it is no news."""
    file = a_vault(
        tmp_path,
        store=LOSES_THE_FIRST,
        experiment={"latency: 40ms": 'http_status: 409, body: "{}"'},
    )
    ran = harness("run", file, *ATOMIC, cwd=tmp_path)
    assert ran.code == 3, ran
    (run,) = ran.json["runs"]
    assert run["traffic"]["take"] == {"sent": 40, "acknowledged": 0, "rejected": 40, "unknown": 0}
    assert run["faults"][0]["seen_on_wire"], run
    assert any("no message of hop store was answered by store" in each for each in run["missing"])
    assert left_behind(ran.folders) == []


GIVES_UP = {
    "timeout=60": "timeout=0.5",
    '        self.answer(take(sent["amount"]))': (
        "        try:\n"
        '            status = take(sent["amount"])\n'
        "        except TimeoutError:\n"
        "            status = 504\n"
        "        self.answer(status)"
    ),
}
FOUR_LAND_IN_THE_NEXT_ROUND = {
    "from threading import Lock\n": "from threading import Event, Lock\n",
    "START = 100\n": "START = 1000\nnext_round = Event()\ntakes = itertools.count(1)\n",
    "import json\n": "import itertools\nimport json\n",
    "        with lock:\n            if self.path": (
        '        number = next(takes) if self.path == "/take" else 0\n'
        "        if number > 20:\n"
        "            next_round.set()\n"
        "        elif number > 16:\n"
        "            next_round.wait()\n"
        "        with lock:\n            if self.path"
    ),
}


def test_run_when_the_service_gave_up_on_work_that_lands_in_the_next_round_then_is_not_violated(
    tmp_path: Path,
):
    """Its 504 says that it does not know, and the store goes on: no later loss is the service's."""
    file = a_vault(
        tmp_path,
        code=GIVES_UP,
        store=FOUR_LAND_IN_THE_NEXT_ROUND,
        experiment={
            "value == 100": "value == 1000",
            "at_end: 100 - value": "at_end: 1000 - value",
        },
    )
    ran = harness("run", file, "--variant", "atomic", "--rounds", "2", "--json", cwd=tmp_path)
    assert ran.code == 3, ran
    (run,) = ran.json["runs"]
    assert run["traffic"]["take"] == {"sent": 40, "acknowledged": 36, "rejected": 0, "unknown": 4}
    assert any("(answered 504 × 4), so their effects" in each for each in run["missing"]), run
    assert left_behind(ran.folders) == []
