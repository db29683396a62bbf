"""Blackhole: what is answered, what is taken in, and that nothing comes back behind it."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.protocols.http_exchange import HttpExchange
from harness.protocols.turn_exchange import TurnExchange
from harness.proxy.items import Close, WakeAt
from harness.proxy.toxic import Trace
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.blackhole_after import BlackholeAfter
from harness.proxy.wire import WireProblem, completed
from tests.support.between import Between
from tests.support.playbook import at, play, t

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def values(**given):
    return completed(BlackholeAfter.wire, given)


def between(codec=TurnExchange, hit=None, **given):
    return Between(BlackholeAfter(values(**given), Random(1), {}), codec(), hit=hit)


def test_request_when_one_is_answered_then_the_second_reaches_the_server_and_nothing_comes_back():
    line = between(requests=1)
    line.client(b"ask")
    line.server(b"ans", b"wer")
    assert (line.to_client, line.injected) == (b"answer", [])
    line.client(b"ask", b" again")
    line.server(b"answer")
    line.client(b"and again")
    line.server(b"answer")
    assert (line.to_server, line.to_client) == (b"askask againand again", b"answer")
    assert (line.injected, line.over) == ([2], False)


def test_request_when_it_is_not_forwarded_then_the_server_sees_nothing_of_it():
    line = between(requests=1, forward=False)
    line.client(b"ask")
    line.server(b"answer")
    line.client(b"ask", b" again")
    line.server(b"by itself")
    assert (line.to_server, line.to_client) == (b"ask", b"answer")


def test_greeting_when_no_request_was_sent_then_passes():
    line = between()
    line.server(b"hello")
    line.client(b"ask")
    line.server(b"answer")
    assert (line.to_client, line.to_server) == (b"hello", b"ask")


def test_requests_when_pipelined_then_those_before_still_have_their_answers():
    line = between(HttpExchange, requests=2)
    line.client(GET + GET + POST + GET)
    line.server(OK + OK[:-1])
    line.server(OK[-1:] + OK + OK)
    assert (line.to_server, line.to_client) == (GET + GET + POST + GET, OK + OK)


def test_requests_when_not_all_are_hit_then_counts_the_hit_and_is_dark_for_all_behind():
    line = between(HttpExchange, hit={2, 3}, requests=1)
    line.client(GET)
    line.server(OK)
    line.client(GET + GET + GET)
    line.server(OK + OK + OK)
    assert (line.to_server, line.to_client) == (GET * 4, OK + OK)


def test_requests_when_not_forwarded_and_not_all_hit_then_none_behind_arrives():
    line = between(HttpExchange, hit={2}, forward=False)
    line.client(GET + POST[:-3])
    line.client(POST[-3:] + GET)
    line.server(OK)
    assert (line.to_server, line.to_client) == (GET, OK)


def test_stream_when_it_turns_unreadable_in_the_dark_then_stays_dark():
    line = between(HttpExchange)
    line.client(GET)
    line.client(b"\x00 no HTTP")
    line.server(b"\x00 neither")
    assert (line.to_server, line.to_client) == (GET + b"\x00 no HTTP", b"")


def test_time_when_it_is_over_then_the_connection_is_closed():
    toxic = BlackholeAfter(values(timeout=300), Random(1), {})
    line = Between(toxic, TurnExchange())
    line.wait(100)
    line.client(b"ask")
    line.wait(200)
    line.client(b"more of it")
    line.wait(99)
    assert not line.over
    line.wait(1)
    assert (line.client_ended, line.to_client) == ("end", b"")


def test_time_when_changed_in_the_dark_then_begins_anew():
    line = between(timeout=300)
    line.client(b"ask")
    line.wait(200)
    line.update(**values(timeout=400))
    line.wait(399)
    assert not line.over
    line.update(**values(timeout=400, requests=7))
    line.wait(1)
    assert line.client_ended == "end"


def test_time_when_taken_away_then_it_never_closes():
    line = between(timeout=300)
    line.client(b"ask")
    line.update(**values())
    line.wait(1000)
    assert not line.over


def test_wake_when_too_early_or_too_late_then_does_no_harm():
    line = between(timeout=300)
    line.client(b"ask")
    toxic = line.seat.toxic
    assert play(toxic) >> at(1) << WakeAt(t(300)) >> at(300) << Close("end") >> at(301)


def test_update_when_it_asks_for_more_requests_then_what_is_dark_stays_dark():
    line = between()
    line.client(b"ask")
    line.update(**values(requests=10))
    line.server(b"answer")
    assert line.to_client == b""


def test_update_when_not_dark_yet_then_the_count_is_kept():
    line = between(requests=5)
    for _ in range(2):
        line.client(b"ask")
        line.server(b"answer")
    line.update(**values(requests=3))
    for _ in range(2):
        line.client(b"ask")
        line.server(b"answer")
    assert line.to_client == b"answer" * 3


def test_forward_when_changed_in_the_dark_then_a_request_ends_as_it_began():
    line = between(HttpExchange)
    line.client(POST[:-3])
    line.update(**values(forward=False))
    line.client(POST[-3:] + GET)
    assert line.to_server == POST


def test_server_when_it_closes_in_the_dark_then_the_client_is_not_told():
    line = between()
    line.client(b"ask")
    line.server_ends()
    line.client(b"anybody?")
    assert (line.client_ended, line.to_server) == (None, b"ask")
    line.client_ends()
    assert (line.server_ended, line.client_ended) == ("eof", "eof")


def test_client_when_it_closes_in_the_dark_then_the_servers_end_may_pass():
    line = between()
    line.client(b"ask")
    line.client_ends()
    line.server(b"answer")
    assert (line.server_ended, line.client_ended) == ("eof", None)
    line.server_ends()
    assert (line.client_ended, line.to_client) == ("eof", b"")


def test_client_when_it_closes_and_no_server_was_dialled_then_the_connection_ends():
    line = between(forward=False)
    line.client(b"ask")
    line.client_ends()
    assert line.client_ended == "end"


@pytest.mark.parametrize("how", ["end", "reset"])
def test_connection_when_it_is_gone_in_the_dark_then_is_let_go(how):
    line = between()
    line.client(b"ask")
    line.server_ends(how)
    assert line.client_ended == how


def test_end_when_it_is_not_dark_then_passes():
    line = between(requests=1)
    line.client(b"ask")
    line.server_ends()
    assert line.client_ended == "eof"


def test_removal_when_nothing_is_lost_yet_then_the_answer_still_comes():
    line = between()
    line.client(b"ask")
    line.remove()
    line.server(b"answer")
    assert (line.to_client, line.over) == (b"answer", False)


@pytest.mark.parametrize("forward", [True, False])
def test_removal_when_bytes_are_lost_then_the_connection_ends(forward):
    line = between(forward=forward)
    line.client(b"ask")
    if forward:
        line.server(b"answer")
    line.remove()
    assert line.client_ended == "end"


def test_removal_when_only_the_end_was_kept_then_it_passes():
    line = between()
    line.client(b"ask")
    line.server_ends()
    line.remove()
    assert line.client_ended == "eof"


@pytest.mark.parametrize(
    ("given_values", "needs"),
    [
        ({}, True),
        ({"forward": False}, False),
        ({"forward": False, "requests": 1}, True),
    ],
)
def test_server_when_no_byte_can_reach_it_then_need_not_be_dialled(given_values, needs):
    assert BlackholeAfter(values(**given_values), Random(1), {}).needs_upstream() is needs


@given(
    requests=st.integers(0, 4),
    forward=st.booleans(),
    bodies=st.lists(st.sampled_from([GET, POST]), min_size=1, max_size=6),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=40),
)
def test_answers_when_split_anyhow_then_exactly_so_many_come(requests, forward, bodies, sizes):
    line = between(HttpExchange, requests=requests, forward=forward)
    arrived = bodies if forward else bodies[:requests]
    for send, data in ((line.client, b"".join(bodies)), (line.server, OK * len(arrived))):
        at = 0
        for size in [*sizes, 10_000]:
            if at < len(data):
                send(data[at : at + size])
            at += size
    assert line.to_server == b"".join(arrived)
    assert line.to_client == OK * min(requests, len(bodies))


def test_values_when_out_of_range_then_are_refused():
    for bad in ({"requests": -1}, {"forward": 1}, {"timeout": 2**63 - 1}):
        with pytest.raises(WireProblem, match=f"^{next(iter(bad))}: "):
            values(**bad)


def test_params_when_said_for_the_wire_then_have_whole_milliseconds():
    assert BlackholeAfter.attributes(BlackholeAfter.Params()) == values()
    params = to_params(BlackholeAfter.Params, {"requests": 2, "forward": False, "timeout": "3s"})
    assert BlackholeAfter.attributes(params) == values(requests=2, forward=False, timeout=3000)
    for bad in ({"requests": -1}, {"timeout": "1us"}):
        with pytest.raises(UserError, match=f"^{next(iter(bad))}: "):
            BlackholeAfter.attributes(to_params(BlackholeAfter.Params, bad))


def test_kind_when_described_then_says_what_the_wire_shows():
    assert BlackholeAfter.trace(BlackholeAfter.Params()) == Trace(effect="silence")
    assert BlackholeAfter.words(BlackholeAfter.Params()) == "nothing answered after 0 requests"
    one = BlackholeAfter.Params(requests=1)
    assert BlackholeAfter.words(one) == "nothing answered after 1 request"
    assert TOXICS["blackhole_after"] is BlackholeAfter
