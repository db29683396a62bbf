"""Each check by itself; whole journals with each contradiction are in ``test_fold.py``."""

import pytest

from harness.judge.contradictions import (
    check_call,
    check_confirmed,
    check_offered,
    check_reading,
    check_released,
    check_requests,
    check_seen,
    check_settled,
)
from harness.judge.evidence import Call, Reading, RoundEvidence
from harness.model.events import (
    ArrivalsFinished,
    ArrivalsStarted,
    BurstReleased,
    FaultApplied,
    FaultSeen,
    OperationReturned,
    Settled,
)
from harness.model.outcomes import Acknowledged, Unknown
from harness.model.units import Duration
from tests.support.journals import a_reading, at

CALL = Call(op=1, operation="w", burst="b", sent=at(10))


def said(check, *arguments):
    sentences = []
    check(*arguments, sentences.append)
    return sentences


def returned(**changed):
    fields = {
        "op": 1,
        "operation": "w",
        "round": 1,
        "status": 200,
        "outcome": Acknowledged(),
        "first": at(20),
        "last": at(21),
    }
    return OperationReturned(**{**fields, **changed})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param({}, [], id="sound"),
        pytest.param({"first": at(10), "last": at(10)}, [], id="at the very moment"),
        pytest.param({"first": at(9)}, ["answered before it was sent"], id="too early"),
        pytest.param({"last": at(19)}, ["ended before it began"], id="last before first"),
        pytest.param({"operation": "v"}, ["answered as v"], id="another operation"),
        pytest.param(
            {"first": None, "last": at(9), "outcome": Unknown(because="cut")},
            ["ended before it began"],
            id="cut before it was sent",
        ),
    ],
)
def test_call_when_it_contradicts_itself_then_is_reported(changed, words):
    sentences = said(check_call, CALL, returned(**changed))
    assert len(sentences) == len(words)
    assert all(word in sentence for word, sentence in zip(words, sentences, strict=True))


def test_call_when_acknowledged_without_an_answer_then_is_reported():
    call = Call(op=1, operation="w", burst="b", sent=at(10), outcome="acknowledged")
    assert said(check_call, call, returned(first=None)) == [
        "operation 1 (w) is acknowledged without an answer"
    ]


def test_reading_when_answered_before_asked_then_is_reported():
    sound = a_reading(1, purpose="always", round=1, asked=at(5))
    odd = a_reading(1, purpose="always", round=1, asked=at(5), answered=at(4))
    assert said(check_reading, sound) == []
    assert said(check_reading, odd) == ["probe balance was answered before it was asked"]


def test_burst_when_it_ends_before_it_begins_then_is_reported():
    event = BurstReleased(round=1, burst="b", requests=1, first=at(5), last=at(4))
    assert said(check_released, event) == ["burst b of round 1 ended before it began"]


def test_burst_when_requests_are_not_known_then_is_reported():
    event = BurstReleased(round=1, burst="b", requests=2, first=at(4), last=at(5))
    assert said(check_requests, event, [CALL, CALL]) == []
    assert said(check_requests, event, [CALL]) == [
        "burst b of round 1 had 2 requests, and only 1 of them are known"
    ]


def test_fault_when_confirmed_before_asked_for_then_is_reported():
    event = FaultApplied(fault="f", round=1, asked=at(5), confirmed=at(4))
    assert said(check_confirmed, event) == [
        "fault f of round 1 was confirmed before it was asked for"
    ]


@pytest.mark.parametrize(
    ("hit", "missed", "reported"),
    [
        pytest.param(12, 0, 0, id="all hit"),
        pytest.param(13, 0, 1, id="more hit than there were"),
        pytest.param(0, 13, 1, id="more missed than there were"),
        pytest.param(-1, 0, 1, id="fewer than none"),
    ],
)
def test_fault_when_seen_more_often_than_looked_at_then_is_reported(hit, missed, reported):
    event = FaultSeen(
        fault="f", round=1, messages=12, hit=hit, missed=missed, median=None, summary=""
    )
    assert len(said(check_seen, event)) == reported


def settled_round(*, last, asked, finished=True):
    return RoundEvidence(
        round=1,
        finished=finished,
        calls=(Call(op=1, operation="w", burst="b", sent=at(10), last=last),),
        readings=(Reading.of(a_reading(1, purpose="at-end", round=1, asked=at(asked))),),
        settled=Settled(round=1, after=Duration.of_ms(1)),
        never_settled=None,
        lacks=(),
        tainted=None,
        overlaps={},
        hop_overlaps={},
        spreads={},
    )


@pytest.mark.parametrize(
    ("evidence", "reported"),
    [
        pytest.param(settled_round(last=at(20), asked=20), 0, id="sound"),
        pytest.param(settled_round(last=None, asked=20), 1, id="never ended"),
        pytest.param(settled_round(last=at(21), asked=20), 1, id="ended after the reading"),
        pytest.param(settled_round(last=None, asked=20, finished=False), 0, id="broken off"),
    ],
)
def test_round_when_it_settled_then_all_requests_had_ended_before_the_state_was_read(
    evidence, reported
):
    assert len(said(check_settled, evidence)) == reported


def offered(sent=2, dropped=1):
    return ArrivalsFinished(
        round=1,
        step="b",
        sent=sent,
        dropped=dropped,
        late_p99=Duration.ZERO,
        late_max=Duration.ZERO,
        most=2,
        cap=3,
    )


@pytest.mark.parametrize(
    ("event", "planned", "words"),
    [
        pytest.param(offered(), 3, [], id="sound"),
        pytest.param(offered(dropped=0), 3, [], id="ended early"),
        pytest.param(
            offered(), 2, ["2 requests were planned, 2 sent and 1 dropped"], id="too many"
        ),
        pytest.param(
            offered(), None, ["came to their end without having begun"], id="no beginning"
        ),
        pytest.param(offered(sent=3, dropped=0), 3, ["3 requests were sent, and 2"], id="unknown"),
        pytest.param(offered(sent=1), 3, ["1 requests were sent, and 2"], id="one too many"),
    ],
)
def test_arrivals_when_their_numbers_do_not_fit_then_says_which(event, planned, words):
    calls = [CALL, CALL, Call(op=3, operation="w", burst="other", sent=at(1))]
    started = (
        None
        if planned is None
        else ArrivalsStarted(round=1, step="b", planned=planned, rate=5, first=at(0))
    )
    sentences = said(check_offered, event, started, calls)
    assert len(sentences) == len(words)
    assert all(word in sentence for word, sentence in zip(words, sentences, strict=True))
