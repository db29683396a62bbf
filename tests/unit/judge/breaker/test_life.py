import json

import pytest

from harness.judge.breaker.evidence import timeline_of
from harness.judge.breaker.life import MOST_BUCKETS, life
from tests.support.breaker_histories import Story

MIB = 1 << 20
SECOND = 1_000_000_000


def outage():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.write("95R", every=10)
    story.phase(6, "heal")
    story.write("10R", every=10)
    story.write("60S", every=10)
    return story


def picture(story):
    known = story.known()
    return life(known, timeline_of(known))


def test_life_when_drawn_then_each_series_has_a_number_for_each_bucket():
    found = picture(outage())
    series = [*found["front"].values(), found["arrivals"], *found["in_flight"].values()]
    assert {len(one) for one in [*series, found["rss"]]} == {found["buckets"]}
    assert found["buckets"] <= MOST_BUCKETS
    assert json.loads(json.dumps(found)) == found


def test_life_when_counted_up_then_no_call_and_no_arrival_is_lost():
    found = picture(outage())
    assert {name: sum(counts) for name, counts in found["front"].items()} == {
        "forwarded-ok": 260,
        "forwarded-failed": 5,
        "short-circuited": 105,
    }
    assert sum(found["arrivals"]) == 265


def test_life_when_calls_are_under_way_for_long_then_each_bucket_has_the_most():
    story = Story(call_timeout="none")
    story.phase(12, "slow", fault="latency", latency=2000)
    story.write("300S", every=10, lasts=2000)
    found, known = picture(story), story.known()
    assert max(found["in_flight"]["behind"]) == 200
    assert max(found["in_flight"]["front"]) == 200
    before = int(known.by_id["slow"].phase.entered / SECOND / found["width"])
    assert max(found["in_flight"]["behind"][:before]) == 1


def test_life_when_memory_was_sampled_then_stands_in_its_bucket():
    story = outage()
    story.sample(rss=38 * MIB, pid=1)
    story.sample(rss=40 * MIB, pid=2)
    found = picture(story)
    assert [rss for rss in found["rss"] if rss is not None] == [78 * MIB]


def test_life_when_it_has_states_phases_and_faults_then_tells_their_times():
    found = picture(outage())
    assert [one["state"] for one in found["states"]] == ["closed", "open", "half-open", "closed"]
    assert [one["name"] for one in found["phases"]] == ["baseline", "outage", "heal"]
    [fault] = found["phases"][1]["faults"]
    assert fault["kind"] == "status"
    assert fault["from"] >= found["phases"][1]["from"]


@pytest.mark.parametrize("calls", [1, 7, 240, 3000])
def test_life_when_long_or_short_then_never_has_more_than_240_buckets(calls):
    story = Story(baseline=0)
    story.phase(1, "baseline")
    story.write(f"{calls}S", every=10)
    found = picture(story)
    assert 1 <= found["buckets"] <= MOST_BUCKETS
    last = found["start"] + found["buckets"] * found["width"]
    assert last > (calls - 1) * 0.01


def test_life_when_nobody_called_then_is_empty():
    assert picture(Story(baseline=0)) == {}
