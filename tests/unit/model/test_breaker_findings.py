"""What is said of a breaker: needs in words, and an object that reads back from ``result.json``."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.breaker_findings import BREAKER_SCHEMA, BreakerFinding, BreakerResult, Need
from harness.model.units import from_builtin, to_builtin
from tests.support.strategies import structs


@pytest.mark.parametrize("kind", [BreakerResult, BreakerFinding], ids=lambda kind: kind.__name__)
def test_object_when_written_then_reads_back_as_the_same(kind):
    @given(structs(kind))
    def holds(value):
        written = msgspec.json.encode(value, enc_hook=to_builtin)
        assert msgspec.json.decode(written, type=kind, dec_hook=from_builtin) == value

    holds()


def test_result_when_written_then_says_which_schema_it_has():
    defaults = dict(
        zip(
            reversed(BreakerResult.__struct_fields__),
            reversed(BreakerResult.__struct_defaults__),
            strict=False,
        )
    )
    assert (defaults["schema"], defaults["error"], defaults["cases"]) == (
        BREAKER_SCHEMA,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("need", "met", "words"),
    [
        (Need(what="windows", had=2, at_least=5), False, "2 of 5 windows"),
        (Need(what="windows", had=5, at_least=5), True, "5 of 5 windows"),
        (
            Need(what="seconds of outage", had=0.95, at_least=3),
            False,
            "0.95 of 3 seconds of outage",
        ),
        (
            Need(what="spread / latency", had=0.75, at_most=0.25),
            False,
            "spread / latency is 0.75, at most 0.25",
        ),
        (
            Need(what="spread / latency", had=0.25, at_most=0.25),
            True,
            "spread / latency is 0.25, at most 0.25",
        ),
        (Need(what="lost calls", had=1, at_most=0), False, "lost calls is 1, at most 0"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_need_when_said_then_names_what_was_had_and_what_was_asked(need, met, words):
    assert (need.met, need.words) == (met, words)


@given(had=st.integers(0, 100), bound=st.integers(0, 100))
def test_need_when_bounded_then_is_met_on_its_own_side_of_the_bound_and_upon_it(had, bound):
    assert Need(what="calls", had=had, at_least=bound).met == (had >= bound)
    assert Need(what="calls", had=had, at_most=bound).met == (had <= bound)
    assert Need(what="calls", had=had).met


@pytest.mark.parametrize("verdict", ["error", "aborted", "HELD", ""])
def test_finding_when_its_verdict_is_none_of_the_four_then_is_refused(verdict):
    finding = BreakerFinding(
        id="BRK-01", name="", verdict="held", severity="minor", condition="", summary=""
    )
    written = msgspec.json.encode(finding).replace(
        b'"verdict":"held"', b'"verdict":"%b"' % verdict.encode()
    )
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(written, type=BreakerFinding)
