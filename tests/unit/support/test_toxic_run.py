"""The run itself: it must catch a toxic that loses, overtakes, miscounts or draws at random."""

from random import Random

import pytest

from harness.proxy.items import Chunk, Close, WakeAt, weight
from harness.proxy.toxic import Toxic
from tests.support.playbook import t
from tests.support.toxic_run import drive

FEEDS = [("feed", b"ab"), ("feed", b"cd"), ("close", "eof")]


class Keeps(Toxic):
    """Holds everything for 10 ms from the first item on, and does so rightly."""

    def __init__(self):
        super().__init__({}, Random(1), {})
        self.inside = []

    @property
    def held(self):
        return sum(weight(item) for item in self.inside if isinstance(item, Chunk))

    def feed(self, item, now):
        self.inside.append(item)
        return (WakeAt(t(now.ns / 1e6 + 10)),) if len(self.inside) == 1 else ()

    def wake(self, now):
        return self.remove(now)

    def remove(self, now):
        leaving, self.inside = self.inside, []
        return leaving


class Overtakes(Keeps):
    def remove(self, now):
        return sorted(super().remove(now), key=lambda item: item.data, reverse=True)


class Miscounts(Keeps):
    held = 0


class GoesOn(Keeps):
    def remove(self, now):
        return [Close("end"), *super().remove(now)]


class Restless(Keeps):
    def wake(self, now):
        return (WakeAt(now),)


class Draws(Keeps):
    made = 0

    def feed(self, item, now):
        Draws.made += 1
        return (WakeAt(t(100 + Draws.made)),)


def test_run_when_all_is_right_then_everything_comes_out():
    run = drive(Keeps, [("feed", b"ab"), ("wait", 5), *FEEDS], keeps=True)
    assert run.out == b""
    run.finish()
    assert (run.out, run.fed, run.closed, run.now) == (b"ababcd", b"ababcd", "eof", t(10))


def test_run_when_off_and_on_then_what_was_held_is_out_and_it_goes_on():
    run = drive(Keeps, [("feed", b"ab"), ("off and on",), ("feed", b"cd")], keeps=True)
    assert run.out == b"ab"
    run.finish()
    assert run.out == b"abcd"


def test_run_when_off_and_on_behind_its_close_then_is_over():
    run = drive(Keeps, [*FEEDS, ("off and on",), ("feed", b"ef")], keeps=True)
    assert (run.out, run.fed) == (b"abcd", b"abcd")


@pytest.mark.parametrize("wrong", [Overtakes, Miscounts, GoesOn, Restless])
def test_run_when_a_promise_is_broken_then_fails(wrong):
    with pytest.raises(AssertionError):
        drive(wrong, [*FEEDS[:2], ("wait", 10)], keeps=True)


def test_run_when_the_second_toxic_answers_otherwise_then_fails():
    with pytest.raises(AssertionError):
        drive(Draws, FEEDS[:1], keeps=False)
