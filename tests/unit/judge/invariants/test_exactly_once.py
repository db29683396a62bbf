from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.evidence import Lack
from harness.judge.invariants.exactly_once import ExactlyOnce
from harness.judge.judges import InvariantJudges
from tests.unit.judge.rounds import (
    LACK,
    TAINTED,
    a_call,
    an_invariant,
    at_the_end,
    evidence,
    holds,
    read,
)

PLAN = an_invariant("exactly_once", "pay", "keys", keys="keys")


def judged(listed, calls, *, before=(), **changes):
    """``calls`` are (key, outcome) of ``pay``; ``listed`` is what the probe gives at the end."""
    sent = [a_call(op, outcome, key=key) for op, (key, outcome) in enumerate(calls, 1)]
    readings = at_the_end(listed, before=list(before), probe="keys")
    return ExactlyOnce(PLAN).judge(evidence(readings, sent, **changes))


def told(judgement):
    return judgement.broken.counterexample.summary


def test_round_when_each_acknowledged_key_is_listed_once_then_counts_as_holding():
    judgement = judged(["a", "b"], [("a", "acknowledged"), ("b", "acknowledged")])
    assert holds(judgement)
    assert judgement.readings == 1


def test_round_when_an_acknowledged_key_is_missing_then_is_broken_and_names_it():
    judgement = judged(["a"], [("a", "acknowledged"), ("b", "acknowledged")])
    assert told(judgement) == "round 1: 1 of 2 acknowledged pay took no effect: b"
    assert judgement.broken.counterexample.values["missing"] == ["b"]


def test_round_when_a_key_is_listed_twice_then_is_broken_and_names_it():
    judgement = judged(["a", "b", "a"], [("a", "acknowledged"), ("b", "acknowledged")])
    assert told(judgement) == "round 1: 1 pay took effect more than once: a 2 times"
    assert judgement.broken.counterexample.values["repeated"] == [{"key": "a", "times": 2}]


def test_round_when_a_rejected_key_is_listed_then_is_broken_and_names_it():
    judgement = judged(["a", "b"], [("a", "acknowledged"), ("b", "rejected")])
    assert told(judgement) == "round 1: 1 rejected pay took effect: b"


def test_round_when_a_key_is_listed_that_nobody_sent_then_is_broken_and_names_it():
    judgement = judged(["a", "x"], [("a", "acknowledged")])
    assert told(judgement) == "round 1: 1 effect that nobody asked for: x"


def test_round_when_a_nameless_effect_came_then_is_broken():
    judgement = judged(["a", None], [("a", "acknowledged")], before=[])
    assert told(judgement) == "round 1: 1 effect without a key"


def test_round_when_much_is_wrong_then_all_of_it_is_told():
    calls = [(key, "acknowledged") for key in "abcdefgh"]
    judgement = judged(["h", "h", "x", "y"], calls)
    assert told(judgement) == (
        "round 1: 7 of 8 acknowledged pay took no effect: a, b, c, d, e and 2 more; "
        "1 pay took effect more than once: h 2 times; 2 effects that nobody asked for: x, y"
    )
    assert judgement.broken.distance == 10


@pytest.mark.parametrize(
    ("outcomes", "times", "broken"),
    [
        pytest.param(("acknowledged", "unknown"), 1, False, id="acknowledged-beside-unknown-once"),
        pytest.param(("acknowledged", "unknown"), 0, True, id="acknowledged-beside-unknown-never"),
        pytest.param(("acknowledged", "unknown"), 2, True, id="acknowledged-beside-unknown-twice"),
        pytest.param(("acknowledged", "rejected"), 1, False, id="acknowledged-beside-rejected"),
        pytest.param(("acknowledged", "acknowledged"), 1, False, id="acknowledged-twice"),
        pytest.param(("unknown",), 0, False, id="unknown-never"),
        pytest.param(("unknown",), 1, False, id="unknown-once"),
        pytest.param(("unknown",), 2, True, id="unknown-twice"),
        pytest.param(("unknown", "unknown"), 2, True, id="both-unknown-twice"),
        pytest.param(("unknown", "rejected"), 1, False, id="unknown-beside-rejected"),
        pytest.param(("rejected",), 0, False, id="rejected-never"),
        pytest.param(("rejected", "rejected"), 1, True, id="rejected-once"),
        pytest.param((None,), 1, False, id="never-returned-once"),
        pytest.param((None,), 2, True, id="never-returned-twice"),
    ],
)
def test_key_when_its_tries_ended_so_then_may_be_listed_so_often(outcomes, times, broken):
    calls = [("z", "acknowledged"), *(("k", outcome) for outcome in outcomes)]
    assert (judged(["z", *["k"] * times], calls).broken is not None) is broken


keys = st.sampled_from(["a", "b", "c", "d"])
outcomes = st.sampled_from(["acknowledged", "rejected", "unknown"])


