"""A toxic on the messages it is for: what it acts on, what passes by, and that order is kept."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.exchange import Part
from harness.protocols.turn_exchange import TurnExchange
from harness.proxy.items import (
    Across,
    Answered,
    Chunk,
    Close,
    Injected,
    Skipped,
    WakeAt,
    weight,
)
from harness.proxy.seat import FramedSeat
from harness.proxy.toxic import Toxic
from harness.proxy.toxics.latency import Latency
from harness.proxy.toxics.timeout import Timeout
from tests.support.playbook import Send, at, play, t, then


def framed(toxic, *, own="downstream", hit=None, exchange=None, after=0):
    """A seat that acts on the requests in ``hit``; None: on all of the connection."""
    choose = None if hit is None else (lambda part: part.request in hit)
    return FramedSeat(
        "it",
        toxic,
        exchange or TurnExchange(),
        own=own,
        acting=True,
        choose=choose,
        on_message=lambda request: None,
        after=after,
    )


def slow(ms=40):
    return Latency({"latency": ms, "jitter": 0}, Random(1), {})


def turn(number, data):
    return Chunk(data, t(0), number)


def hears(seat, number, data=b"?"):
    return list(seat.hear(turn(number, data), t(0)))


class Replies(Toxic):
    """Swallows what it hears and answers itself; upper-cases what it is fed."""

    framed = True
    hears = True

    def hear(self, item, now):
        return (Across(Chunk(b"no", now, item.turn)), Answered(item.part.request))

    def feed(self, item, now):
        return (Injected(item.turn), Chunk(item.data.upper(), item.stamp, item.turn))


class Words:
    """A codec for tests: messages are words that end with a blank; ``!`` makes it unreadable."""

    def __init__(self):
        self.readable, self.answers, self._kept, self._number = True, [], b"", 0

    @property
    def held(self):
        return len(self._kept)

    def client(self, data, turn):
        if b"!" in data:
            self.readable = False
        if not self.readable:
            return [Part(self._take() + data, 0)]
        *words, rest = (self._take() + data).split(b" ")
        self._kept = rest
        parts = []
        for word in words:
            self._number += 1
            parts.append(Part(word + b" ", self._number, first=True, last=True))
        return parts

    def server(self, data, turn):
        return [Part(data, self._number, first=True)]

    def flush_client(self):
        return [Part(self._take(), 0)] if self._kept else []

    def flush_server(self):
        return []

    def answered(self, request):
        self.answers.append(request)

    def _take(self):
        kept, self._kept = self._kept, b""
        return kept


def test_bytes_when_of_a_request_that_is_hit_then_go_through_the_toxic():
    seat = framed(slow(), hit={1})
    assert hears(seat, 1) == [turn(1, b"?")]
    assert (
        play(seat)
        >> at(0, turn(1, b"a")) << Injected(1) << WakeAt(t(40))
        >> at(40) << Send(b"a", t(40))
    )  # fmt: skip


def test_bytes_when_of_another_request_then_pass_by():
    seat = framed(slow(), hit={2})
    hears(seat, 1)
    assert play(seat) >> at(0, turn(1, b"a")) << Send(b"a", t(0))


def test_bytes_when_the_rest_of_an_answer_has_no_turn_then_belong_to_its_request():
    seat = framed(slow(), hit={1})
    hears(seat, 1)
    assert play(seat) >> at(0, turn(0, b"rest")) << Injected(0) << WakeAt(t(40))


def test_bytes_when_of_no_request_then_pass_by_even_if_all_are_hit():
    seat = framed(Replies({}, Random(1), {}))
    assert play(seat) >> at(0, turn(0, b"greeting")) << Send(b"greeting")


def test_bytes_when_they_pass_by_then_never_overtake_what_is_held():
    seat = framed(slow(), hit={1})
    hears(seat, 1)
    first = list(seat.feed(turn(1, b"a"), t(0)))
    assert first == [Injected(1), WakeAt(t(40))]
    hears(seat, 2)
    second = Chunk(b"b", t(1), 2)
    assert play(seat) >> at(1, second) >> at(40) << Send(b"a") << Send(b"b", t(1))
    assert seat.held == 0


def test_held_when_bytes_wait_behind_then_counts_them():
    seat = framed(slow(), hit={1})
    hears(seat, 1)
    seat.feed(turn(1, b"a"), t(0))
    hears(seat, 2)
    seat.feed(turn(2, b"bcd"), t(1))
    assert seat.held == weight(turn(1, b"a")) + weight(turn(2, b"bcd"))
    assert [item.data for item in seat.stop(t(2))] == [b"a", b"bcd"]
    assert seat.held == 0


def test_close_when_bytes_wait_behind_then_passes_last():
    seat = framed(slow(), hit={1})
    hears(seat, 1)
    seat.feed(turn(1, b"a"), t(0))
    hears(seat, 2)
    seat.feed(turn(2, b"b"), t(1))
    assert play(seat) >> at(2, Close("eof")) >> at(40) << Send(b"a") << Send(b"b") << Close("eof")


def test_request_when_hit_then_may_be_answered_without_the_server():
    exchange = Words()
    seat = framed(Replies({}, Random(1), {}), hit={2}, exchange=exchange)
    heard = list(seat.hear(turn(1, b"one two three "), t(0)))
    assert [type(action) for action in heard] == [Chunk, Across, Chunk]
    assert heard[0].data + heard[2].data == b"one three "
    assert exchange.answers == [2]


def test_head_when_in_pieces_then_waits_for_the_rest_only_if_the_toxic_must_hear():
    seat = framed(Replies({}, Random(1), {}), hit=set(), exchange=Words())
    assert list(seat.hear(turn(1, b"on"), t(0))) == []
    assert [item.data for item in seat.hear(turn(1, b"e "), t(0))] == [b"one "]
    assert seat.held == 0
    listening = framed(slow(), hit=set(), exchange=Words())
    assert hears(listening, 1, b"on") == [turn(1, b"on")]


def test_head_when_in_pieces_at_the_end_then_passes_before_the_close():
    seat = framed(Replies({}, Random(1), {}), hit=set(), exchange=Words())
    seat.hear(turn(1, b"on"), t(0))
    ended = list(seat.hear(Close("eof"), t(1)))
    assert [getattr(item, "data", item) for item in ended] == [b"on", Close("eof")]


def test_head_when_the_toxic_goes_then_passes_on():
    seat = framed(Replies({}, Random(1), {}), hit=set(), exchange=Words())
    seat.hear(turn(1, b"on"), t(0))
    assert [item.data for item in seat.stop_hearing(t(1))] == [b"on"]


def test_stream_when_unreadable_then_passes_and_is_told_once():
    seat = framed(Replies({}, Random(1), {}), exchange=Words())
    first, *told = seat.hear(turn(1, b"what! "), t(0))
    assert first.data == b"what! "
    assert told == [Skipped()]
    assert [type(item) for item in seat.hear(turn(1, b"more "), t(0))] == [Chunk]


def test_stream_when_unreadable_then_what_was_kept_of_the_other_direction_goes_on():
    class Keeps(Words):
        def server(self, data, turn):
            self._of_server = data
            return []

        def flush_server(self):
            kept, self._of_server = getattr(self, "_of_server", b""), b""
            return [Part(kept, 0)] if kept else []

    for toxic in (slow(), Replies({}, Random(1), {})):
        seat = framed(toxic, exchange=Keeps(), hit=set())
        hears(seat, 1, b"one ")
        assert list(seat.feed(turn(1, b"HTT"), t(0))) == []
        told = list(seat.hear(turn(1, b"what! "), t(1)))
        assert [each.item.data for each in told if isinstance(each, Across)] == [b"HTT"]
        assert Skipped() in told
        assert seat.stop(t(2)) == []


def test_turn_when_open_before_the_toxic_came_then_is_left_alone():
    seat = framed(Replies({}, Random(1), {}), own="upstream", after=3)
    assert [item.data for item in seat.feed(turn(3, b"rest"), t(0))] == [b"rest"]
    assert [item.data for item in seat.feed(turn(4, b"next"), t(0)) if item != Injected(4)] == [
        b"NEXT"
    ]


def test_start_when_by_request_then_comes_with_the_first_that_is_hit():
    class Alarm(Toxic):
        def start(self, now):
            return (WakeAt(t(9)),)

    seat = framed(Alarm({}, Random(1), {}), own="upstream", hit={2})
    assert list(seat.start(t(0))) == []
    assert WakeAt(t(9)) not in seat.feed(turn(1, b"a"), t(0))
    assert WakeAt(t(9)) in seat.feed(turn(2, b"b"), t(0))
    assert WakeAt(t(9)) not in seat.feed(turn(2, b"c"), t(0))
    assert list(framed(Alarm({}, Random(1), {})).start(t(0))) == [WakeAt(t(9))]


def test_update_when_it_has_not_begun_then_wakes_nobody():
    seat = framed(Timeout({"timeout": 0}, Random(1), {}), own="upstream", hit={2})
    seat.feed(turn(1, b"a"), t(0))
    assert list(seat.update({"timeout": 5}, t(1))) == []
    assert WakeAt(t(7)) in seat.feed(turn(2, b"b"), t(2))


def test_toxic_when_it_never_acted_then_is_not_asked_to_give_back():
    class Ends(Toxic):
        def remove(self, now):
            return (Close("end"),)

    seat = framed(Ends({}, Random(1), {}), own="upstream", hit={2})
    seat.feed(turn(1, b"a"), t(0))
    assert list(seat.stop(t(1))) == []
    seat.feed(turn(2, b"b"), t(2))
    assert list(seat.stop(t(3))) == [Close("end")]


def test_toxic_when_it_drops_bytes_then_what_comes_behind_them_is_dropped_too():
    class Drops(Toxic):
        lasting = True

        def feed(self, item, now):
            return ()

    seat = framed(Drops({}, Random(1), {}), own="upstream", hit={2})
    assert [item.data for item in seat.feed(turn(1, b"a"), t(0))] == [b"a"]
    assert list(seat.feed(turn(2, b"b"), t(1))) == []
    assert list(seat.feed(turn(3, b"c"), t(2))) == []


@given(
    hit=st.sets(st.integers(1, 6)),
    sizes=st.lists(st.integers(1, 5), max_size=6),
    waits=st.lists(st.integers(0, 60), min_size=6, max_size=6),
)
def test_bytes_when_some_requests_are_hit_then_all_arrive_in_order(hit, sizes, waits):
    seat, now, out = framed(slow(25), hit=hit), 0, b""

    def take(actions):
        nonlocal out
        out += b"".join(action.data for action in actions if isinstance(action, Chunk))

    for request, (size, wait) in enumerate(zip(sizes, waits, strict=False), start=1):
        hears(seat, request)
        take(seat.feed(Chunk(bytes([request]) * size, t(now), request), t(now)))
        now += wait
        take(seat.wake(t(now)))
    take(seat.wake(t(now + 100)))
    assert out == b"".join(bytes([n]) * size for n, size in enumerate(sizes, start=1))
    assert seat.held == 0


def test_removal_when_in_the_middle_then_order_is_kept():
    seat = framed(slow(), hit={1})
    hears(seat, 1)
    assert (
        play(seat)
        >> at(0, turn(1, b"a")) << Injected(1) << WakeAt(t(40))
        >> then(5, "stop", lambda s, now: s.stop(now)) << Send(b"a", t(5))
    )  # fmt: skip


# Observed requests


def observed(number, data, request):
    return Chunk(data, t(0), number, None, request)


def labels(items):
    return [(item.data, item.request) for item in items if isinstance(item, Chunk)]


def test_requests_when_pipelined_then_each_part_knows_which_observed_one_it_is():
    """The codec counts what it sees: the third and the fifth here are its first and second."""
    seat = framed(slow(), own="upstream", hit=set(), exchange=Words())
    assert labels(seat.feed(observed(1, b"on", 3), t(0))) == []
    assert labels(seat.feed(observed(1, b"e two ", 3), t(0))) == [(b"one ", 3), (b"two ", 4)]
    assert labels(seat.feed(observed(1, b"six ", 6), t(0))) == [(b"six ", 6)]


def test_toxic_when_it_acts_on_one_of_them_then_says_on_which():
    seat = framed(slow(), own="upstream", hit={2}, exchange=Words())
    actions = seat.feed(observed(1, b"one two six ", 3), t(0))
    assert [action for action in actions if isinstance(action, Injected)] == [Injected(1, 4)]


def test_toxic_when_it_acts_on_an_answer_then_says_on_which_request_it_does():
    seat = framed(slow(), hit={1}, exchange=Words())
    seat.hear(observed(1, b"one ", 7), t(0))
    assert list(seat.feed(turn(1, b"answer"), t(0))) == [Injected(1, 7), WakeAt(t(40))]


def test_toxic_when_nobody_observes_then_says_the_turn_alone():
    seat = framed(slow(), hit={1}, exchange=Words())
    seat.hear(turn(1, b"one "), t(0))
    assert list(seat.feed(turn(1, b"answer"), t(0))) == [Injected(1), WakeAt(t(40))]


def test_request_when_answered_then_is_forgotten():
    seat = framed(slow(0), exchange=Words())
    for number in range(1, 20):
        seat.hear(observed(number, b"word ", number), t(0))
        seat.feed(turn(number, b"answer"), t(0))
    assert seat._requests == {19: 19}
