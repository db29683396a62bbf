import pytest
from msgspec.structs import replace

from harness.judge.collect import RoundCollector, word_of
from harness.judge.evidence import Lack
from harness.model.events import (
    ArrivalsFinished,
    ArrivalsStarted,
    BurstReleased,
    HopRequestArrived,
    HopRequestEnded,
    OperationReturned,
    OperationSent,
    ProbeRead,
    ResetDone,
    RoundFinished,
    RoundStarted,
    Settled,
)
from harness.model.outcomes import Acknowledged, Rejected, Unknown
from harness.model.units import Duration
from tests.support.journals import (
    BURST,
    LATENCY,
    a,
    a_burst,
    a_plan,
    a_reading,
    a_round,
    an_arrivals_step,
    arriving,
    at,
    changed,
    without,
)

ARRIVALS = a_plan(method=(LATENCY, an_arrivals_step()))


def collected(events, *, reset=True, tainted=None, plan=None):
    said = []
    collector = RoundCollector(1, plan or a_plan(), reset=reset, tainted=tainted)
    for event in events:
        if not isinstance(event, ResetDone | RoundStarted | RoundFinished):
            collector.take(event, said.append)
    return collector, said


def test_outcome_when_named_then_has_one_word():
    assert [word_of(each) for each in (Acknowledged(), Rejected(), Unknown(because="b"))] == [
        "acknowledged",
        "rejected",
        "unknown",
    ]


def test_round_when_whole_then_lacks_nothing():
    collector, said = collected(a_round(1))
    evidence = collector.evidence(finished=True)
    collector.check_whole(said.append)
    assert (said, evidence.lacks, evidence.tainted) == ([], (), None)
    assert evidence.overlaps == {BURST: 5}
    assert evidence.hop_overlaps == {"db": 5}
    assert evidence.spreads == {BURST: Duration.of_ns(400_000)}
    assert collector.taints_the_next() is None


def test_round_when_its_requests_arrive_at_a_rate_then_counts_like_a_burst_s():
    collector, said = collected(arriving(a_round(1)), plan=ARRIVALS)
    evidence = collector.evidence(finished=True)
    collector.check_whole(said.append)
    assert (said, evidence.lacks, evidence.tainted) == ([], (), None)
    assert evidence.overlaps == {BURST: 5}
    assert evidence.spreads == {}


def test_round_when_arrivals_never_overlap_then_does_not_count():
    collector, _ = collected(arriving(a_round(1, overlapping=False), rate=5), plan=ARRIVALS)
    assert [lack.short for lack in collector.evidence(finished=True).lacks] == ["overlap under 2"]


def test_round_when_arrivals_are_the_background_of_a_burst_then_they_need_not_overlap():
    background = an_arrivals_step(rate=1)
    plan = a_plan(method=(LATENCY, replace(background, id="look"), a_burst()))
    look = arriving(a_round(1, outcomes=("acknowledged",)), rate=1)
    look = changed(look, a(OperationSent), burst="look", op=1)
    look = changed(look, a(OperationReturned), op=1)
    look = changed(look, lambda each: hasattr(each, "step"), step="look")
    kinds = ArrivalsStarted | ArrivalsFinished | OperationSent | OperationReturned
    events = [*(each for each in look if isinstance(each, kinds)), *a_round(1)]
    collector, said = collected(events, plan=plan)
    evidence = collector.evidence(finished=True)
    assert said == []
    assert evidence.overlaps == {"look": 1, BURST: 5}
    assert evidence.lacks == ()


def test_arrivals_when_late_or_dropped_then_the_round_does_not_count():
    collector, said = collected(arriving(a_round(1), dropped=3, late=50), plan=ARRIVALS)
    lacks = collector.evidence(finished=True).lacks
    assert said == []
    assert [lack.short for lack in lacks] == ["load dropped at the cap", "load sent late"]
    assert "sent 62 % of what was planned" in lacks[0].detail


def test_arrivals_when_their_end_is_not_known_then_taints_a_finished_round():
    events = without(arriving(a_round(1)), a(ArrivalsFinished))
    collector, _ = collected(events, plan=ARRIVALS)
    assert collector.evidence(finished=True).tainted.short == "no arrivals"


