"""What the hop saw: by our ids, each request's arrival and end journalled once, under the phase that was on."""

import asyncio

import pytest
from msgspec.structs import replace

from harness.model.breaker import IdCarrier
from harness.model.events import (
    AnyEvent,
    HopRead,
    HopRequestArrived,
    HopRequestEnded,
    LoopLagged,
)
from harness.model.units import Duration, Instant
from harness.proxy.client import ProxyServer
from harness.proxy.request_log import Request, RequestPage
from harness.runner.breaker.hop_log import HopLog
from harness.runner.breaker.instances import Instances

OPEN = Request(
    conn=1,
    seq=1,
    peer=4711,
    method="POST",
    rid="carried-1",
    arrived=Instant.of_ns(100),
    ended=None,
    end="open",
    status=None,
    began=False,
    injected=(),
)
ENDED = replace(
    OPEN, end="answered", ended=Instant.of_ns(150), status=200, began=True, injected=("p.status",)
)


class Hop:
    """In the place of the proxy: ``ended`` in order, ``open`` beside them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ended: list[Request] = []
        self.open: list[Request] = []
        self.dropped = self.unreadable = 0
        self.lag = Duration.ZERO
        self.observed: list[IdCarrier | None] = []
        self.asked: list[int] = []
        monkeypatch.setattr(ProxyServer, "requests", lambda _s, _p, after: self._page(after))
        monkeypatch.setattr(ProxyServer, "observe", lambda _s, _p, how: self.observed.append(how))

    def _page(self, after: int) -> RequestPage:
        self.asked.append(after)
        return RequestPage(
            requests=(*self.ended[after:], *self.open),
            next=len(self.ended),
            more=False,
            dropped=self.dropped,
            connections=3,
            open=2,
            unreadable=self.unreadable,
            upgraded=0,
            held=0,
            lag=self.lag,
            taken=Instant.of_ns(1),
        )


@pytest.fixture
def hop(monkeypatch: pytest.MonkeyPatch) -> Hop:
    return Hop(monkeypatch)


def a_log(events: list[AnyEvent], instances: Instances | None = None) -> HopLog:
    return HopLog(
        hop="bank",
        admin="http://127.0.0.1:1",
        proxy="bank",
        carrier=IdCarrier(),
        ours={"carried-1": "r1"},
        record=events.append,
        instances=instances or Instances(None),
    )


def of(events: list[AnyEvent], *kinds: type) -> list[str]:
    return [type(event).__name__ for event in events if isinstance(event, kinds)]


def test_read_when_a_request_ends_in_a_later_phase_then_its_arrival_is_told_once(hop: Hop):
    events: list[AnyEvent] = []

    async def scenario() -> None:
        log = a_log(events)
        hop.open = [OPEN]
        await log.read("one")
        hop.open, hop.ended = [], [ENDED]
        await log.read("two")
        await log.read("three")

    asyncio.run(scenario())
    requests = [e for e in events if isinstance(e, HopRequestArrived | HopRequestEnded)]
    assert [(type(e).__name__, e.phase) for e in requests] == [
        ("HopRequestArrived", "one"),
        ("HopRequestEnded", "two"),
    ]
    assert requests[1].injected == ("p.status",)
    assert [e.requests for e in events if isinstance(e, HopRead)] == [1, 0, 0]


def test_poll_when_the_carrier_holds_our_id_then_it_is_found_by_it_and_others_by_their_own(
    hop: Hop,
):
    async def scenario() -> HopLog:
        log = a_log([])
        hop.open = [OPEN, replace(OPEN, conn=2, rid="theirs"), replace(OPEN, conn=3, rid=None)]
        await log.poll()
        return log

    log = asyncio.run(scenario())
    assert [request.conn for request in log.arrivals("r1")] == [1]
    assert [request.conn for request in log.arrivals("theirs")] == [2]
    assert log.arrivals("carried-1") == []


def test_poll_when_a_request_was_open_then_its_end_replaces_it(hop: Hop):
    async def scenario() -> HopLog:
        log = a_log([])
        hop.open = [OPEN]
        await log.poll()
        hop.open, hop.ended = [], [ENDED]
        await log.poll()
        return log

    log = asyncio.run(scenario())
    assert [request.end for request in log.arrivals("r1")] == ["answered"]
    assert hop.asked == [0, 0]


def test_poll_when_a_call_is_sorted_after_its_phase_was_read_then_its_arrivals_are_still_known(
    hop: Hop,
):
    async def scenario() -> HopLog:
        log = a_log([])
        hop.ended = [ENDED]
        await log.read("one")
        await log.poll()
        return log

    log = asyncio.run(scenario())
    assert len(log.arrivals("r1")) == 1
    assert log.since(Instant.of_ns(0)) == []


def test_since_when_some_came_before_then_only_the_later_ones_are_meant(hop: Hop):
    async def scenario() -> HopLog:
        log = a_log([])
        late = replace(OPEN, conn=2, rid="late", arrived=Instant.of_ns(300))
        hop.open = [replace(OPEN, conn=3, arrived=Instant.of_ns(400)), late, OPEN]
        await log.poll()
        return log

    log = asyncio.run(scenario())
    assert [request.conn for request in log.since(Instant.of_ns(300))] == [3, 2]
    assert log.first_since(Instant.of_ns(101)) == "late"
    assert log.first_since(Instant.of_ns(401)) is None


def test_read_when_the_log_lost_some_then_each_phase_is_told_its_own(hop: Hop):
    events: list[AnyEvent] = []

    async def scenario() -> None:
        log = a_log(events)
        hop.dropped, hop.unreadable, hop.lag = 3, 1, Duration.of_ms(9)
        await log.read("one")
        hop.dropped, hop.lag = 5, Duration.ZERO
        await log.read("two")

    asyncio.run(scenario())
    reads = [e for e in events if isinstance(e, HopRead)]
    assert [(e.dropped, e.unreadable) for e in reads] == [(3, 1), (2, 0)]
    assert reads[0].until == reads[1].since
    lags = [(e.phase, e.worst) for e in events if isinstance(e, LoopLagged)]
    assert lags == [("one", Duration.of_ms(9)), ("two", Duration.ZERO)]


def test_begin_when_the_hop_saw_requests_before_then_it_is_told_to_look_from_now_on(hop: Hop):
    async def scenario() -> None:
        log = a_log([])
        await log.begin()
        await log.end()

    asyncio.run(scenario())
    assert hop.observed == [IdCarrier(), None]


def test_poll_when_connections_are_new_then_their_process_is_looked_for(hop: Hop):
    class Known(Instances):
        async def look(self, connections: object) -> None:
            asked.append(connections)

        def of(self, connection: int) -> str | None:
            return f"process of {connection}"

    asked: list[object] = []
    events: list[AnyEvent] = []

    async def scenario() -> None:
        hop.open = [OPEN, replace(OPEN, conn=2, peer=None)]
        await a_log(events, Known(1)).read("one")

    asyncio.run(scenario())
    assert asked == [{1: 4711}]
    assert [e.instance for e in events if isinstance(e, HopRequestArrived)] == [
        "process of 1",
        "process of 2",
    ]


@pytest.mark.parametrize(
    ("waited", "found"),
    [([600, 604, 610], 604), ([600, 604], None), ([200, 600, 1500], None), ([], None)],
)
def test_given_up_when_calls_were_abandoned_alike_then_that_is_how_long_it_waits(
    hop: Hop, waited: list[int], found: int | None
) -> None:
    hop.ended = [
        replace(
            ENDED, seq=seq, end="abandoned", status=None, ended=OPEN.arrived + Duration.of_ms(each)
        )
        for seq, each in enumerate(waited, 1)
    ]
    # One that was answered says nothing of patience.
    hop.ended.append(replace(ENDED, seq=99, ended=OPEN.arrived + Duration.of_ms(9)))
    log = a_log([])
    asyncio.run(log.poll())
    expected = None if found is None else Duration.of_ms(found)
    assert log.given_up_after(OPEN.arrived) == expected
