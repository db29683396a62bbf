"""The guardian's work in one sentence."""

import pytest

from harness.faults.guardian.told import in_words
from harness.model.events import (
    AnyEvent,
    ContainerRemoved,
    FaultNotUndone,
    FaultUndone,
    HopClosed,
    ProcessEnded,
)
from harness.model.units import Instant

UNDONE = FaultUndone(
    fault="slow", round=3, asked=Instant.of_ns(1), confirmed=Instant.of_ns(2), found=True
)
CLOSED = HopClosed(hop="db", admin="http://h:1", proxy="p", found=True)
ENDED = [
    ProcessEnded(name=name, pid=pid, exit_code=None, expected=False)
    for pid, name in enumerate(["app", "postgres", "app"])
]
REMOVED = ContainerRemoved(name="app", container="harness-app-1", found=True)
LEFT = FaultNotUndone(fault="hop x", round=0, because="-", remains="proxy x of y", command="curl")


@pytest.mark.parametrize(
    ("events", "says"),
    [
        pytest.param([], "there was nothing left of it", id="nothing"),
        pytest.param([UNDONE], "undid slow of round 3", id="one"),
        pytest.param(
            [*ENDED, UNDONE, CLOSED],
            "undid slow of round 3, closed hop db and ended app, postgres",
            id="all",
        ),
        pytest.param([REMOVED], "removed the container of app", id="container"),
        pytest.param([CLOSED, LEFT], "closed hop db and could not take back proxy x of y", id="6"),
    ],
)
def test_in_words_when_the_guardian_is_done_then_what_it_did(
    events: list[AnyEvent], says: str
) -> None:
    text = in_words(events)
    assert text.startswith("it was killed, or crashed, before it finished, and the guardian")
    assert text.endswith(f": {says}")
