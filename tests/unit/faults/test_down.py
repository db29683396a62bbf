"""Down as a fault: the proxy is disabled and enabled again, and what shows it are connections."""

import shlex
from typing import Any

import pytest

from harness.faults.down import Down, undo_from
from harness.faults.fault import LAPSED, HopOnProxy, Terms
from harness.model.plan import FaultStep
from harness.model.units import Duration, Instant
from harness.proxy.client import Counts, ProxyCallFailed, ProxyServer, ProxyUnreachable, Turn
from tests.unit.faults.test_toxic import BEFORE, HERE

STEP = FaultStep(id="down@db", kind="down", on="db", params={}, stream=None)
TERMS = Terms(seed=1)
ms = Duration.of_ms


class Server:
    """A proxy that can be switched; ``counts`` is what it, or the hop before it, says then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.enabled: bool | None = True
        self.leases: list[str | None] = []
        self.counts: Counts | Exception = Counts(connections=0, open=0)
        monkeypatch.setattr(ProxyServer, "proxy", lambda _s, _p: self._shown())
        monkeypatch.setattr(ProxyServer, "enable", lambda _s, _p: self._switch(on=True))
        monkeypatch.setattr(ProxyServer, "disable", lambda _s, _p, *, lease: self._off(lease))
        monkeypatch.setattr(ProxyServer, "counts", lambda _s, _p: self._counted())

    def _shown(self) -> Any:
        class Shown:
            enabled = self.enabled

        return None if self.enabled is None else Shown

    def _switch(self, *, on: bool) -> None:
        self.enabled = on

    def _off(self, lease: str | None) -> None:
        self.leases.append(lease)
        self._switch(on=False)

    def _counted(self) -> Counts:
        if isinstance(self.counts, Exception):
            raise self.counts
        return self.counts


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(monkeypatch)


def down(hop: HopOnProxy = HERE) -> Down:
    return Down(STEP, hop, round=1)


def a_turn(arrived: Instant, ended: Instant, end: str = "cut") -> Turn:
    return Turn(
        conn=1,
        seq=1,
        arrived=arrived,
        upstream=None,
        ended=ended,
        end=end,
        injected=(),  # type: ignore[arg-type]  # one of the words
    )


def test_fault_when_applied_and_undone_then_the_proxy_is_off_and_on_again(server: Server):
    fault = down()
    assert fault.intend().kind == "down"
    fault.apply(Terms(seed=1, lease="l-1"))
    assert (server.enabled, server.leases) == (False, ["l-1"])
    undone = fault.undo()
    assert (server.enabled, undone.found, undone.as_applied) == (True, True, True)


def test_undo_from_when_only_the_intention_is_known_then_the_proxy_is_on_again(server: Server):
    event = down().intend()
    server.enabled = False
    assert undo_from(event)
    assert server.enabled
    assert not undo_from(event)
    server.enabled = None
    assert not undo_from(event)


def test_apply_when_it_is_down_already_then_it_is_refused_for_it_is_not_ours_to_undo(
    server: Server,
):
    server.enabled = False
    with pytest.raises(ProxyCallFailed, match="down already"):
        down().apply(TERMS)
    assert server.leases == []


@pytest.mark.parametrize("lapsed", [False, True])
def test_undo_when_it_was_up_already_then_somebody_did_that_or_the_lease(
    server: Server, lapsed: bool
):
    lapses = [0]
    fault = down()
    fault.apply(Terms(seed=1, lease="l-1", lapses=lambda: lapses[0]))
    lapses[0] += lapsed
    server.enabled = True
    undone = fault.undo()
    assert (undone.found, undone.why) == (False, LAPSED if lapsed else "")


def test_remains_when_it_could_not_be_undone_then_the_command_lets_it_listen_again():
    what, command = down().remains
    assert "harness-r-db" in what
    assert shlex.split(command) == [
        "curl", "-d", '{"enabled": true}', "http://127.0.0.1:8474/proxies/harness-r-db"
    ]  # fmt: skip


def test_verify_on_our_own_proxy_when_connections_were_open_then_they_show_it(server: Server):
    server.counts = Counts(connections=9, open=3)
    fault = down()
    fault.apply(TERMS)
    fault.undo()
    found = fault.verify([], [])
    assert (found.messages, found.hit, found.missed, found.of) == (3, 3, 0, "connection")
    assert found.summary == "down seen on 3 connections of hop db"


@pytest.mark.parametrize("counts", [Counts(connections=9), ProxyUnreachable("gone")])
def test_verify_on_our_own_proxy_when_it_does_not_count_then_messages_that_were_cut_show_it(
    server: Server, counts: Counts | Exception
):
    server.counts = counts
    fault = down()
    applied = fault.apply(TERMS)
    fault.undo()
    cut = a_turn(applied.asked - ms(5), applied.confirmed)
    before = a_turn(applied.asked - ms(5), applied.asked - ms(1))
    answered = a_turn(applied.asked - ms(5), applied.confirmed, "answered")
    assert fault.verify([cut, before, answered], []).hit == 1


def test_verify_on_our_own_proxy_when_nobody_was_connected_then_it_says_why_nothing_is_seen(
    server: Server,
):
    fault = down()
    fault.apply(TERMS)
    server.counts = Counts(connections=20, open=0)
    fault.undo()
    found = fault.verify([], [])
    assert (found.hit, found.of) == (0, "connection")
    assert "nobody sees who dials a closed port" in found.unseen


def test_verify_before_a_foreign_one_when_it_is_dialled_in_vain_since_the_release_then_seen(
    server: Server,
):
    fault = down(BEFORE)
    server.counts = Counts(connections=5)
    fault.apply(TERMS)
    server.counts = Counts(connections=7)
    assert fault.asks_before_release
    fault.before_release()
    server.counts = Counts(connections=10)
    fault.undo()
    assert fault.verify([], []).hit == 3


def test_verify_before_a_foreign_one_when_its_hop_counts_from_anew_then_no_less_than_none(
    server: Server,
):
    fault = down(BEFORE)
    server.counts = Counts(connections=5)
    fault.apply(TERMS)
    server.counts = Counts(connections=4)
    fault.undo()
    found = fault.verify([], [])
    assert (found.hit, found.messages) == (0, 0)
    assert "seen on" not in found.summary


def test_verify_before_a_foreign_one_when_nobody_dials_then_it_is_not_seen(server: Server):
    fault = down(BEFORE)
    server.counts = Counts(connections=5, open=5)
    fault.apply(TERMS)
    fault.undo()
    found = fault.verify([], [])
    assert (found.hit, found.unseen) == (0, "nobody dialled it, and no message was under way")


def test_verify_when_undone_before_the_release_then_connections_that_it_ended_are_no_evidence(
    server: Server,
):
    server.counts = Counts(connections=9, open=3)
    fault = down()
    fault.apply(TERMS)
    undone = fault.undo()
    found = fault.verify([], [], released=undone.confirmed)
    assert (found.messages, found.hit, found.of) == (0, 0, "connection")
    assert found.unseen == "it was over before the first request was released"
    assert fault.verify([], [], released=undone.asked - ms(1000)).hit == 3


@pytest.mark.parametrize("before", [(3, 1), (1, 3)], ids=["were-ending", "came-meanwhile"])
def test_verify_when_connections_were_there_for_a_moment_then_they_are_no_evidence(
    server: Server, monkeypatch: pytest.MonkeyPatch, before: tuple[int, int]
):
    """Those that a client has just closed are still open when they are first counted."""
    looks = iter(before)
    monkeypatch.setattr(
        ProxyServer, "counts", lambda _s, _p: Counts(connections=9, open=next(looks))
    )
    fault = down()
    fault.apply(TERMS)
    fault.undo()
    assert fault.verify([], []).hit == 1


def test_verify_before_a_foreign_proxy_when_nobody_looked_before_the_release_then_dials_are_none(
    server: Server,
):
    server.counts = Counts(connections=4)
    fault = down(BEFORE)
    applied = fault.apply(TERMS)
    server.counts = Counts(connections=24)
    fault.undo()
    assert fault.verify([], []).hit == 20
    assert fault.verify([], [], released=applied.asked).hit == 0
