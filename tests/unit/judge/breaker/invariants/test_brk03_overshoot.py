from tests.support.breaker_histories import Story


def judged(story):
    return story.judge("BRK-03")


def outage(story, failing, *, lasts=200, then="60R", fault="status"):
    story.phase(5, "outage", fault=fault)
    written = story.write(f"{failing}F", every=10, lasts=lasts)
    if then:
        story.write(then, every=10)
    story.silence(lasts)
    return written


def test_overshoot_when_there_is_no_breaker_then_all_of_the_outage_counts():
    story = Story()
    outage(story, 120, then="")
    finding = judged(story)
    assert finding.verdict == "violated"
    assert finding.observed.value == 120
    assert "bound 5 + 20 in flight" in finding.summary
    assert "none was short-circuited" in finding.summary


def test_overshoot_when_one_more_goes_through_then_it_is_named_first():
    story = Story()
    *_, last = outage(story, 26)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert finding.counterexample.rows[0]["rid"] == last
    assert finding.counterexample.expected == "at most 25"


def test_overshoot_when_the_load_is_too_short_for_what_is_in_flight_then_is_inconclusive():
    story = Story()
    outage(story, 25, then="10R")
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.missing == (
        "failing calls in flight at once, as a share of those planned is 0.6, at most 0.5",
    )


def test_overshoot_when_calls_do_not_come_at_a_rate_then_is_inconclusive():
    story = Story()
    story.phase(5, "outage", fault="status")
    for index in range(25):
        story.call("F", at=index * 10, lasts=200)
    for index in range(60):
        story.call("R", at=250 + index * 10)
    story.silence(850)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("0 of 1 calls sent at a rate",)


def test_overshoot_when_a_failure_of_before_settles_slowly_then_counts_what_the_log_says():
    """Three failures, a good call that resets the count, and five more: eight are no overshoot."""
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("3F", every=10)
    story.write("S", every=10)
    story.write("5F", every=10)
    story.silence(10)
    story.write("60R", every=10)
    assert judged(story).verdict == "inconclusive"


def test_overshoot_when_the_share_is_declared_to_count_what_settled_then_in_flight_dilutes_nothing():
    def diluted(denominator):
        story = Story(
            threshold=None,
            share=0.5,
            kind="time-window",
            window=10_000,
            opens="above",
            minimum=5,
            denominator=denominator,
        )
        story.baseline()
        story.silence(11_000)
        outage(story, 42)
        return judged(story)

    assert diluted("admitted").verdict == "held"
    finding = diluted("settled")
    assert finding.verdict == "violated"
    assert "bound 5 + 20 in flight" in finding.summary
    undeclared = diluted(None)
    assert undeclared.verdict == "held"
    assert undeclared.samples[0]["bounds"] == {"settled": 25, "admitted": 42}


def test_overshoot_when_more_goes_through_than_either_denominator_allows_then_is_violated():
    story = Story(
        threshold=None, share=0.5, kind="time-window", window=10_000, opens="above", minimum=5
    )
    story.baseline()
    story.silence(11_000)
    outage(story, 50)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert finding.limit.value == 42


def test_overshoot_when_good_calls_stand_in_the_window_then_they_dilute_as_well():
    """f* = ⌊0.5 · (21 + 20) / 0.5⌋ + 1 = 42 of the 20 good calls and those in flight, and 20 of these."""
    story = Story(
        threshold=None, share=0.5, kind="time-window", window=10_000, opens="above", minimum=5
    )
    story.baseline()
    story.silence(11_000)
    story.phase(5, "outage", fault="status")
    story.fault("status", applied=(200, 200))
    story.write("20S", every=10)
    story.write("62F", every=10, lasts=200)
    story.write("60R", every=10)
    story.silence(200)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.samples[0]["bounds"]["admitted"] == 62


def test_overshoot_when_no_threshold_is_declared_then_a_wider_bound_is_said():
    def found(failing, **declared):
        story = Story(threshold=None, **declared)
        for _ in range(3):
            story.phase(4, "exact-trip", fault="status")
            story.write("5F R", gap=5)
            story.silence(1100)
            story.write("S")
        outage(story, failing)
        return judged(story)

    held = found(40)
    assert held.verdict == "held"
    assert "judged against max(2·T̂, T̂ + Λ)" in held.notes[0]
    assert found(70, kind="consecutive").verdict == "violated"
    # Good calls before it dilute a share, by nobody knows how much.
    lacking = found(70)
    assert lacking.verdict == "inconclusive"
    assert "by a row or by a share" in lacking.missing[0]


def test_overshoot_when_no_threshold_is_known_then_is_inconclusive():
    story = Story(threshold=None)
    outage(story, 25)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "there is no bound" in finding.missing[0]


def test_overshoot_when_the_threshold_was_not_reached_then_nothing_could_overshoot():
    story = Story()
    outage(story, 4, then="")
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "no outage reached the threshold" in finding.missing[0]


def test_overshoot_when_several_instances_are_declared_then_each_takes_its_failures():
    def twenty_in_a_row(instances):
        story = Story(instances=instances)
        story.phase(5, "outage", fault="status")
        story.write("20F", every=10)
        story.write("60R", every=10)
        return judged(story)

    assert twenty_in_a_row(1).verdict == "violated"
    assert twenty_in_a_row(4).verdict != "violated"


def test_overshoot_when_no_outage_was_run_then_is_not_applicable():
    story = Story()
    story.baseline()
    assert judged(story).verdict == "not-applicable"
