import pytest

from harness.expressions.values import EvaluationProblem
from harness.judge.effects import Tries, effects_of, keys_in, listed_before, tries_of
from harness.judge.evidence import Lack, Reading
from harness.model.events import ProbeRead
from tests.unit.judge.rounds import a_call, at_the_end, evidence, read

CALLS = (a_call(1, key="a"), a_call(2, key="b"))


def effects(listed, before=(), calls=CALLS):
    start, end = at_the_end(listed, before=list(before), probe="keys")
    return effects_of(evidence((start, end), calls), "pay", start, end)


def test_tries_when_of_one_key_then_are_counted_together():
    calls = [a_call(1, key="a"), a_call(2, "rejected", key="a"), a_call(3, None, key="a")]
    assert tries_of(calls, "pay") == {"a": Tries(acknowledged=1, unknown=1, rejected=1)}


def test_tries_when_another_operation_had_the_key_then_are_counted_with_them():
    calls = [
        a_call(1, "rejected", key="a"),
        a_call(2, key="a", operation="refund"),
        a_call(3, "unknown", key="a", operation="refund"),
        a_call(4, key="b", operation="refund"),
    ]
    (tries,) = tries_of(calls, "pay").values()
    assert tries == Tries(acknowledged=0, unknown=1, rejected=1, elsewhere=1)
    assert (tries.most, tries.shared) == (1, False)


def test_tries_when_none_may_have_an_effect_then_may_have_none_together():
    def most(*outcomes):
        calls = [a_call(op, each, key="a") for op, each in enumerate(outcomes)]
        return tries_of(calls, "pay")["a"].most

    assert most("rejected", "rejected") == 0
    assert most("rejected", "unknown") == 1
    assert most("acknowledged", "acknowledged") == 1


def test_effects_when_rows_were_there_before_then_only_the_new_ones_count():
    found = effects(["seed", "a", "seed", "a"], before=["seed"])
    assert found.listed == {"seed": 1, "a": 2}


def test_effects_when_the_probe_gave_nothing_before_then_all_are_new():
    start, end = at_the_end(["a"], before=None, probe="keys")
    assert effects_of(evidence((start, end), CALLS), "pay", start, end).listed == {"a": 1}


def test_effects_when_rows_of_the_reset_are_gone_then_that_is_nobodys_effect():
    assert effects(["a"], before=["seed"]).listed == {"a": 1}


def test_effects_when_nothing_was_sent_then_are_counted_all_the_same():
    assert effects(["x"], calls=()).listed == {"x": 1}


def test_before_when_read_twice_then_the_last_reading_before_the_first_request_counts():
    first, second, late = (
        read([n], at, at + 1, purpose="reset", probe="keys")
        for n, at in ((1, 10), (2, 20), (3, 150))
    )
    assert listed_before(evidence((first, second, late), CALLS), "keys") is second
    assert isinstance(listed_before(evidence((late,), CALLS), "keys"), Lack)
    assert isinstance(listed_before(evidence((first,), CALLS), "others"), Lack)


def test_before_when_the_journal_hides_it_then_is_not_known():
    shown = read(["•••"], 10, 11, purpose="reset", probe="keys")
    hidden = Reading.of(
        ProbeRead(
            probe="keys",
            purpose="reset",
            round=1,
            asked=shown.asked,
            answered=shown.answered,
            value=["•••"],
            hidden=True,
        )
    )
    found = listed_before(evidence((hidden,), CALLS), "keys")
    assert isinstance(found, Lack)
    assert found.short == "reading hidden"


def test_keys_when_listed_then_are_texts():
    assert keys_in(["a", 1, 1.0, 2.5, True, None, "1"]) == {
        "a": 1,
        "1": 3,
        "2.5": 1,
        "true": 1,
        None: 1,
    }


@pytest.mark.parametrize("value", [pytest.param("abc", id="text"), pytest.param({}, id="map")])
def test_keys_when_no_list_then_are_refused(value):
    with pytest.raises(EvaluationProblem, match="a list of keys is needed"):
        keys_in(value)
