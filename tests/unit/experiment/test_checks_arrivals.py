"""Arrivals: an operation over HTTP, for a time that the run has, and enough of them."""

import pytest

from tests.unit.experiment.breakers import BREAKER, problems

ARRIVALS = "operation: plain, rate: 50/s, for: 10s"


def method(arrivals, *, before="", after="", more=""):
    steps = "".join(
        f"\n  - {step}" for step in (before, f"arrivals: {{{arrivals}}}", after) if step
    )
    return (
        BREAKER,
        f"{more}method:{steps}\ninvariants: {{fits: {{at_end: left == acknowledged(plain)}}}}",
    )


def test_arrivals_when_right_then_a_method_needs_no_burst(tmp_path):
    assert problems(tmp_path, method(ARRIVALS)) == []


@pytest.mark.parametrize(
    ("arrivals", "says"),
    [
        ("operation: plane, rate: 50/s, for: 10s", "operation: unknown operation 'plane'"),
        (
            "operation: night, rate: 50/s, for: 10s",
            "operation: night is a command, and arrivals are requests",
        ),
        (f"{ARRIVALS}, vars: {{a: 1}}", "vars.a: unknown variable of plain 'a'"),
        (
            "operation: plain, rate: 50/s, for: 11min",
            "for: the arrivals last 660s, longer than the whole run may take (600s)",
        ),
        (
            "operation: plain, rate: 1/min, for: 60s",
            "for: only 1 request is due in 60s, which meets no other",
        ),
        (
            "operation: plain, rate: 10000/s, for: 101s",
            "for: 1010000 requests are due in 101s",
        ),
        ("operation: plain, rate: 50, for: 10s", "rate: 50 has no unit"),
        ("operation: plain, rate: 0/s, for: 10s", "rate: 0/s is out of range"),
        ("operation: plain, rate: 10001/s, for: 10s", "rate: 10001/s is out of range"),
        ("operation: plain, rate: 50/ms, for: 10s", "rate: found the text '50/ms'"),
        (f"{ARRIVALS}, cap: 0", "cap: found the number 0"),
        (f"{ARRIVALS}, hold: 1s", "hold: unknown key 'hold'"),
    ],
)
def test_arrivals_when_they_cannot_be_sent_so_then_that_is_told(tmp_path, arrivals, says):
    # Without a limit of its own the run's grows with what it does.
    found = problems(tmp_path, method(arrivals, more="time: 10min\n"))
    ours = [line for line in found if line.startswith("method[0].arrivals.")]
    assert [line.removeprefix("method[0].arrivals.") for line in ours] == [says]


def test_arrivals_when_without_a_rate_or_an_end_then_are_refused(tmp_path):
    found = problems(tmp_path, method("operation: plain"))
    assert {line.partition(": ")[2] for line in found if "arrivals" in line} == {
        "the key 'rate' is missing",
        "the key 'for' is missing",
    }


def test_arrivals_when_a_list_has_fewer_values_then_it_is_gone_through_again(tmp_path):
    listed = "operation: checkout, rate: 50/s, for: 10s, vars: {account: [ann, ben, cem]}"
    ours = method(listed)
    assert problems(tmp_path, (ours[0], ours[1].replace("acknowledged(plain)", "0"))) == []


def test_fault_when_it_comes_after_the_last_arrivals_then_is_told(tmp_path):
    fault = "fault: {on: payments, latency: 40ms}"
    assert problems(tmp_path, method(ARRIVALS, before=fault)) == []
    (line,) = problems(tmp_path, method(ARRIVALS, after=fault))
    assert line == "method[1].fault: the fault latency comes after the last burst"


def test_invariant_when_it_counts_what_only_arrivals_send_then_is_right(tmp_path):
    ours = method(ARRIVALS)
    other = ours[1].replace("acknowledged(plain)", "acknowledged(checkout)")
    (line,) = problems(tmp_path, (ours[0], other))
    assert "which no burst sends" in line
