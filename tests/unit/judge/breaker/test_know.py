"""What is known of a history, put together."""

import pytest
from msgspec.structs import replace

from harness.expressions.parse import ExpressionProblem
from harness.judge.breaker.know import know
from harness.judge.breaker.known import MS
from tests.support.breaker_histories import Story


def story(**declared):
    made = Story(**declared)
    made.phase(5, "outage", fault="status", lag=1)
    made.write("5F 60R", every=10)
    made.phase(6, "heal")
    made.write("40R S 20S", every=10)
    return made


def test_phases_when_run_then_each_has_its_calls_and_its_slack():
    known = story().known()
    assert [(view.phase.id, len(view.calls), view.slack) for view in known.phases] == [
        ("baseline", 200, 2 * MS),
        ("outage-status", 65, 3 * MS),
        ("heal", 61, 2 * MS),
    ]
    assert len(known.calls) == 326
    assert known.by_id["heal"] is known.phases[2]
    assert [span.kind for span in known.by_id["outage-status"].faults] == ["status"]


def test_calls_when_of_no_phase_then_are_known_all_the_same():
    history = story().history()
    calls = (replace(history.calls[0], phase="", rid="other"), *history.calls)
    known = know(replace(history, calls=calls))
    assert known.calls[0].call.rid == "other"
    assert sum(len(view.calls) for view in known.phases) == len(known.calls) - 1


def test_latency_when_calls_fail_then_is_the_longest_of_them_at_the_hop():
    written = Story()
    written.phase(5, "outage", fault="status")
    written.call("F", at=0, lasts=50)
    written.call("F", at=1, lasts=204)
    written.call("S", at=2, lasts=900)
    assert written.known().by_id["outage-status"].latency == 202 * MS


def test_strays_when_in_a_phase_then_are_counted_there():
    written = story()
    written.stray(at=5)
    assert [view.strays for view in written.known().phases] == [0, 0, 1]


def test_timing_when_the_harness_was_late_then_says_nothing():
    written = Story()
    written.phase(5, "outage", fault="status", lag=40)
    view = written.known().phases[-1]
    assert view.timing.startswith("the harness itself was 42.0 ms late")
    assert view.lack == ""


def test_timing_when_only_the_open_time_found_is_known_then_is_by_it():
    """Nothing is declared; 0.1 s of open time were found, and the harness was 12 ms late."""
    written = Story(threshold=None, open=None, permits=None, call_timeout=None)
    written.phase(5, "outage", fault="status", lag=10)
    written.write("5F 10R F 10R S 20S", every=10)
    known = written.known()
    assert known.terms.open.known
    assert "the harness itself was 12.0 ms late" in known.by_id["outage-status"].timing


def test_declaration_when_unreadable_then_is_refused():
    written = story(failure="status >=")
    with pytest.raises(ExpressionProblem):
        written.known()
