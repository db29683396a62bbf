"""What an experiment declares of a breaker: little must be there, and nothing is made up for the rest."""

import msgspec
import pytest
from hypothesis import given

from harness.model.breaker import BreakerPlan, IdCarrier
from harness.model.units import Duration, from_builtin, to_builtin
from tests.support.strategies import structs

LEAST = BreakerPlan(calls="checkout", behind="payments")


@given(structs(BreakerPlan))
def test_block_when_written_then_reads_back_as_the_same(plan):
    written = msgspec.json.encode(plan, enc_hook=to_builtin)
    assert msgspec.json.decode(written, type=BreakerPlan, dec_hook=from_builtin) == plan


@pytest.mark.parametrize("missing", ["calls", "behind"])
def test_block_when_it_lacks_what_must_be_there_then_is_refused(missing):
    whole = {"calls": "checkout", "behind": "payments"}
    del whole[missing]
    with pytest.raises(msgspec.ValidationError, match=missing):
        msgspec.convert(whole, BreakerPlan)


def test_block_when_nothing_else_was_written_then_declares_nothing_of_the_breaker():
    """None is what the judge has to infer; a default here would be taken for the user's word."""
    promises = (
        *("kind", "threshold", "share", "opens", "window", "minimum", "denominator", "open"),
        *("call_timeout", "slow", "failure", "ignored", "ignored_as", "cancellation"),
        *("stragglers", "fallback", "retries", "isolation", "key", "bulkhead", "instances"),
        *("recovers_within", "process", "bursts"),
    )
    assert {name: getattr(LEAST, name) for name in promises} == dict.fromkeys(promises)
    for part in (LEAST.trials, LEAST.rejection):
        assert {getattr(part, name) for name in part.__struct_fields__} == {None}
    assert not LEAST.no_call_timeout


def test_block_when_nothing_else_was_written_then_the_run_is_the_quick_script_by_request_id():
    assert (LEAST.script, LEAST.phases, LEAST.reaction) == ("quick", (), Duration.ZERO)
    assert LEAST.id.words == "header x-request-id"


@pytest.mark.parametrize(
    ("carrier", "words"),
    [
        (IdCarrier(name="x-trace"), "header x-trace"),
        (IdCarrier(where="query", name="rid"), "query rid"),
        (IdCarrier(where="traceparent"), "traceparent"),
        (IdCarrier(where="path"), "path"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_carrier_when_named_then_has_a_name_only_where_it_has_one(carrier, words):
    assert carrier.words == words
