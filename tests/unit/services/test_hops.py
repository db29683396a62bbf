"""Hops on proxies that are only pretended: who is asked what, in which order, and what is told."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from harness.model.address import Address
from harness.model.errors import HarnessBug, UserError
from harness.model.events import AnyEvent, HopClosed, HopIntended, HopOpened
from harness.model.plan import HopPlan
from harness.model.units import Duration
from harness.proxy.client import ProxyCallFailed, ProxyServer, ProxyState, ProxyUnreachable
from harness.services.hops import Hop, Hops, ProxyEndpoint

OWN = "http://127.0.0.1:9001"
FOREIGN = "http://127.0.0.1:8474"
UPSTREAM = Address("127.0.0.1", 5432)


@dataclass
class Servers:
    """Every proxy server there is, behind ``ProxyServer``; ``failures`` are raised by (url, call)."""

    calls: list[tuple[str, ...]]
    failures: dict[tuple[str, str], Exception]
    proxies: set[tuple[str, str]]


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    known = Servers(calls=[], failures={}, proxies=set())

    def answer(call: str) -> Callable[[ProxyServer], None]:
        def check(server: ProxyServer) -> None:
            if (failure := known.failures.get((server.url, call))) is not None:
                raise failure

        return check

    def create(
        self: ProxyServer, name: str, *, upstream: str, listen: str = "127.0.0.1:0"
    ) -> ProxyState:
        known.calls.append((self.url, "create", name, upstream, listen))
        answer("create")(self)
        known.proxies.add((self.url, name))
        port = 20000 + len(known.proxies)
        real = listen if not listen.endswith(":0") else f"127.0.0.1:{port}"
        return ProxyState(name=name, listen=real, upstream=upstream, enabled=True)

    def delete(self: ProxyServer, name: str) -> bool:
        known.calls.append((self.url, "delete", name))
        answer("delete")(self)
        if (self.url, name) not in known.proxies:
            return False
        known.proxies.remove((self.url, name))
        return True

    def version(self: ProxyServer) -> str:
        answer("version")(self)
        return "2.12.0"

    for method in (create, delete, version):
        monkeypatch.setattr(ProxyServer, method.__name__, method)
    return known


def hops(events: list[AnyEvent], foreign: str | None = None) -> Hops:
    return Hops(ProxyEndpoint(own=OWN, foreign=foreign), run="run-1", record=events.append)


def plan(name: str = "db", listen: str | None = None) -> HopPlan:
    return HopPlan(name=name, source="app", to="postgres", listen=listen)


def opened(wiring: Hops, *plans: HopPlan) -> list[Hop]:
    async def play() -> list[Hop]:
        return [await wiring.open(one, UPSTREAM) for one in plans]

    return asyncio.run(play())


def closed(wiring: Hops) -> tuple[str, ...]:
    asyncio.run(wiring.close())
    return wiring.remaining()


def test_open_when_the_proxy_is_ours_then_one_proxy_that_sees_its_own_wire(
    servers: Servers,
) -> None:
    events: list[AnyEvent] = []
    (hop,) = opened(hops(events), plan())
    assert servers.calls == [(OWN, "create", "db", "127.0.0.1:5432", "127.0.0.1:0")]
    assert (hop.admin, hop.proxy, hop.observed) == (OWN, "db", "here")
    assert (hop.watch_admin, hop.watch_proxy) == (OWN, "db")
    assert hop.listen.port == 20001
    assert [type(event) for event in events] == [HopOpened]


def test_open_when_the_proxy_is_foreign_then_ours_stands_before_it_and_it_is_announced_first(
    servers: Servers,
) -> None:
    events: list[AnyEvent] = []
    (hop,) = opened(hops(events, FOREIGN + "/"), plan(listen="127.0.0.1:15432"))
    assert servers.calls == [
        (FOREIGN, "create", "harness-run-1-db", "127.0.0.1:5432", "127.0.0.1:0"),
        (OWN, "create", "db", "127.0.0.1:20001", "127.0.0.1:15432"),
    ]
    assert (hop.admin, hop.proxy, hop.observed) == (FOREIGN, "harness-run-1-db", "before")
    assert (hop.watch_admin, hop.watch_proxy) == (OWN, "db")
    assert hop.listen == Address("127.0.0.1", 15432)
    intended, told = events
    assert intended == HopIntended(hop="db", admin=FOREIGN, proxy="harness-run-1-db")
    assert isinstance(told, HopOpened)


def test_open_when_the_pinned_port_is_taken_then_user_error_asks_whether_it_is_free(
    servers: Servers,
) -> None:
    servers.failures[OWN, "create"] = ProxyCallFailed(500, "address already in use")
    with pytest.raises(UserError, match=r"hop db: .* on 127\.0\.0\.1:15432: .*in use") as raised:
        opened(hops([]), plan(listen="127.0.0.1:15432"))
    assert "Is 127.0.0.1:15432 free?" in str(raised.value)


def test_open_when_our_own_proxy_is_gone_then_it_is_our_bug(servers: Servers) -> None:
    servers.failures[OWN, "create"] = ProxyUnreachable("gone")
    with pytest.raises(HarnessBug, match="hop db: our own proxy does not answer"):
        opened(hops([]), plan())


@pytest.mark.parametrize(
    "failure", [ProxyUnreachable("gone"), ProxyCallFailed(409, "proxy already exists")]
)
def test_open_when_the_foreign_proxy_refuses_then_user_error(
    servers: Servers, failure: Exception
) -> None:
    servers.failures[FOREIGN, "create"] = failure
    with pytest.raises(UserError, match="hop db: the proxy at"):
        opened(hops([], FOREIGN), plan())


def test_close_when_hops_were_opened_then_all_are_deleted_ours_before_what_it_dials(
    servers: Servers,
) -> None:
    events: list[AnyEvent] = []
    wiring = hops(events, FOREIGN)
    opened(wiring, plan("db"), plan("cache"))
    assert closed(wiring) == ()
    assert servers.proxies == set()
    deleted = [call[2] for call in servers.calls if call[1] == "delete"]
    for hop in ("db", "cache"):
        assert [name for name in deleted if hop in name] == [hop, f"harness-run-1-{hop}"]
    assert all(event.found for event in events if isinstance(event, HopClosed))
    assert closed(wiring) == ()
    assert len(deleted) == 4


def test_close_when_opening_was_cut_short_then_the_foreign_proxy_is_deleted_all_the_same(
    servers: Servers,
) -> None:
    events: list[AnyEvent] = []
    wiring = hops(events, FOREIGN)
    servers.failures[OWN, "create"] = ProxyCallFailed(500, "no")
    with pytest.raises(UserError):
        opened(wiring, plan())
    assert closed(wiring) == ()
    assert servers.proxies == set()


def test_close_when_the_foreign_proxy_is_stuck_then_what_remains_and_the_command(
    servers: Servers,
) -> None:
    wiring = hops([], FOREIGN)
    opened(wiring, plan())
    servers.failures[FOREIGN, "delete"] = ProxyUnreachable("no answer")
    (remains,) = closed(wiring)
    assert "(no answer)" in remains
    assert f"curl -X DELETE {FOREIGN}/proxies/harness-run-1-db" in remains


def test_close_when_cut_short_then_what_was_not_confirmed_remains_and_the_rest_does_not(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call under way is waited for, so that nothing is named that is gone."""
    entered, go_on = threading.Semaphore(0), threading.Event()
    delete = ProxyServer.delete

    def slow(server: ProxyServer, name: str) -> bool:
        if server.url == FOREIGN:
            entered.release()
            assert go_on.wait(10)
            if name.endswith("cache"):
                raise ProxyUnreachable("timed out")
        return delete(server, name)

    monkeypatch.setattr(ProxyServer, "delete", slow)
    events: list[AnyEvent] = []
    wiring = hops(events, FOREIGN)

    async def play() -> None:
        for name in ("db", "cache"):
            await wiring.open(plan(name), UPSTREAM)
        assert len(wiring.remaining()) == 2
        async with asyncio.TaskGroup() as group:
            closing = group.create_task(wiring.close(), name="close")
            for _ in ("db", "cache"):
                assert await asyncio.to_thread(entered.acquire, timeout=10)
            closing.cancel()
            go_on.set()
        assert closing.cancelled()

    asyncio.run(play())
    (remains,) = wiring.remaining()
    assert remains.startswith(f"proxy harness-run-1-cache of {FOREIGN} (timed out); remove it")
    gone = [event.proxy for event in events if isinstance(event, HopClosed)]
    assert "harness-run-1-db" in gone