def test_readings_when_for_settling_then_are_not_kept():
    collector, _ = collected(a_round(1))
    purposes = {reading.purpose for reading in collector.evidence(finished=True).readings}
    assert purposes == {"always", "at-end"}


def test_reading_when_before_the_first_request_then_is_kept():
    before = a_reading([], purpose="reset", round=1, asked=at(10_001), probe="keys")
    collector, _ = collected([before, *a_round(1)])
    first = collector.evidence(finished=True).readings[0]
    assert (first.probe, first.purpose) == ("keys", "reset")


def test_call_when_sent_then_has_the_name_of_its_effect():
    keyed = changed(a_round(1), a(OperationSent, op=1_003), key="k3")
    calls = collected(keyed)[0].evidence(finished=True).calls
    assert [call.effect for call in calls] == ["1-0", "1-1", "1-2", "k3", "1-4"]


def test_turn_when_it_began_in_an_earlier_round_then_is_left_out():
    collector, said = collected(without(a_round(1), a(HopRequestArrived, conn=0)))
    assert said == []
    assert collector.evidence(finished=True).hop_overlaps == {"db": 4}


def test_round_when_not_reset_then_is_tainted_unless_marked_before_anything_is_sent():
    collector, _ = collected([], reset=False)
    assert collector.evidence(finished=True).tainted.short == "no reset"
    collector.mark_reset()
    assert collector.evidence(finished=False).tainted is None


def test_reset_when_requests_are_under_way_then_does_not_count():
    collector, _ = collected(a_round(1), reset=False)
    collector.mark_reset()
    assert collector.evidence(finished=True).tainted.short == "no reset"


def test_burst_when_never_released_then_taints_a_finished_round():
    collector, _ = collected(without(a_round(1), a(BurstReleased)))
    assert collector.evidence(finished=True).tainted.short == "no burst"
    assert collector.evidence(finished=False).tainted is None


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        pytest.param(a(OperationReturned, op=1_002), "1 requests of round 1", id="in flight"),
        pytest.param(a(Settled), "round 1 had not settled", id="not settled"),
    ],
)
def test_round_when_something_still_moves_then_taints_the_next(gone, words):
    collector, _ = collected(without(a_round(1), gone))
    assert words in collector.taints_the_next().detail


def test_round_when_tainted_by_an_earlier_one_then_says_so():
    lack = Lack(short="s", detail="d")
    collector, _ = collected(a_round(1), tainted=lack)
    assert collector.evidence(finished=True).tainted is lack


def test_readings_when_taken_then_keep_their_order():
    events = a_round(1, during=(100, 70, 60))
    collector, _ = collected(events)
    values = [each.value for each in collector.evidence(finished=True).readings]
    assert values == [
        each.value
        for each in events
        if isinstance(each, ProbeRead) and each.purpose in ("always", "at-end")
    ]


def refused_by(turns):
    """The lacks of a round of five rejections, by a rule of the user's, whose turns were made so."""
    plan = a_plan()
    given = replace(plan.target.operations[0], rejected="status == 409")
    plan = replace(plan, target=replace(plan.target, operations=(given,)))
    collector = RoundCollector(1, plan, reset=True, tainted=None)
    for event in turns(a_round(1, outcomes=("rejected",) * 5)):
        if not isinstance(event, ResetDone | RoundStarted | RoundFinished):
            collector.take(event, print)
    return [lack.short for lack in collector.evidence(finished=True).lacks]


def served(events):
    return changed(events, a(HopRequestEnded), upstream=at(10_240))


@pytest.mark.parametrize(
    ("turns", "lacks"),
    [
        pytest.param(served, [], id="the-server-answered-all"),
        pytest.param(list, ["rejected by the fault alone"], id="it-answered-none"),
        pytest.param(
            lambda events: changed(served(events), a(HopRequestEnded, conn=0), upstream=None),
            [],
            id="it-answered-all-but-one",
        ),
        pytest.param(
            lambda events: without(served(events), a(HopRequestEnded)),
            ["rejected by the fault alone"],
            id="all-are-open-still",
        ),
    ],
)
def test_turns_when_taken_then_tell_what_the_server_of_the_hop_answered(turns, lacks):
    assert refused_by(turns) == lacks
