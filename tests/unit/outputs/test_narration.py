"""Every event of note has a sentence; what comes by the hundred has none."""

import typing

import pytest
from hypothesis import given
from syrupy.assertion import SnapshotAssertion

from harness.model.events import (
    AnyEvent,
    ContainerIntended,
    ContainerRemoved,
    ContainerStarted,
    FaultUndone,
    HopClosed,
    HopIntended,
    HopOpened,
    PhaseEntered,
    PhaseLeft,
    Prepared,
    ProcessEnded,
    ProcessIntended,
    ProcessStarted,
    RoundsCutShort,
    ServiceReady,
    SteadyStateJudged,
)
from harness.model.outcomes import Acknowledged
from harness.model.units import Duration, Instant
from harness.outputs.narration import sentence
from tests.support.journals import a_run
from tests.support.strategies import structs


def test_sentence_when_a_run_goes_its_course_then_the_story_can_be_followed(
    snapshot: SnapshotAssertion,
) -> None:
    now = Instant.of_ns(1)
    events: list[AnyEvent] = [
        ProcessIntended(name="app", argv=("uvicorn", "bank.app:app")),
        ProcessStarted(name="app", pid=7, pgid=7, created=1.0),
        ServiceReady(name="app", address="127.0.0.1:3", after=Duration.of_ms(300)),
        HopIntended(hop="db", admin="http://127.0.0.1:8474", proxy="db"),
        HopOpened(
            hop="db",
            admin="http://127.0.0.1:8474",
            proxy="db",
            listen="127.0.0.1:1",
            upstream="127.0.0.1:2",
            observed="before",
        ),
        Prepared(operation="login", status=200, outcome=Acknowledged(), captured=("token",)),
        *a_run(1),
        SteadyStateJudged(
            when="after",
            held=False,
            failing=("balance == 100",),
            values={"balance": 80},
            final=False,
        ),
        FaultUndone(
            fault="latency@db", round=1, asked=now, confirmed=now, found=False, by="guardian"
        ),
        HopClosed(hop="db", admin="http://127.0.0.1:8474", proxy="db", found=False),
        ProcessEnded(name="app", pid=7, exit_code=0, expected=True),
        ProcessEnded(name="app", pid=7, exit_code=3, expected=False),
        RoundsCutShort(rounds=6, broken=5),
        ContainerIntended(name="app", container="bank-app-1", image="bank-app"),
        ContainerStarted(name="app", container="bank-app-1", id="c0ffee"),
        ContainerRemoved(name="app", container="bank-app-1", found=True),
        ContainerRemoved(name="app", container="bank-app-1", found=False),
    ]
    assert "\n".join(filter(None, map(sentence, events))) == snapshot


@pytest.mark.parametrize("kind", typing.get_args(AnyEvent), ids=lambda kind: kind.__name__)
def test_sentence_when_given_any_event_then_it_knows_it(kind: type) -> None:
    @given(structs(kind))
    def known(event: AnyEvent) -> None:
        assert isinstance(sentence(event), str)

    known()


@pytest.mark.parametrize(
    ("event", "said"),
    [
        pytest.param(
            PhaseEntered(phase="baseline", number=1, name="baseline", rate=100, planned=200),
            "phase baseline: 200 calls at 100/s",
            id="calls-at-a-rate",
        ),
        pytest.param(
            PhaseEntered(phase="outage-status", number=5, name="outage", rate=80, fault="status"),
            "phase outage-status: at 80/s, status",
            id="with-a-fault",
        ),
        pytest.param(
            PhaseEntered(phase="burst-good#2", number=8, name="burst-good", callers=100),
            "phase burst-good#2: 100 at once",
            id="at-once",
        ),
        pytest.param(
            PhaseEntered(phase="hung-trial", number=10, name="hung-trial"),
            "phase hung-trial",
            id="nothing-to-say",
        ),
        pytest.param(PhaseLeft(phase="heal"), "phase heal: over", id="over"),
        pytest.param(
            PhaseLeft(phase="slow", reached=False, why="no 20 good calls in a row"),
            "phase slow: not reached: no 20 good calls in a row",
            id="not-reached",
        ),
    ],
)
def test_sentence_when_a_phase_begins_or_ends_then_is_one_short_line(
    event: AnyEvent, said: str
) -> None:
    assert sentence(event) == said
