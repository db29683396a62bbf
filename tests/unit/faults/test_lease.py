"""Leases of a run: one a server, renewed while the run lives, begun anew when one ended, given up."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from harness.faults.lease import HeldLeases
from harness.model.units import Duration
from harness.proxy.client import ProxyUnreachable
from tests.support.waiting import until, until_sync

# Short enough that a test sees renewals, and nothing here depends on how many there are.
TTL = Duration.of_ms(30)
WITHIN = Duration.of_s(10)
ADMIN = "http://127.0.0.1:1"


class Server:
    """Grants leases in order; ``ended`` ones are not renewed, ``fails`` is raised by the next calls."""

    def __init__(self, *, has_leases: bool = True) -> None:
        self.asked: list[str] = []
        self.has_leases = has_leases
        self.ended: set[str] = set()
        self.closed: list[str] = []
        self.fails: Exception | None = None
        self._granted = 0

    def open(self, *, ttl: Duration, owner: str) -> str | None:
        self._note(f"open {ttl.text()} {owner}")
        if not self.has_leases:
            return None
        self._granted += 1
        return f"l-{self._granted}"

    def renew(self, lease: str) -> bool:
        self._note(f"renew {lease}")
        return lease not in self.ended

    def close(self, lease: str) -> bool:
        self._note(f"close {lease}")
        self.closed.append(lease)
        return True

    def renewed(self, lease: str) -> int:
        return self.asked.count(f"renew {lease}")

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if self.fails is not None:
            raise self.fails


def renewing() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "renew a lease"]


def held_by(
    servers: dict[str, Server],
    scenario: Callable[[HeldLeases], object],
    *,
    stuck: Duration = WITHIN,
) -> None:
    async def all_of_it() -> None:
        held = HeldLeases(
            "run 12",
            seed=7,
            ttl=TTL,
            stuck=stuck,
            connect=lambda url: servers[url],  # type: ignore[arg-type]  # stands for one
        )
        try:
            await scenario(held)  # type: ignore[misc]  # a coroutine function
        finally:
            await held.give_up()

    asyncio.run(all_of_it())


def test_terms_when_asked_twice_then_the_same_lease_begins_anew():
    server = Server()

    async def scenario(held: HeldLeases) -> None:
        first, second = await held.terms(ADMIN), await held.terms(ADMIN)
        assert (first.lease, second.lease, second.seed) == ("l-1", "l-1", 7)

    held_by({ADMIN: server}, scenario)
    assert server.asked[:2] == ["open 30ms run 12", "renew l-1"]
    assert server.closed == ["l-1"]


def test_terms_when_there_are_two_servers_then_each_has_its_own():
    servers = {ADMIN: Server(), "http://127.0.0.1:2": Server(has_leases=False)}

    async def scenario(held: HeldLeases) -> None:
        terms = [await held.terms(url) for url in servers]
        assert [each.lease for each in terms] == ["l-1", None]

    held_by(servers, scenario)


def test_terms_when_the_server_has_none_then_it_is_asked_once():
    server = Server(has_leases=False)

    async def scenario(held: HeldLeases) -> None:
        for _ in range(3):
            assert (await held.terms(ADMIN)).lease is None

    held_by({ADMIN: server}, scenario)
    assert len(server.asked) == 1


def test_lease_when_the_run_lives_then_is_renewed_again_and_again():
    server = Server()

    async def scenario(held: HeldLeases) -> None:
        await held.terms(ADMIN)
        await until(lambda: server.renewed("l-1") >= 5, within=WITHIN, what="five renewals")

    held_by({ADMIN: server}, scenario)


def test_lease_when_it_ended_all_the_same_then_another_begins_and_the_lapse_is_told():
    server = Server()

    async def scenario(held: HeldLeases) -> None:
        terms = await held.terms(ADMIN)
        assert terms.lapses() == 0
        server.ended.add("l-1")
        await until(lambda: server.renewed("l-2") >= 1, within=WITHIN, what="the second is kept")
        assert terms.lapses() == 1
        assert (await held.terms(ADMIN)).lease == "l-2"

    held_by({ADMIN: server}, scenario)
    assert server.closed == ["l-2"]


def test_lease_when_the_server_cannot_be_reached_for_a_while_then_renewing_goes_on():
    server = Server()

    async def scenario(held: HeldLeases) -> None:
        await held.terms(ADMIN)
        server.fails = ProxyUnreachable("no answer")
        await until(lambda: server.renewed("l-1") >= 2, within=WITHIN, what="two vain renewals")
        server.fails = None
        so_far = server.renewed("l-1")
        await until(lambda: server.renewed("l-1") > so_far, within=WITHIN, what="another renewal")
        with pytest.raises(ProxyUnreachable):
            server.fails = ProxyUnreachable("no answer")
            await held.terms(ADMIN)

    held_by({ADMIN: server}, scenario)


def test_give_up_when_done_then_nothing_is_renewed_any_more_and_again_does_no_harm():
    server = Server()

    async def scenario(held: HeldLeases) -> None:
        await held.terms(ADMIN)
        await held.give_up()
        assert server.closed == ["l-1"]
        await until(lambda: not renewing(), within=WITHIN, what="the thread has ended")
        asked = len(server.asked)
        await held.give_up()
        assert len(server.asked) == asked

    held_by({ADMIN: server}, scenario)


def test_lease_when_the_loop_is_busy_then_is_renewed_all_the_same():
    server = Server()

    async def scenario(held: HeldLeases) -> None:
        await held.terms(ADMIN)
        # Nothing of the loop runs meanwhile, as in a large burst.
        until_sync(lambda: server.renewed("l-1") >= 5, within=WITHIN, what="five renewals")

    held_by({ADMIN: server}, scenario)


def test_lease_when_the_loop_hangs_then_is_not_renewed_any_more():
    server = Server()

    async def scenario(held: HeldLeases) -> None:
        await held.terms(ADMIN)
        until_sync(lambda: not held._is_alive(), within=WITHIN, what="no sign for long")
        keeper, looks = held._held[ADMIN], []
        with keeper._lock:  # no renewal is under way
            so_far = server.renewed("l-1")
            keeper._is_alive = lambda: looks.append("looked") or held._is_alive()
        until_sync(lambda: len(looks) >= 5, within=WITHIN, what="five turns to renew it")
        assert server.renewed("l-1") == so_far

    held_by({ADMIN: server}, scenario, stuck=Duration.of_ms(200))


def test_give_up_when_the_server_is_gone_then_it_ends_by_itself_there():
    server = Server()

    async def scenario(held: HeldLeases) -> None:
        await held.terms(ADMIN)
        server.fails = ProxyUnreachable("no answer")
        await held.give_up()

    held_by({ADMIN: server}, scenario)
