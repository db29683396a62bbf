"""The strategies cover every event and every type a field may have."""

from typing import get_args

import pytest
from hypothesis import Phase, find, given, settings

from harness.model.events import AnyEvent
from tests.support import strategies

FIRST = settings(max_examples=1, phases=[Phase.generate], database=None)


@pytest.mark.parametrize("kind", get_args(AnyEvent), ids=lambda kind: kind.__name__)
def test_event_when_drawn_then_is_of_its_kind(kind):
    assert isinstance(find(strategies.structs(kind), lambda _: True, settings=FIRST), kind)


@given(strategies.of_type(tuple[int, ...] | None))
def test_type_when_a_union_then_only_its_members_are_drawn(value):
    assert value is None or all(isinstance(item, int) for item in value)


def test_type_when_unheard_of_then_is_refused_and_not_guessed():
    with pytest.raises(TypeError, match="no strategy for"):
        strategies.of_type(bytes)
