"""What the baseline proves, and what bars everything."""

import pytest

from harness.judge.breaker.known import MS
from tests.support.breaker_histories import Story


def known(write=None, **declared):
    """After a baseline written by ``write``, an outage."""
    story = Story(**declared)
    if write is None:
        story.baseline(200)
    else:
        story.phase(1, "baseline")
        write(story)
        story.now = max(story.now, 1000)
    story._baseline = 0
    story.phase(5, "outage", fault="status")
    story.write("5F 60R", every=10)
    return story.known()


def test_baseline_when_all_calls_are_joined_then_bars_nothing():
    found = known()
    assert found.barred == ""
    assert (found.baseline_latency, found.baseline_own, found.baseline_strays_per_s) == (
        5 * MS,
        2 * MS,
        0,
    )


def test_latency_when_calls_vary_then_is_their_median():
    def write(story):
        for lasts in (3, 8, 100):
            story.call("S", at=story.at, lasts=lasts)
            story.silence(200)

    found = known(write)
    assert (found.baseline_latency, found.baseline_own) == (8 * MS, 2 * MS)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        pytest.param(
            lambda story: story.write("88S 12B"),
            "12 % of baseline calls never reached the downstream; something before it answers",
            id="a-cache",
        ),
        pytest.param(
            lambda story: story.write("999S R"), "0.1 % of baseline calls never", id="one-of-1000"
        ),
        pytest.param(
            lambda story: (story.write("5S 5B"), [story.stray(at=at) for at in range(5)]),
            "5 of 10 baseline calls could not be joined; name another carrier under breaker.id",
            id="ids-replaced",
        ),
        pytest.param(
            lambda story: story.call(
                "S", answered=60, arrivals=[{"at": 1, "ended": 5}, {"at": 50, "ended": 55}]
            ),
            "1 of 1 baseline calls could not be joined",
            id="an-id-twice",
        ),
        pytest.param(lambda story: story.write("5U"), "no baseline call was answered", id="none"),
        pytest.param(lambda story: None, "the baseline was not run", id="no-calls"),
    ],
)
def test_baseline_when_calls_are_not_joined_then_bars_everything(write, words):
    assert words in known(write).barred


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda story: story.write("50S U 50S"), id="one-reset-before-the-service"),
        pytest.param(
            lambda story: story.call(
                "S",
                answered=8,
                arrivals=[{"at": 1, "ended": 2, "end": "cut"}, {"at": 3, "ended": 5}],
            ),
            id="a-transport-retry",
        ),
        pytest.param(
            lambda story: (story.write("5S"), story.stray(at=3)), id="strays-beside-joined-calls"
        ),
    ],
)
def test_baseline_when_calls_are_joined_then_bars_nothing_else(write):
    assert known(write).barred == ""


def test_strays_when_in_the_baseline_then_are_a_rate():
    found = known(lambda story: (story.write("5S"), [story.stray(at=at) for at in (1, 2, 3)]))
    assert found.baseline_strays_per_s == 3.0
    assert found.by_id["baseline"].strays == 3


def test_baseline_when_not_run_then_bars_everything():
    assert known(baseline=0, write=None).barred == ""
    story = Story(baseline=0)
    story.phase(5, "outage", fault="status")
    assert story.known().barred == "the baseline was not run"


def test_ids_when_not_readable_then_bar_everything():
    found = known(readable=False)
    assert found.barred == "arrivals carry no request id: the hop did not speak HTTP/1"
