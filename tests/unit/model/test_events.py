"""The union is complete, its names are past tense, and none of it can be changed afterwards."""

from typing import get_args

import pytest

from harness.model import events
from harness.model.events import AnyEvent, Event

KINDS = get_args(AnyEvent)


def test_event_when_defined_then_is_in_the_union():
    defined = {
        value
        for value in vars(events).values()
        if isinstance(value, type) and issubclass(value, Event) and value is not Event
    }
    assert defined == set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_event_when_written_then_its_tag_is_its_name_and_it_is_frozen(kind):
    config = kind.__struct_config__
    assert (config.tag_field, config.tag, config.frozen) == ("type", kind.__name__, True)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_event_when_unnumbered_then_says_so(kind):
    """n = 0 marks an event that no journal wrote."""
    defaults = dict(
        zip(reversed(kind.__struct_fields__), reversed(kind.__struct_defaults__), strict=False)
    )
    assert (defaults["n"], defaults["t"], defaults["at"]) == (0, 0, "")