def test_close_when_the_journal_is_lost_then_all_are_deleted_all_the_same(
    servers: Servers,
) -> None:
    def record(event: AnyEvent) -> None:
        if isinstance(event, HopClosed):
            raise OSError("disk full")

    wiring = Hops(ProxyEndpoint(own=OWN), run="run-1", record=record)
    opened(wiring, plan("db"), plan("cache"))
    with pytest.raises(ExceptionGroup, match="not closed"):
        closed(wiring)
    assert servers.proxies == set()


def test_close_when_a_server_hangs_then_each_call_has_a_limit_far_below_the_clean_ups(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[Duration] = []
    wiring = hops([], FOREIGN)
    opened(wiring, plan())
    monkeypatch.setattr(
        ProxyServer, "delete", lambda server, _name: limits.append(server.timeout) or True
    )
    closed(wiring)
    assert limits == [Duration.of_s(5)] * 2
    assert servers.proxies != set()


def test_close_when_our_own_proxy_is_gone_then_nothing_remains(servers: Servers) -> None:
    wiring = hops([])
    opened(wiring, plan())
    servers.failures[OWN, "delete"] = ProxyUnreachable("gone")
    assert closed(wiring) == ()


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        pytest.param(ProxyUnreachable("refused"), "no proxy answers there: refused", id="nobody"),
        pytest.param(ProxyCallFailed(404, "x"), "is no Toxiproxy", id="something-else"),
    ],
)
def test_check_foreign_when_it_is_no_toxiproxy_then_user_error(
    servers: Servers, failure: Exception, says: str
) -> None:
    servers.failures[FOREIGN, "version"] = failure
    with pytest.raises(UserError, match=says):
        asyncio.run(hops([], FOREIGN).check_foreign(lambda _address: None))


@pytest.mark.parametrize("url", ["127.0.0.1:8474", "ftp://x:1", "http://"])
def test_check_foreign_when_it_is_no_url_then_user_error_shows_one(url: str) -> None:
    with pytest.raises(UserError, match=r"http://127\.0\.0\.1:8474"):
        asyncio.run(hops([], url).check_foreign(lambda _address: None))


@pytest.mark.usefixtures("servers")
def test_check_foreign_when_the_host_is_elsewhere_then_it_is_asked_whether_that_is_allowed() -> (
    None
):
    asked: list[Address] = []
    asyncio.run(hops([], "http://proxy.example:8474").check_foreign(asked.append))
    assert asked == [Address("proxy.example", 8474)]
