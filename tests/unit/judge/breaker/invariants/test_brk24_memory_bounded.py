import pytest

from tests.support.breaker_histories import Story

MIB = 1 << 20


def judged(warming=(38, 38, 38), rejecting=(38,) * 5, *, each=2000, process="app", pids=(1,)):
    story = Story(process=process)
    story.phase(19, "memory")
    for rss in warming:
        story.silence(1000)
        for pid in pids:
            story.sample(rss=round(rss * MIB), warming=True, pid=pid)
    for rss in rejecting:
        story.silence(1000)
        for pid in pids:
            story.sample(rss=round(rss * MIB), rejections=each, pid=pid)
    return story.judge("BRK-24")


LEAK = (45, 53, 61, 68, 76)


def test_memory_when_level_then_holds():
    finding = judged()
    assert finding.verdict == "held"
    assert [need.what for need in finding.needs] == ["rejections", "windows of rejections"]
    assert "+0.0 MiB over 10,000 rejections" in finding.summary


def test_memory_when_it_leaks_then_is_violated_with_its_course():
    finding = judged(rejecting=LEAK)
    assert finding.verdict == "violated"
    assert finding.observed.value == pytest.approx(3984, abs=60)
    assert finding.samples[0]["rss"][0] == 38 * MIB


@pytest.mark.parametrize(
    ("rejecting", "why"),
    [
        pytest.param((45, 53, 53, 68, 76), "not in every window", id="one window does not grow"),
        pytest.param((45, 53, 61, 76, 70), "not in every window", id="it falls at the end"),
    ],
)
def test_memory_when_it_grows_much_but_not_always_then_nothing_is_said(rejecting, why):
    finding = judged(rejecting=rejecting)
    assert finding.verdict == "inconclusive"
    assert why in finding.summary


def test_memory_when_it_rises_always_but_little_then_holds():
    finding = judged((250, 250, 250), (251, 252, 253, 254, 255))
    assert finding.verdict == "held"


def test_memory_when_the_last_window_still_grows_then_nothing_is_said():
    finding = judged((100, 100, 100), (100, 100, 100, 100, 104))
    assert finding.verdict == "inconclusive"
    assert "the last window grew" in finding.summary


def test_memory_when_each_rejection_costs_hardly_anything_then_nobody_is_accused():
    """Rising in each of five windows and by 10 MiB, but over 200,000 rejections: 52 B each."""
    finding = judged((38, 38, 38), (40, 42, 44, 46, 48), each=40_000)
    assert finding.verdict == "inconclusive"


@pytest.mark.parametrize("rejecting", [LEAK, (38,) * 5], ids=["leaking", "level"])
@pytest.mark.parametrize(
    "warming",
    [
        pytest.param((30, 34, 38), id="still growing"),
        pytest.param((38, 38), id="too few windows"),
        pytest.param((), id="none"),
    ],
)
def test_memory_when_it_had_not_levelled_then_nothing_is_said(warming, rejecting):
    finding = judged(warming, rejecting)
    assert finding.verdict == "inconclusive"
    assert "never levelled under good calls" in finding.summary


def test_memory_when_there_are_four_windows_then_they_are_too_few():
    finding = judged(rejecting=LEAK[:4], each=2500)
    assert finding.verdict == "inconclusive"
    assert "4 of 5 windows of rejections" in finding.missing


def test_memory_when_there_are_too_few_rejections_then_holds_nothing():
    finding = judged(each=1900)
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("9500 of 10000 rejections",)


def test_memory_when_there_are_several_processes_then_is_that_of_all():
    finding = judged(rejecting=LEAK, pids=(1, 2))
    assert finding.verdict == "violated"
    assert "76 → 152 MiB" in finding.summary


def test_memory_when_a_process_came_or_went_then_nothing_is_said():
    story = Story(process="app")
    story.phase(19, "memory")
    for _ in range(3):
        story.sample(rss=38 * MIB, warming=True)
    story.sample(rss=45 * MIB, rejections=2000, pid=2)
    finding = story.judge("BRK-24")
    assert finding.verdict == "inconclusive"
    assert "one came or went" in finding.summary


def test_memory_when_a_window_could_not_be_read_then_nothing_is_said():
    story = Story(process="app")
    story.phase(19, "memory")
    story.sample(rss=None, warming=True)
    assert "could not be read" in story.judge("BRK-24").summary


def test_memory_when_nothing_was_sampled_then_nothing_is_said():
    finding = judged((), ())
    assert finding.verdict == "inconclusive"
    assert "no window" in finding.summary


def test_memory_when_the_process_is_not_declared_then_is_not_applicable():
    finding = judged(process=None)
    assert finding.verdict == "not-applicable"
    assert "breaker.process" in finding.notes[0]


def test_memory_when_the_phase_was_not_run_then_is_not_applicable():
    story = Story(process="app")
    story.baseline()
    finding = story.judge("BRK-24")
    assert finding.verdict == "not-applicable"
    assert "phase 19 (memory) was not run" in finding.notes[0]
