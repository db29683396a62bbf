"""What the hops saw, round by round: turns once each, bytes as differences, open turns shown."""

import asyncio

import pytest

from harness.model.events import AnyEvent, HopCounted, HopRequestArrived, HopRequestEnded
from harness.model.units import Instant
from harness.proxy.client import ProxyServer, Turn, TurnPage
from harness.runner.wire import Quiet, Watched, Wire

WATCHED = {"db": Watched(hop="db", admin="http://127.0.0.1:1", proxy="db")}


def turn(seq: int, arrived: int, end: str = "answered") -> Turn:
    return Turn(
        conn=1,
        seq=seq,
        arrived=Instant.of_ns(arrived),
        upstream=Instant.of_ns(arrived + 1),
        ended=Instant.of_ns(arrived + 2),
        end=end,  # type: ignore[arg-type]  # one of the words, checked by whoever made it
        injected=(),
    )


@pytest.fixture
def hop(monkeypatch: pytest.MonkeyPatch) -> list[Turn]:
    """The turns the hop has seen; the test appends. Each counts ten bytes either way."""
    turns: list[Turn] = []

    def page(_server: ProxyServer, _proxy: str, after: int = 0) -> TurnPage:
        ended = [t for t in turns if t.end != "open"]
        return TurnPage(
            turns=(*ended[after:], *(t for t in turns if t.end == "open")),
            next=len(ended),
            dropped=0,
            connections=1,
            bytes_up=10 * len(turns),
            bytes_down=10 * len(turns),
        )

    monkeypatch.setattr(ProxyServer, "turns", page)
    return turns


def test_finish_when_turns_came_before_and_in_the_round_then_only_the_rounds_are_journalled(
    hop: list[Turn],
):
    events: list[AnyEvent] = []

    async def scenario() -> None:
        wire = Wire(WATCHED)
        hop.append(turn(1, 100))
        await wire.begin()
        hop.extend([turn(2, 200), turn(3, 300)])
        await wire.finish(round=4, since=Instant.of_ns(150), record=events.append)

    asyncio.run(scenario())
    assert [e.seq for e in events if isinstance(e, HopRequestArrived)] == [2, 3]
    assert [e.seq for e in events if isinstance(e, HopRequestEnded)] == [2, 3]
    (counted,) = [e for e in events if isinstance(e, HopCounted)]
    assert (counted.round, counted.turns, counted.bytes_up, counted.bytes_down) == (4, 2, 20, 20)


def test_finish_when_a_turn_is_still_open_then_it_arrived_and_has_no_end(hop: list[Turn]):
    events: list[AnyEvent] = []

    async def scenario() -> None:
        wire = Wire(WATCHED)
        await wire.begin()
        hop.append(turn(1, 200, "open"))
        await wire.finish(round=1, since=Instant.of_ns(150), record=events.append)

    asyncio.run(scenario())
    assert [type(e) for e in events[:-1]] == [HopRequestArrived]


def test_begin_when_a_second_round_starts_then_the_firsts_turns_are_forgotten(hop: list[Turn]):
    async def scenario() -> list[Turn]:
        wire = Wire(WATCHED)
        await wire.begin()
        hop.append(turn(1, 100))
        await wire.look()
        await wire.begin()
        hop.append(turn(2, 200))
        await wire.look()
        return wire.turns("db", since=Instant.of_ns(0))

    assert [t.seq for t in asyncio.run(scenario())] == [2]


def test_look_when_nothing_passes_between_two_looks_then_they_are_equal(hop: list[Turn]):
    async def scenario() -> list[Quiet]:
        wire = Wire(WATCHED)
        hop.append(turn(1, 100))
        looks = [await wire.look(), await wire.look()]
        hop.append(turn(2, 200))
        return [*looks, await wire.look()]

    assert asyncio.run(scenario()) == [Quiet(moved=moved, held=0) for moved in (20, 20, 40)]


def test_look_when_toxics_keep_bytes_back_then_all_hops_are_added_up(
    monkeypatch: pytest.MonkeyPatch,
):
    page = TurnPage(turns=(), next=0, dropped=0, connections=1, bytes_up=1, bytes_down=2, held=300)
    monkeypatch.setattr(ProxyServer, "turns", lambda *_: page)
    two = {"web": Watched(hop="web", admin="http://127.0.0.1:1", proxy="web"), **WATCHED}
    assert asyncio.run(Wire(two).look()) == Quiet(moved=6, held=600)


def test_turns_when_one_is_still_open_then_it_is_the_last_of_them(hop: list[Turn]):
    async def scenario() -> list[Turn]:
        wire = Wire(WATCHED)
        hop.extend([turn(1, 100, "open"), turn(2, 200), turn(3, 50, "open")])
        await wire.look()
        return wire.turns("db", since=Instant.of_ns(80))

    assert [(t.seq, t.end) for t in asyncio.run(scenario())] == [(2, "answered"), (1, "open")]
