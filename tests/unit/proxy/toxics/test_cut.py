"""Cut: exactly so many bytes or messages pass, or exactly so long, and then both sides end."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.protocols.http_exchange import HttpExchange
from harness.protocols.turn_exchange import TurnExchange
from harness.proxy.items import Chunk, Close, Injected, WakeAt
from harness.proxy.toxic import Trace
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.cut import Cut
from harness.proxy.wire import WireProblem, completed
from tests.support.between import Between
from tests.support.playbook import Send, at, play, removed, started, t, updated
from tests.support.toxic_run import drive, steps_of

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def values(**given):
    made = completed(Cut.wire, given)
    Cut.check(made)
    return made


def cut(**given):
    return Cut(values(**given), Random(1), {})


def between(codec=TurnExchange, own="downstream", hit=None, **given):
    return Between(cut(**given), codec(), own=own, hit=hit)


def test_bytes_when_the_last_one_passes_then_both_sides_end_right_behind_it():
    assert (
        play(cut(bytes=5))
        >> at(0, b"abc") << Send(b"abc")
        >> at(1, b"de") << Injected(0) << Send(b"de") << Close("reset")
        >> at(2, b"f")
        >> at(3, Close("eof"))
    )  # fmt: skip


def test_bytes_when_more_come_at_once_then_exactly_so_many_pass():
    assert (
        play(cut(bytes=2, how="close"))
        >> at(0, Chunk(b"abc", t(0), 7))
        << Injected(7)
        << Chunk(b"ab", t(0), 7)
        << Close("end")
    )


def test_bytes_when_none_may_pass_then_ends_at_the_first_and_not_before():
    assert play(cut(bytes=0)) >> started(0) >> at(900, b"a") << Injected(0) << Close("reset")


def test_end_when_the_stream_has_it_before_then_passes():
    assert play(cut(bytes=5)) >> at(0, b"a") << Send(b"a") >> at(1, Close("eof")) << Close("eof")


def test_bytes_when_the_limit_changes_then_what_passed_stays_counted():
    assert (
        play(cut(bytes=10))
        >> at(0, b"12345678") << Send(b"12345678")
        >> updated(1, bytes=12, how="close")
        >> at(2, b"abc") << Send(b"abc")
        >> updated(3, bytes=5, how="close")
        >> at(4, b"d") << Injected(0) << Close("end")
    )  # fmt: skip


def test_removal_when_bytes_were_counted_then_the_connection_goes_on():
    assert (
        play(cut(bytes=5))
        >> at(0, b"abc") << Send(b"abc")
        >> removed(1)
        >> at(2, b"abc") << Send(b"abc")
    )  # fmt: skip


def test_time_when_it_is_over_then_ends_traffic_or_not():
    assert (
        play(cut(after_ms=300))
        >> started(100) << WakeAt(t(400))
        >> at(200, Chunk(b"a", t(200), 4)) << Chunk(b"a", t(200), 4)
        >> at(399) << WakeAt(t(400))
        >> at(400) << Injected(4) << Close("reset")
        >> at(401)
        >> at(402, b"a")
    )  # fmt: skip
    assert (
        play(cut(after_ms=0, how="close"))
        >> started(0)
        << WakeAt(t(0))
        >> at(0)
        << Injected(0)
        << Close("end")
    )


def test_time_when_changed_then_counts_from_its_beginning():
    assert (
        play(cut(after_ms=300))
        >> started(0) << WakeAt(t(300))
        >> updated(200, after_ms=500, how="reset") << WakeAt(t(500))
        >> at(300) << WakeAt(t(500))
        >> updated(301, after_ms=100, how="reset") << WakeAt(t(100))
        >> at(301) << Injected(0) << Close("reset")
        >> updated(302, after_ms=100, how="reset")
    )  # fmt: skip


def test_time_when_the_toxic_goes_or_the_stream_is_over_then_nothing_happens():
    assert play(cut(after_ms=9)) >> started(0) << WakeAt(t(9)) >> removed(1) >> at(9)
    assert (
        play(cut(after_ms=9))
        >> started(0) << WakeAt(t(9))
        >> at(1, Close("eof")) << Close("eof")
        >> at(9)
    )  # fmt: skip


def test_messages_when_downstream_and_none_then_the_server_did_it_and_the_client_hears_nothing():
    line = between(messages=0)
    line.client(b"ask")
    line.server(b"answer")
    assert (line.to_server, line.to_client) == (b"ask", b"")
    assert (line.client_ended, line.injected) == ("reset", [1])


def test_messages_when_upstream_and_none_then_the_request_never_arrives():
    line = between(own="upstream", messages=0, how="close")
    line.client(b"ask")
    assert (line.to_server, line.server_ended) == (b"", "end")


def test_messages_when_their_end_is_not_known_then_ends_at_the_beginning_of_the_next():
    line = between(messages=2)
    line.client(b"ask")
    line.server(b"an", b"swer")
    line.client(b"ask")
    line.server(b"an", b"swer")
    assert not line.over
    line.client(b"ask")
    line.server(b"answer")
    assert (line.to_client, line.client_ended) == (b"answeranswer", "reset")


def test_messages_when_their_end_is_known_then_ends_right_behind_the_last():
    line = between(HttpExchange, messages=2)
    line.client(GET * 3)
    line.server(CONTINUE + OK + CONTINUE + OK + OK)
    assert line.to_client == CONTINUE + OK + CONTINUE + OK
    assert line.client_ended == "reset"


def test_messages_when_none_then_not_even_an_interim_answer_passes():
    line = between(HttpExchange, messages=0)
    line.client(GET)
    line.server(CONTINUE)
    assert (line.to_client, line.client_ended) == (b"", "reset")


def test_messages_when_only_some_are_hit_then_only_those_count():
    line = between(HttpExchange, hit={2, 3}, messages=1)
    line.client(GET * 3)
    line.server(OK)
    assert not line.over
    line.server(OK)
    assert (line.to_client, line.client_ended) == (OK + OK, "reset")


def test_messages_when_the_limit_is_lowered_then_what_passed_stays_counted():
    line = between(HttpExchange, messages=5)
    line.client(GET * 3)
    line.server(OK + OK)
    line.update(**values(messages=1))
    assert not line.over
    line.server(OK)
    assert (line.to_client, line.client_ended) == (OK + OK, "reset")


def test_framing_when_bytes_or_time_are_counted_then_there_is_none():
    assert cut(messages=1).framed
    assert not cut(bytes=1).framed
    assert not cut(after_ms=1).framed


@given(
    limit=st.integers(0, 60),
    pieces=st.lists(st.binary(min_size=1, max_size=20), max_size=12),
)
def test_bytes_when_split_anyhow_then_exactly_so_many_pass(limit, pieces):
    toxic, sent = cut(bytes=limit), b"".join(pieces)
    actions = [action for piece in pieces for action in toxic.feed(Chunk(piece, t(0)), t(0))]
    assert b"".join(a.data for a in actions if isinstance(a, Chunk)) == sent[:limit]
    reached = bool(sent) and len(sent) >= limit
    assert [a for a in actions if isinstance(a, Close)] == [Close("reset")] * reached
    assert not reached or actions[-1] == Close("reset")


@given(
    own=st.sampled_from(["upstream", "downstream"]),
    limit=st.integers(0, 4),
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=40),
)
def test_messages_when_split_anyhow_then_exactly_so_many_pass(own, limit, sizes):
    line = between(HttpExchange, own=own, messages=limit)
    for send, data in ((line.client, GET * 3), (line.server, OK * 3)):
        at = 0
        for size in [*sizes, 10_000]:
            if at < len(data):
                send(data[at : at + size])
            at += size
    passed = line.to_client if own == "downstream" else line.to_server
    assert passed == (OK if own == "downstream" else GET) * min(limit, 3)
    assert line.over is (limit <= 3)


LIMITS = st.one_of(
    st.fixed_dictionaries({"bytes": st.integers(0, 900)}),
    st.fixed_dictionaries({"after_ms": st.integers(0, 900)}),
)


@given(data=st.data(), first=LIMITS)
def test_stream_when_anything_happens_then_what_passes_is_a_prefix(data, first):
    name = next(iter(first))
    changes = LIMITS.filter(lambda made: name in made).map(lambda made: made | {"how": "reset"})
    run = drive(lambda: cut(**first), data.draw(steps_of(changes)), keeps=False)
    run.finish()
    assert run.out == run.fed or run.closed == "reset"


@pytest.mark.parametrize(
    ("given_values", "message"),
    [
        ({}, "bytes, messages, after_ms: none given, give exactly one"),
        ({"bytes": 1, "after_ms": 1}, "bytes, messages, after_ms: bytes and after_ms given"),
        ({"bytes": -1}, "bytes: -1 is out of range"),
        ({"messages": -1}, "messages: -1 is out of range"),
        ({"after_ms": -1}, "after_ms: -1 is out of range"),
        ({"after_ms": 9_223_372_036_855}, "after_ms: "),
        ({"bytes": 1, "how": "gently"}, "how: 'gently' is unknown, use reset or close"),
    ],
)
def test_values_when_not_exactly_one_limit_in_range_then_are_refused(given_values, message):
    with pytest.raises(WireProblem, match=f"^{message}"):
        values(**given_values)


@pytest.mark.parametrize(
    ("given_params", "said", "words"),
    [
        ({"bytes": "1KiB"}, {"bytes": 1024}, "reset after 1KiB"),
        ({"messages": 1}, {"messages": 1}, "reset after 1 message"),
        ({"messages": 2}, {"messages": 2}, "reset after 2 messages"),
        (
            {"after": "2s", "how": "close"},
            {"after_ms": 2000, "how": "close"},
            "close after 2 s",
        ),
    ],
)
def test_params_when_said_then_are_one_limit(given_params, said, words):
    params = to_params(Cut.Params, given_params)
    assert Cut.attributes(params) == values(**said)
    assert Cut.words(params) == words
    assert Cut.trace(params) == Trace(effect="end")


@pytest.mark.parametrize(
    ("given_params", "message"),
    [
        ({}, "^cut: none given of bytes, messages and after. Give exactly one.$"),
        ({"bytes": "1B", "after": "1s"}, "^cut: bytes and after given"),
        ({"messages": -1}, "^messages: -1 is out of range"),
        ({"after": "1us"}, "^after: "),
        ({"bytes": "-1B"}, "^bytes: "),
    ],
)
def test_params_when_they_cannot_be_said_then_the_user_is_told(given_params, message):
    with pytest.raises(UserError, match=message):
        Cut.attributes(to_params(Cut.Params, given_params))


def test_cut_when_asked_for_by_its_word_then_is_found():
    assert TOXICS["cut"] is Cut
