"""A history is bare numbers and texts, and what is not known of a call says that it is not known."""

import pytest

from harness.model.breaker_history import Arrival, Call, Phase, Sample

MANY = (Arrival, Call, Sample)


@pytest.mark.parametrize("kind", MANY, ids=lambda kind: kind.__name__)
def test_value_when_there_are_many_of_it_then_the_collector_need_not_follow_it(kind):
    """Two hundred and fifty thousand calls are held while a run is judged."""
    assert not kind.__struct_config__.gc
    assert kind.__struct_config__.frozen


def test_call_when_only_its_sending_is_known_then_is_open_and_never_arrived():
    call = Call(rid="r", phase="p", due=1, sent=2)
    assert (call.end, call.ended, call.status, call.answer, call.arrivals) == (
        "open",
        None,
        None,
        "none",
        (),
    )


def test_arrival_when_only_its_head_is_known_then_is_open_and_of_nobody():
    arrival = Arrival(conn=1, seq=1, arrived=9)
    assert (arrival.end, arrival.ended, arrival.rid, arrival.began) == ("open", None, None, False)


def test_phase_when_nothing_is_said_against_it_then_was_reached_and_driven():
    phase = Phase(id="baseline", number=1, name="baseline", entered=0)
    assert (phase.reached, phase.capped, phase.lag, phase.left) == (True, False, 0, None)