@given(
    st.lists(st.tuples(keys, outcomes), min_size=1, max_size=6),
    st.lists(st.sampled_from(["a", "b", "c", "d", "x"]), max_size=6),
    st.lists(st.sampled_from(["old", "older"]), max_size=3),
)
def test_round_when_compared_with_every_fate_of_the_unknown_then_agrees(calls, effects, before):
    """Naive: some choice of an effect or none for each try gives this list, at most one a key."""
    judgement = judged([*before, *effects], calls, before=before)
    sent = {key for key, _ in calls}
    if effects and not sent & set(effects):
        assert judgement.lack.short == "no key in common"
        return
    possible = [
        {1} if ("acknowledged" in ends) else {0, 1} if "unknown" in ends else {0}
        for ends in ({o for k, o in calls if k == key} for key in sorted(sent))
    ]
    found = Counter(effects)
    fits = all(found[key] in times for key, times in zip(sorted(sent), possible, strict=True))
    assert (judgement.broken is None) is (fits and set(effects) <= sent)
    power = any(outcome == "acknowledged" for _, outcome in calls)
    assert judgement.counts is (power or judgement.broken is not None)


def test_keys_when_written_otherwise_then_are_compared_as_text():
    calls = [("1", "acknowledged"), ("true", "acknowledged"), ("2.5", "acknowledged")]
    assert holds(judged([1, True, 2.5], calls))
    assert holds(judged([1.0, True, "2.5"], calls))


def test_effects_when_there_before_then_are_nobodys():
    assert holds(judged(["seed", "a", "seed"], [("a", "acknowledged")], before=["seed", "seed"]))
    judgement = judged(["seed", "a", "seed"], [("a", "acknowledged")], before=["seed"])
    assert told(judgement) == "round 1: 1 effect that nobody asked for: seed"


def test_key_when_there_before_it_was_sent_then_nobody_can_say():
    lack = judged(["a"], [("a", "acknowledged")], before=["a"]).lack
    assert lack.detail == (
        "probe keys listed a before pay was sent with it; does the reset clear what it lists?"
    )
    assert lack.withheld


def test_list_when_it_shares_no_key_with_what_was_sent_then_nobody_can_say():
    judgement = judged(["#1", "#2"], [("a", "acknowledged"), ("b", "acknowledged")])
    assert judgement.broken is None
    assert "lists #1, #2, and pay was sent with a, b; does `key:`" in judgement.lack.detail
    assert judgement.lack.withheld


def test_list_when_empty_and_keys_were_declared_then_every_effect_is_missing():
    judgement = judged([], [("a", "acknowledged"), ("b", "acknowledged")])
    assert told(judgement) == "round 1: 2 of 2 acknowledged pay took no effect: a, b"


def test_operation_when_it_has_no_key_of_its_own_then_goes_by_the_id_of_each_request():
    calls = [(None, "acknowledged"), (None, "acknowledged")]
    assert holds(judged(["r1", "r2"], calls))
    assert told(judged(["r1"], calls)) == "round 1: 1 of 2 acknowledged pay took no effect: r2"


def test_operation_when_no_id_of_its_requests_is_listed_then_nobody_can_say():
    lack = judged([], [(None, "acknowledged"), (None, "acknowledged")]).lack
    assert "pay has no `key:`, and none of its requests' ids (such as r1) is in" in lack.detail
    assert lack.withheld


def test_effects_when_of_another_operation_of_the_round_then_are_its_own():
    calls = [
        a_call(1, key="a"),
        a_call(2, key="b", operation="refund"),
    ]
    readings = at_the_end(["a", "b", "b", None], before=[], probe="keys")
    assert holds(ExactlyOnce(PLAN).judge(evidence(readings, calls)))


def shared(listed, *outcomes):
    """``outcomes`` are those of ``pay`` and of ``refund`` with the key k; another ``pay`` is right."""
    calls = [a_call(1, key="z")] + [
        a_call(op, outcome, key="k", operation=operation)
        for op, (operation, outcome) in enumerate(zip(("pay", "refund"), outcomes, strict=True), 2)
    ]
    readings = at_the_end(["z", *listed], before=[], probe="keys")
    return ExactlyOnce(PLAN).judge(evidence(readings, calls))


@pytest.mark.parametrize(
    ("outcomes", "times", "broken"),
    [
        pytest.param(("rejected", "acknowledged"), 1, False, id="the-other-did-it"),
        pytest.param(("rejected", "acknowledged"), 0, False, id="the-other-s-to-lose"),
        pytest.param(("rejected", "acknowledged"), 2, True, id="twice-all-the-same"),
        pytest.param(("rejected", "unknown"), 1, False, id="the-other-may-have-done-it"),
        pytest.param(("rejected", "rejected"), 1, True, id="neither-may-have"),
        pytest.param(("acknowledged", "rejected"), 0, True, id="its-own-to-lose"),
        pytest.param(("unknown", "acknowledged"), 1, False, id="either"),
    ],
)
def test_key_when_another_operation_had_it_then_its_tries_count_too(outcomes, times, broken):
    judgement = shared(["k"] * times, *outcomes)
    assert (judgement.broken is not None) is broken
    assert judgement.counts


