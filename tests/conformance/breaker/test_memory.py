"""Memory under rejections: BRK-24."""

from tests.conformance.breaker.conftest import case
from tests.support.breaker_histories import Story

MIB = 1 << 20


def memory(warming, rejecting, level=None):
    """Windows of 2,000 good calls and then of 2,000 rejections, each closed by a sample; MiB.

    ``level``: one more, taken when it had opened and before the first rejection.
    """
    story = Story(process="app")
    story.phase(19, "memory")
    for rss in warming:
        story.silence(1000)
        story.sample(rss=round(rss * MIB), warming=True)
    if level is not None:
        story.sample(rss=round(level * MIB), rejections=0)
    for rss in rejecting:
        story.silence(1000)
        story.sample(rss=round(rss * MIB), rejections=2000)
    return story.judge("BRK-24")


@case("C-58")
def test_memory_when_it_rises_in_each_window_after_levelling_then_is_violated():
    finding = memory([38, 38, 38], [45, 53, 61, 68, 76])
    assert finding.verdict == "violated"
    assert "3.9 KiB per rejected call in each of 5 windows" in finding.summary
    assert "38 → 76 MiB over 10,000" in finding.summary
    assert "1.3 GiB an hour" in finding.summary
    assert finding.statistics.method == "theil-sen"


@case("C-58")
def test_memory_when_it_fell_by_the_first_rejection_then_rises_from_there_all_the_same():
    finding = memory([38, 38, 38], [45, 53, 61, 68, 76], level=37.5)
    assert finding.verdict == "violated", finding.missing
    assert "in each of 5 windows" in finding.summary


@case("C-59")
def test_memory_when_it_never_levelled_then_is_inconclusive():
    finding = memory([], [73, 102, 183, 247])
    assert finding.verdict == "inconclusive"
    assert "never levelled under good calls" in finding.summary


@case("C-59")
def test_memory_when_it_hardly_rises_after_levelling_then_holds():
    finding = memory([250, 251, 251], [251.4, 253.4, 253.6, 253.6, 253.9, 253.9])
    assert finding.verdict == "held"
    assert "+2.9 MiB over 12,000 rejections" in finding.summary
