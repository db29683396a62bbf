"""States: names that can be addressed, streams as they were spelled."""

import pytest

from harness.proxy.states import LONGEST_NAME, Refused, ToxicState, checked_name


@pytest.mark.parametrize("name", [".", "..", "x" * (LONGEST_NAME + 1), "ü" * LONGEST_NAME])
def test_name_when_it_cannot_be_addressed_then_is_refused(name):
    with pytest.raises(Refused, match=r"^name: ") as refused:
        checked_name(name)
    assert refused.value.status == 400


@pytest.mark.parametrize("name", ["a", "...", "a/b", "q#x ?ü%", "x" * LONGEST_NAME])
def test_name_when_it_can_then_is_itself(name):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    ("stream", "direction"),
    [("UPSTREAM", "upstream"), ("downstream", "downstream"), ("Downstream", "downstream")],
)
def test_direction_when_stream_is_spelled_anyhow_then_is_one_of_two(stream, direction):
    state = ToxicState(name="t", type="latency", stream=stream, toxicity=1.0, attributes={})
    assert state.direction == direction
