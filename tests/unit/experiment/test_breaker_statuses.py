"""The statuses that the script answers with fit what is declared."""

import pytest

from harness.experiment.breaker_statuses import failing_status, ignored_status, matches
from tests.unit.experiment.breakers import declared


@pytest.mark.parametrize(
    ("keys", "failing", "ignored"),
    [
        ({}, 500, 404),
        ({"failure": "status == 503 or timed_out"}, 503, 404),
        ({"failure": "status == 429"}, 429, 404),
        ({"failure": "cut or timed_out"}, None, 404),
        ({"ignored": "status == 409"}, 500, 409),
        ({"ignored": "status == 500"}, 503, 500),
        ({"failure": "status >= 400"}, 500, 404),
        ({"ignored": "status == 999"}, 500, None),
        ({"failure": "status >="}, None, 404),
        ({"failure": "status + 1"}, None, 404),
    ],
    ids=str,
)
def test_status_when_rules_are_declared_then_fits_its_own_before_the_other(keys, failing, ignored):
    plan = declared(**keys)
    assert (failing_status(plan), ignored_status(plan)) == (failing, ignored)


def test_rule_when_it_cannot_be_evaluated_then_matches_nothing():
    assert matches("status == 500", 500)
    assert not matches("status == 500", 404)
    assert not matches("nonsense > 1", 500)
