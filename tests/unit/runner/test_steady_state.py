"""Looks at the steady state: held, not held within the limit, recovering, and what cannot be judged."""

import pytest

from harness.expressions.parse import parse
from harness.model.errors import TargetError
from harness.model.events import SteadyStateJudged
from harness.model.units import Duration
from harness.runner.steady_state import look
from tests.support.readings import answers
from tests.support.virtual_time import run

ms = Duration.of_ms


def looked(*values: object, sources: tuple[str, ...] = ("balance == 100",)):
    events: list[SteadyStateJudged] = []
    held = run(
        look(
            [parse(source) for source in sources],
            when="before",
            read=answers(balance=values),
            limit=ms(500),
            record=events.append,
        )
    )
    return held, events


def test_look_when_all_expressions_hold_then_one_look_is_enough():
    held, events = looked(100)
    assert held
    assert [(e.held, e.final, e.values) for e in events] == [(True, True, {"balance": 100})]


def test_look_when_it_recovers_within_the_limit_then_it_held():
    held, events = looked(80, 90, 100)
    assert held
    assert [e.final for e in events] == [False, False, True]


def test_look_when_it_never_recovers_then_the_failing_expression_is_named():
    held, events = looked(80, sources=("balance >= 0", "balance == 100"))
    assert not held
    assert events[-1].final and events[-1].failing == ("balance == 100",)


def test_look_when_an_expression_is_not_plainly_true_then_it_does_not_hold():
    held, _ = looked(100, sources=("balance",))
    assert not held


def test_look_when_an_expression_cannot_be_evaluated_then_it_is_the_targets_failure():
    with pytest.raises(TargetError, match="balance"):
        looked("many", sources=("balance >= 0",))
