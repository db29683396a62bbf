import json

from harness.judge.breaker.neighbours import (
    exhausted_pool,
    neighbours,
    order_of_timeouts,
    retry_amplification,
)
from tests.support.breaker_histories import Story


def test_neighbours_when_asked_then_are_three_plain_maps():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FFFFF60R", every=10)
    found = neighbours(story.known())
    assert [one["name"] for one in found] == [
        "retry amplification",
        "order of time-outs",
        "exhausted connection pool",
    ]
    assert all(one["verdict"] in ("seen", "not seen", "not looked at") for one in found)
    assert all(one["text"] for one in found)
    json.dumps(found)


def retried(story, count, *, attempts, gap, letter="F", every=10, **each):
    for _ in range(count):
        at = story.at
        tries = [
            {"at": at + 1 + gap * n, "ended": at + 4 + gap * n, **each} for n in range(attempts)
        ]
        story.call(letter, at=at, lasts=gap * (attempts - 1) + 6, arrivals=tries)
        story.silence(every)


def test_retries_when_meant_then_are_seen_with_their_number():
    story = Story(threshold=100)
    story.phase(5, "outage", fault="status")
    retried(story, 20, attempts=3, gap=100, every=300)
    found = retry_amplification(story.known())
    assert found["verdict"] == "seen"
    assert found["attempts_per_call"] == 3.0
    assert found["transport_retries_per_call"] == 0
    assert found["by_phase"] == {"outage-status": {"attempts": 3.0, "transport": 0.0}}
    assert "3.00 arrivals for each of 20 calls" in found["text"]


def test_retries_when_only_the_client_library_repeats_then_are_told_apart():
    story = Story(threshold=100)
    story.phase(5, "outage", fault="reset")
    retried(story, 20, attempts=2, gap=6, letter="X", end="cut", began=False)
    found = retry_amplification(story.known())
    assert (found["attempts_per_call"], found["transport_retries_per_call"]) == (1.0, 1.0)
    assert "the client library's own repeats" in found["text"]


def test_retries_when_they_come_together_then_their_burst_factor_is_high():
    """A hundred fail within 10 ms and all try again after 500; others spread their retries."""
    together = Story(threshold=1000)
    together.phase(5, "outage", fault="status")
    retried(together, 100, attempts=2, gap=500, every=0.1)
    together.silence(2000)
    retried(together, 100, attempts=2, gap=500, every=0.1)
    spread = Story(threshold=1000)
    spread.phase(5, "outage", fault="status")
    retried(spread, 200, attempts=2, gap=500, every=10)
    assert retry_amplification(together.known())["burst_factor"] > 20
    assert retry_amplification(spread.known())["burst_factor"] <= 2


def test_retries_when_nothing_failed_then_are_not_looked_at():
    story = Story()
    story.phase(6, "heal")
    story.write("60S", every=10)
    assert retry_amplification(story.known())["verdict"] == "not looked at"


def test_timeouts_when_callers_give_up_first_then_are_seen():
    """Callers wait for 500 ms, the service for 2 s."""
    story = Story(call_timeout=2000)
    story.phase(12, "slow", fault="latency", latency=5000)
    for index in range(4):
        at = story.at + index * 100
        story.call("T", at=at, lasts=500, ended=at + 2000, end="deadline")
    found = order_of_timeouts(story.known())
    assert found["verdict"] == "seen"
    assert (found["given_up_by_callers"], found["hop_went_on"]) == (4, 4)
    assert (found["caller_waited"], found["hop_longer_at_most"]) == (0.5, 1.5)


def test_timeouts_when_the_hop_never_ends_then_are_seen_without_a_number():
    story = Story()
    story.phase(5, "outage", fault="blackhole")
    story.call("H", lasts=500, end="deadline")
    found = order_of_timeouts(story.known())
    assert found["verdict"] == "seen"
    assert found["hop_longer_at_most"] is None


def test_timeouts_when_the_service_gives_up_first_then_are_not_seen():
    story = Story()
    story.phase(12, "slow", fault="latency", latency=5000)
    story.write("5T", every=10)
    assert order_of_timeouts(story.known())["verdict"] == "not seen"


def test_timeouts_when_the_service_leaves_with_its_caller_then_are_not_seen():
    """It noticed 1 ms later."""
    story = Story()
    story.phase(12, "slow", fault="latency", latency=5000)
    story.call("L", lasts=200, end="deadline")
    found = order_of_timeouts(story.known())
    assert found["verdict"] == "not seen"
    assert (found["given_up_by_callers"], found["hop_went_on"]) == (1, 0)


def test_timeouts_when_nothing_was_slow_then_are_not_looked_at():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("5F")
    assert order_of_timeouts(story.known())["verdict"] == "not looked at"


def pooled(story, *, size, calls, takes):
    """Calls every 10 ms, of which ``size`` at once are passed on, each for ``takes``."""
    free = [story.at] * size
    for _ in range(calls):
        at = story.at
        index = min(range(size), key=free.__getitem__)
        begins = max(at + 1, free[index])
        free[index] = begins + takes
        story.call("S", at=at, arrives=begins - at, answered=begins + takes + 1)
        story.silence(10)


def test_pool_when_calls_queue_before_the_wire_then_is_seen():
    story = Story(call_timeout="none")
    story.phase(12, "slow", fault="latency", latency=1000, rate=100, planned=300)
    pooled(story, size=10, calls=300, takes=1000)
    found = exhausted_pool(story.known())
    assert found["verdict"] == "seen"
    assert found["behind"] == 10
    assert found["front"] > 100
    assert found["phase"] == "slow"
    assert "a queue between breaker and wire" in found["text"]


def test_pool_when_all_that_wait_are_behind_then_is_not_seen():
    story = Story(call_timeout="none")
    story.phase(12, "slow", fault="latency", latency=1000)
    story.write("300S", every=10, lasts=1000)
    assert exhausted_pool(story.known())["verdict"] == "not seen"


def test_pool_when_a_burst_is_worked_off_quickly_then_is_not_seen():
    story = Story(call_timeout="none")
    story.phase(12, "slow", fault="latency", latency=20, rate=100, planned=60)
    pooled(story, size=1, calls=60, takes=15)
    assert exhausted_pool(story.known())["verdict"] == "not seen"


def test_pool_when_nothing_was_driven_at_a_rate_then_is_not_looked_at():
    story = Story()
    story.phase(1, "baseline")
    story.write("200S")
    assert exhausted_pool(story.known())["verdict"] == "not looked at"
