"""Trickle: heads pass at once, bodies wait and flow; nothing is lost, nothing comes early."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.model.units import Duration
from harness.protocols.exchange import Head, Part
from harness.protocols.http_exchange import HttpExchange
from harness.proxy.items import Chunk, Close, Injected, WakeAt, weight
from harness.proxy.toxic import Trace
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.trickle import Trickle
from harness.proxy.wire import WireProblem, completed
from tests.support.between import Between
from tests.support.playbook import Send, at, play, removed, t, updated

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\n\r\n"


def answer(body):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body


def trickle(delay=1000, rate=0):
    return Trickle(completed(Trickle.wire, {"delay": delay, "rate": rate}), Random(1), {})


def between(delay=1000, rate=0, hit=None):
    return Between(trickle(delay, rate), HttpExchange(), hit=hit)


def head(data, *, turn=1, last=False):
    made = Head(b"HTTP/1.1 200 OK", (), data.index(b"\n\n") + 2)
    return Chunk(data, t(0), turn, Part(data, 1, first=True, last=last, head=made))


def body(data, stamp=0):
    return Chunk(data, t(stamp), 1, Part(data, 1))


def test_body_when_it_comes_with_its_head_then_waits_alone():
    line = between(delay=1000)
    line.client(GET)
    start, text = answer(b"abcdef")
    line.server(start + text)
    assert line.arrivals == [(0, start)]
    line.wait(999)
    assert line.arrivals == [(0, start)]
    line.wait(1)
    assert line.arrivals == [(0, start), (1000, text)]
    assert line.injected == [1]


def test_body_when_the_delay_is_over_then_comes_at_its_rate():
    line = between(delay=100, rate=20)
    line.client(GET)
    start, text = answer(b"abcde")
    line.server(start, text)
    line.wait(1000)
    # Ten pieces a second, and a byte takes a twentieth of one.
    assert line.arrivals == [
        (0, start), (200, b"ab"), (300, b"cd"), (350, b"e"),
    ]  # fmt: skip


def test_body_when_the_rate_is_less_than_a_piece_then_comes_byte_by_byte():
    line = between(delay=0, rate=4)
    line.client(GET)
    start, text = answer(b"abc")
    line.server(start, text)
    line.wait(1000)
    assert line.arrivals == [(0, start), (250, b"a"), (500, b"b"), (750, b"c")]


def test_body_when_the_server_is_slower_then_what_it_left_unused_is_not_made_up_for():
    line = between(delay=0, rate=10)
    line.client(GET)
    start, _ = answer(b"abcd")
    line.server(start, b"a")
    line.wait(500)
    line.server(b"bcd")
    line.wait(500)
    assert line.arrivals[1:] == [(100, b"a"), (600, b"b"), (700, b"c"), (800, b"d")]


def test_body_when_the_delay_is_over_already_then_passes():
    line = between(delay=100)
    line.client(GET)
    start, _ = answer(b"abcd")
    line.server(start)
    line.wait(100)
    line.server(b"ab", b"cd")
    assert line.arrivals == [(0, start), (100, b"ab"), (100, b"cd")]


def test_body_when_there_is_none_then_nothing_is_done_to_the_answer():
    line = between()
    line.client(GET + HEAD + GET)
    start, _ = answer(b"")
    line.server(EMPTY + answer(b"abc")[0] + start)
    assert line.to_client == EMPTY + answer(b"abc")[0] + start
    assert line.injected == []


def test_interim_answer_when_it_comes_then_passes_and_the_final_body_waits():
    line = between(delay=50)
    line.client(GET)
    start, text = answer(b"abc")
    line.server(HINTS + start + text)
    assert (line.to_client, line.injected) == (HINTS + start, [1])
    line.wait(50)
    assert line.to_client == HINTS + start + text


def test_answers_when_pipelined_then_the_next_head_waits_for_the_body_before_it():
    line = between(delay=100)
    line.client(GET * 3)
    start, text = answer(b"abc")
    line.server((start + text) * 2 + EMPTY)
    line.wait(250)
    assert line.to_client == (start + text) * 2 + EMPTY
    assert [ms for ms, _ in line.arrivals] == [0, 100, 100, 200, 200]


def test_answers_when_not_hit_then_keep_their_place():
    line = between(delay=100, hit={1})
    line.client(GET * 2)
    start, text = answer(b"abc")
    line.server((start + text) * 2)
    assert line.to_client == start
    line.wait(100)
    assert line.to_client == (start + text) * 2
    assert line.now == 100


def test_answer_when_neither_delay_nor_rate_then_passes_unsaid():
    line = between(delay=0)
    line.client(GET)
    start, text = answer(b"abc")
    line.server(start + text)
    assert (line.to_client, line.injected) == (start + text, [])
    assert between(delay=-5).seat.toxic.feed(head(b"h\n\nb"), t(0)) == [
        Chunk(b"h\n\n", t(0), 1),
        Chunk(b"b", t(0), 1),
    ]


def test_end_when_a_body_waits_then_passes_behind_it():
    line = between(delay=100)
    line.client(GET)
    line.server(b"HTTP/1.1 200 OK\r\n\r\nto the end")
    line.server_ends()
    line.wait(99)
    assert line.client_ended is None
    line.wait(1)
    assert line.to_client.endswith(b"to the end")
    assert line.client_ended == "eof"


def test_pieces_when_the_timer_is_late_then_are_stamped_with_the_instant_they_were_due():
    assert (
        play(trickle(100, 20))
        >> at(0, head(b"h\n\n", turn=7)) << Injected(7) << Chunk(b"h\n\n", t(0), 7)
        >> at(50, body(b"abcd", 50)) << WakeAt(t(200))
        >> at(150) << WakeAt(t(200))
        >> at(310) << Send(b"ab", t(200)) << Send(b"cd", t(300))
    )  # fmt: skip


def test_update_when_a_body_waits_then_delay_counts_from_its_head_and_rate_from_now():
    assert (
        play(trickle(1000))
        >> at(100, head(b"h\n\nabcdef")) << Injected(1) << Send(b"h\n\n") << WakeAt(t(1100))
        >> updated(200, delay=300, rate=10) << WakeAt(t(500))
        >> at(500) << Send(b"a") << WakeAt(t(600))
        >> at(600) << Send(b"b") << WakeAt(t(700))
        >> updated(650, delay=300, rate=40) << WakeAt(t(750))
        >> at(750) << Send(b"cdef")
    )  # fmt: skip


def test_update_when_the_rate_is_taken_away_then_the_rest_leaves_at_once():
    assert (
        play(trickle(0, 10))
        >> at(0, head(b"h\n\nabc")) << Injected(1) << Send(b"h\n\n") << WakeAt(t(100))
        >> at(100) << Send(b"a") << WakeAt(t(200))
        >> updated(150, delay=0, rate=0) << Send(b"bc")
    )  # fmt: skip


def test_removal_when_a_body_is_underway_then_the_rest_leaves_at_once():
    toxic = trickle(0, 10)
    assert (
        play(toxic)
        >> at(0, head(b"h\n\nab")) << Injected(1) << Send(b"h\n\n") << WakeAt(t(100))
        >> at(1, body(b"cd"))  << WakeAt(t(100))
        >> at(2, Close("eof")) << WakeAt(t(100))
        >> at(100) << Send(b"a") << WakeAt(t(200))
        >> removed(150) << Send(b"b", t(150)) << Send(b"cd") << Close("eof")
        >> at(200)
    )  # fmt: skip
    assert toxic.held == 0


def test_body_when_its_head_was_not_seen_here_then_passes():
    toxic = trickle()
    toxic.feed(head(b"h\n\nab"), t(0))
    toxic.remove(t(0))
    assert play(toxic) >> at(1, body(b"cd")) << Send(b"cd")


def test_held_when_a_body_waits_then_counts_it_with_its_overhead():
    toxic = trickle(0, 10)
    toxic.feed(head(b"h\n\nab"), t(0))
    toxic.feed(body(b"cd"), t(0))
    assert toxic.held == 2 * weight(body(b"ab"))
    toxic.wake(t(100))
    assert toxic.held == 2 * weight(body(b"ab")) - 1
    toxic.wake(t(400))
    assert toxic.held == 0


@given(
    delay=st.integers(0, 200),
    rate=st.integers(1, 2000),
    bodies=st.lists(st.binary(max_size=80), min_size=1, max_size=4),
    reads=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), max_size=30),
)
def test_bodies_when_split_anyhow_then_are_whole_in_order_and_never_early(
    delay, rate, bodies, reads
):
    line = between(delay, rate)
    line.client(GET * len(bodies))
    stream = b"".join(b"".join(answer(body)) for body in bodies)
    at = 0
    for size, pause in [*reads, (len(stream), 0)]:
        if stream[at : at + size]:
            line.server(stream[at : at + size])
        at += size
        line.wait(pause)
    line.wait(sum(delay + 1 + 1000 * len(body) // rate for body in bodies) + 1)
    assert (line.to_client, line.seat.held) == (stream, 0)
    place = 0
    for body in bodies:
        start, _ = answer(body)
        place += len(start)
        opened = time_of(line.arrivals, place - 1)
        for number in range(len(body)):
            assert (
                time_of(line.arrivals, place + number)
                >= opened + delay + 1000 * (number + 1) // rate
            )
        place += len(body)


def time_of(arrivals, place):
    """When the byte at ``place`` of the stream arrived."""
    for ms, data in arrivals:
        place -= len(data)
        if place < 0:
            return ms
    raise AssertionError("it never did")


@given(
    text=st.binary(min_size=1, max_size=100),
    rate=st.integers(1, 500),
    sizes=st.lists(st.integers(1, 50), max_size=20),
)
def test_body_when_there_at_once_then_its_last_byte_leaves_in_time_however_split(text, rate, sizes):
    line = between(100, rate)
    line.client(GET)
    start, _ = answer(text)
    line.server(start)
    at = 0
    for size in [*sizes, len(text)]:
        if text[at : at + size]:
            line.server(text[at : at + size])
        at += size
    due = 100 + -(-len(text) * 1000 // rate)
    line.wait(due - 1)
    assert len(line.to_client) < len(start + text)
    line.wait(1)
    assert line.to_client == start + text


def test_values_when_out_of_range_then_are_refused():
    for bad in ({"rate": -1}, {"delay": 2**62}):
        with pytest.raises(WireProblem, match=f"^{next(iter(bad))}: "):
            completed(Trickle.wire, bad)
    assert completed(Trickle.wire, {}) == {"delay": 1000, "rate": 0}


def test_params_when_said_for_the_wire_then_are_ms_and_bytes_a_second():
    assert Trickle.attributes(Trickle.Params()) == {"delay": 1000, "rate": 0}
    params = to_params(Trickle.Params, {"delay": "2s", "rate": "1KB/s"})
    assert Trickle.attributes(params) == {"delay": 2000, "rate": 1000}
    for bad in ({"rate": "0B/s"}, {"delay": "1us"}):
        with pytest.raises(UserError, match=f"^{next(iter(bad))}: "):
            Trickle.attributes(to_params(Trickle.Params, bad))


def test_kind_when_described_then_says_what_the_wire_shows():
    params = to_params(Trickle.Params, {"delay": "2s", "rate": "1KB/s"})
    second = Duration.of_s(1)
    assert Trickle.trace(params) == Trace(effect="delay", longest=None)
    assert Trickle.trace(Trickle.Params()) == Trace(effect="delay", longest=second)
    assert Trickle.words(params) == "bodies after 2 s at 1KB/s"
    assert Trickle.words(Trickle.Params()) == "bodies after 1 s"
    assert TOXICS["trickle"] is Trickle


def test_heads_when_one_waits_behind_a_body_then_each_is_told_of_its_own_observed_request():
    def asked(number, data):
        part = head(data, turn=1).part
        part = Part(data, number, first=True, last=False, head=part.head)
        return Chunk(data, t(0), 1, part, number)

    it = trickle(delay=100)
    first = it.feed(asked(7, b"one\n\nbody"), t(0))
    second = it.feed(asked(8, b"two\n\nbody"), t(1))
    later = it.wake(t(100))
    told = [
        [each for each in actions if isinstance(each, Injected)]
        for actions in (first, second, later)
    ]
    assert told == [[Injected(1, 7)], [], [Injected(1, 8)]]
