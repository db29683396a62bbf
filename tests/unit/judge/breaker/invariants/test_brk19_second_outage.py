from tests.support.breaker_histories import Story


def judged(story):
    return story.judge("BRK-19")


def twice(
    text, *, first="5F", rejected=900, good=60, between=1100, lasts=None, story=None, **declared
):
    """Two outages in phase 17; ``text`` is the second one."""
    story = story or Story(**declared)
    each = {} if lasts is None else {"lasts": lasts}
    story.phase(17, "second-outage")
    span = 3300 if lasts is None else 3300 + lasts
    story.fault("status", applied=(0, 0), undone=(span, span))
    story.write(first, every=10, **each)
    story.silence(10 + (lasts or 0))
    if rejected:
        story.write(f"{rejected}R", every=3000 / rejected)
    story.silence(span - story.at)
    story.silence(between)
    story.write(f"{good}S", every=10)
    story.silence(20)
    again = story.at
    story.fault("status", applied=(again, again), undone=(again + 4000, again + 4000))
    story.write(text, every=10, **({} if lasts is None or "R" in text else each))
    return story


def test_second_outage_when_it_trips_like_the_first_then_is_held():
    finding = judged(twice("5F 60R"))
    assert finding.verdict == "held"
    assert finding.summary == ("the first outage opened after 5 failures, the second after 5")
    assert finding.limit.value == 5


def test_second_outage_when_it_trips_later_then_is_violated():
    finding = judged(twice("20F 60R"))
    assert finding.verdict == "violated"
    assert "the second only after 20 (bound 5)" in finding.summary
    assert "900 rejections fell into the" in finding.summary


def test_second_outage_when_it_trips_late_then_few_calls_are_enough_to_accuse():
    assert judged(twice("12F R")).verdict == "violated"


def test_second_outage_when_calls_were_in_flight_then_they_count_as_overshoot():
    story = twice("26F", lasts=200)
    story.write("60R", every=10)
    finding = judged(story)
    assert finding.limit.value == 25
    assert finding.verdict == "violated"


def test_second_outage_when_a_need_is_taken_away_then_its_number_is_missing():
    assert judged(twice("5F 60R", rejected=800)).missing == (
        "800 of 900 rejected calls before the second outage",
    )
    assert judged(twice("5F 60R", good=49)).missing == ("49 of 50 good calls between the outages",)
    assert judged(twice("5F 9R")).missing == (
        "14 of 15 failing calls offered in the second outage",
    )


def test_second_outage_when_windows_count_calls_then_ten_of_them_are_enough():
    declared = {"threshold": 5, "kind": "count-window", "window": 20}
    assert judged(twice("5F 60R", rejected=200, **declared)).verdict == "held"


def test_second_outage_when_it_begins_after_the_window_then_is_inconclusive():
    declared = {"threshold": 5, "kind": "time-window"}
    assert judged(twice("5F 60R", window=10_000, **declared)).verdict == "held"
    finding = judged(twice("5F 60R", window=1000, **declared))
    assert finding.verdict == "inconclusive"
    assert "in windows is 1.96, at most 1" in finding.missing[0]


def test_second_outage_when_the_first_did_not_open_then_is_inconclusive():
    finding = judged(twice("5F 60R", first="4F", rejected=0))
    assert "0 of 1 short-circuits in the first outage" in finding.missing


def exact_trips(story, failures):
    for _ in range(3):
        story.phase(4, "exact-trip", fault="status")
        story.write(f"{failures}F R", gap=5)
        story.silence(1100)
        story.write("S")
    return story


def test_second_outage_when_nothing_is_declared_then_twice_what_was_found_is_the_bound():
    def undeclared(text, **declared):
        return judged(twice(text, story=exact_trips(Story(threshold=None, **declared), 5)))

    held = undeclared("10F 60R")
    assert held.verdict == "held"
    assert held.limit.value == 10
    assert "max(2·T̂, T̂ + Λ)" in held.limit.source
    assert undeclared("11F 60R", kind="consecutive").verdict == "violated"
    assert undeclared("300F", kind="consecutive").verdict == "violated"
    for text in ("11F 60R", "300F"):
        lacking = undeclared(text)
        assert lacking.verdict == "inconclusive"
        assert any("by a row or by a share" in lack for lack in lacking.missing)


def offered(text):
    """The share is declared to be one of all that was offered."""
    return judged(
        twice(
            text,
            threshold=None,
            share=0.5,
            kind="time-window",
            window=10_000,
            minimum=5,
            opens="above",
            denominator="offered",
        )
    )


def test_second_outage_when_rejections_before_it_dilute_a_share_then_is_violated():
    """The replay begins anew with each closing, whatever the share is taken of."""
    assert offered("300F").verdict == "violated"


def test_second_outage_when_it_does_not_reach_the_declared_share_then_nothing_bounds_it():
    finding = offered("SSF" * 20)
    assert finding.verdict == "inconclusive"
    assert any("the replay does not reach the threshold" in one for one in finding.missing)


def test_second_outage_when_there_was_only_one_then_is_inconclusive():
    story = Story()
    story.phase(17, "second-outage", fault="status")
    story.write("5F 60R", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "the second outage was not reached" in finding.missing


def test_second_outage_when_it_was_not_run_then_is_not_applicable():
    story = Story()
    story.baseline()
    finding = judged(story)
    assert finding.verdict == "not-applicable"
    assert "phase 17 (second-outage) was not run" in finding.notes
