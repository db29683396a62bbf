"""Tallies: what a toxic did is not forgotten with it, and names without end cost no memory without end."""

from hypothesis import given
from hypothesis import strategies as st

from harness.proxy import tallies
from harness.proxy.states import ToxicState
from harness.proxy.tallies import Tallies
from harness.proxy.trigger import Shared, Trigger


def state(name, stream="Upstream"):
    return ToxicState(name=name, type="latency", stream=stream, toxicity=1.0, attributes={})


def did(injections, skipped=0):
    shared = Shared(Trigger())
    shared.injections, shared.skipped = injections, skipped
    return shared


def test_tally_when_a_toxic_comes_again_then_goes_on_counting():
    kept = Tallies()
    kept.add(state("a"), did(3, 1))
    (found,) = kept.all([state("a")], {"a": did(2)})
    assert (found.toxic, found.type, found.stream) == ("a", "latency", "upstream")
    assert (found.injections, found.skipped) == (5, 1)


def test_tally_when_the_stream_is_another_then_is_another():
    kept = Tallies()
    kept.add(state("a"), did(3))
    found = kept.all([state("a", "downstream")], {"a": did(2)})
    assert sorted(each.injections for each in found) == [2, 3]


def test_tallies_when_names_never_end_then_the_oldest_are_dropped(monkeypatch):
    monkeypatch.setattr(tallies, "KEPT", 3)
    kept = Tallies()
    for number in range(5):
        kept.add(state(f"t{number}"), did(1))
    kept.add(state("t2"), did(1))
    kept.add(state("t9"), did(1))
    assert [(each.toxic, each.injections) for each in kept.all([], {})] == [
        ("t4", 1), ("t2", 2), ("t9", 1),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=20))
def test_tallies_when_toxics_come_and_go_then_no_count_is_lost(gone):
    kept, total = Tallies(), 0
    for name, count in gone:
        kept.add(state(name), did(count))
        total += count
    assert sum(each.injections for each in kept.all([state("a")], {"a": did(7)})) == total + 7