@pytest.mark.parametrize("times", [1, 2])
def test_key_when_acknowledged_to_two_operations_then_nobody_can_say_whose_effect_it_is(times):
    judgement = shared(["k"] * times, "acknowledged", "acknowledged")
    assert judgement.broken is None
    assert (judgement.lack.short, judgement.lack.withheld) == (
        "key acknowledged by two operations",
        True,
    )
    assert judgement.lack.detail.startswith("k was acknowledged to pay and to another operation")


def test_key_when_acknowledged_to_two_operations_and_never_listed_then_is_broken():
    assert told(shared([], "acknowledged", "acknowledged")) == (
        "round 1: 1 of 2 acknowledged pay took no effect: k"
    )


def test_list_when_null_then_is_one_without_keys():
    assert told(judged(None, [("a", "acknowledged")])) == (
        "round 1: 1 of 1 acknowledged pay took no effect: a"
    )
    assert judged(None, [("a", "rejected")]).error is None


def test_round_when_nothing_was_acknowledged_then_shows_nothing():
    judgement = judged([], [("a", "rejected"), ("b", "unknown")])
    assert judgement.lack.detail == "no pay was acknowledged, so none had to take effect"


def test_round_when_it_lacks_something_then_a_doubled_effect_still_stands():
    judgement = judged(["a", "a"], [("a", "acknowledged")], lacks=(LACK,))
    assert (judgement.broken is not None, judgement.lack) == (True, LACK)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"tainted": TAINTED}, id="tainted"),
        pytest.param({"finished": False}, id="broken-off"),
        pytest.param({"settled": None}, id="not-settled"),
    ],
)
def test_round_when_its_end_is_not_known_then_is_never_broken(changes):
    judgement = judged(["a", "a"], [("a", "acknowledged")], **changes)
    assert judgement.broken is None
    assert not judgement.counts


def test_round_when_effects_of_an_earlier_one_may_land_in_it_then_is_not_blamed():
    late = Lack(short="late effects of an earlier round", detail="d", withheld=True)
    calls = [a_call(1, key="a"), a_call(2, key="b")]
    readings = at_the_end(["a", "b", "x"], before=[], probe="keys")
    judges = InvariantJudges([PLAN], {"exactly_once": ExactlyOnce})
    said = judges.judge(evidence(readings, calls, late=late))["promise"]
    assert (said.broken, said.lack) == (None, late)


def test_list_when_never_read_before_the_first_request_then_puts_the_run_in_doubt():
    calls = [a_call(1, key="a")]
    only_after = (read(["a"], 300, 301, purpose="at-end", probe="keys"),)
    too_late = (read([], 150, 151, purpose="reset", probe="keys"), *only_after)
    for readings in (only_after, too_late):
        lack = ExactlyOnce(PLAN).judge(evidence(readings, calls)).lack
        assert (lack.short, lack.withheld) == ("not read before", True)


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        pytest.param(7, "it is 7, and a list of keys is needed", id="number"),
        pytest.param([["a"]], "it lists a list, which is no key", id="list"),
        pytest.param([{"k": 1}], "it lists a map, which is no key", id="map"),
    ],
)
def test_probe_when_it_gives_no_keys_then_is_an_error(listed, words):
    error = judged(listed, [("a", "acknowledged")]).error
    assert error == f"probe keys gave no keys in round 1: {words}"


def test_counterexample_when_made_then_holds_every_key_that_is_wrong():
    judgement = judged(
        ["a", "a", "c", "x"], [("a", "unknown"), ("b", "acknowledged"), ("c", "rejected")]
    )
    values = judgement.broken.counterexample.values
    readings = values.pop("readings")
    assert values == {
        "round": 1,
        "operation": "pay",
        "missing": ["b"],
        "repeated": [{"key": "a", "times": 2}],
        "rejected": ["c"],
        "unasked": ["x"],
        "nameless": 0,
    }
    assert [each["probe"] for each in readings] == ["keys"]
    assert judgement.broken.unknown == 1


def test_finding_when_held_then_tells_the_chance_that_would_have_shown():
    kind = ExactlyOnce(PLAN)
    readings = at_the_end(["a", "b"], before=[], probe="keys")
    calls = [a_call(1, key="a"), a_call(2, key="b")]
    finding = kind.finding([kind.judge(evidence(readings, calls)) for _ in range(20)])
    assert finding.summary.startswith("held in 20 rounds: a race with a chance of 14 % or more")
