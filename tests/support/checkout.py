"""The checkout of targets/breaker as a process, callers in front of it, and a downstream that obeys."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from harness.model.errors import UserError
from harness.model.units import Duration
from harness.processes.marks import marked
from tests.support.engines import missing
from tests.support.stacks import Scene, a_service
from tests.support.waiting import until

TARGET = Path(__file__).parents[2] / "targets" / "breaker"
SOON = Duration.of_s(30)
AT_ONCE = 20

_NODE = {"none-node": "none", "opossum": "opossum", "cockatiel": "cockatiel"}
_UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT", "E401", "E403")
# Long enough that none of these times passes by accident; a test shortens the one that it is about.
_CALM = {"OPEN_MS": "600000", "CALL_TIMEOUT_MS": "60000", "SLOW_MS": "60000"}


class Downstream:
    """Writes down who arrives. What it is told counts for those who arrive from then on."""

    def __init__(self) -> None:
        self.arrivals: list[str] = []
        self.waiting: set[str] = set()
        self.abandoned: list[str] = []
        self.peak = 0
        self.status = 200
        self.gate = asyncio.Event()
        self.gate.set()

    def hold(self) -> asyncio.Event:
        """Those who arrive from now on wait until what this gives is set."""
        self.gate = asyncio.Event()
        return self.gate

    def heal(self) -> None:
        """Answers at once again; those who wait go on waiting."""
        self.status, self.gate = 200, asyncio.Event()
        self.gate.set()

    async def pay(self, request: web.Request) -> web.Response:
        order, gate, status = (await request.json())["order"], self.gate, self.status
        assert request.headers["X-Request-Id"] == order
        self.arrivals.append(order)
        self.waiting.add(order)
        self.peak = max(self.peak, len(self.waiting))
        try:
            await gate.wait()
        except asyncio.CancelledError:
            self.abandoned.append(order)
            raise
        finally:
            self.waiting.discard(order)
        return web.json_response({"paid": status == 200}, status=status)


class Shop:
    """Callers of the checkout, and the downstream behind it."""

    def __init__(
        self, session: aiohttp.ClientSession, downstream: Downstream, written: list[str]
    ) -> None:
        self.downstream = downstream
        self.answers: dict[str, int] = {}
        self.written = written
        self._session = session
        self._calls = 0

    async def call(self, account: str = "a") -> int:
        self._calls += 1
        order = f"order-{self._calls}"
        headers = {"X-Request-Id": order}
        async with self._session.post(f"/checkout/{account}/{order}", headers=headers) as answer:
            said = await answer.json()
        assert set(said) == ({"error"} if answer.status >= 500 else {"paid"}), said
        self.answers[order] = answer.status
        return answer.status

    async def calls(self, count: int, account: str = "a") -> list[int]:
        """One after the other."""
        return [await self.call(account) for _ in range(count)]

    async def failing(self, count: int, account: str = "a") -> list[int]:
        """Calls that the downstream fails, if they reach it; then it is well again."""
        self.downstream.status = 500
        said = await self.calls(count, account)
        self.downstream.heal()
        return said

    async def alive(self) -> None:
        async with self._session.get("/healthz") as answer:
            assert answer.status == 200


@asynccontextmanager
async def a_downstream() -> AsyncIterator[tuple[Downstream, str]]:
    downstream = Downstream()
    app = web.Application()
    app.router.add_post("/payments", downstream.pay)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield downstream, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def checkout(scene: Scene, variant: str, payments: str, **env: str) -> AsyncIterator[str]:
    """The app, by its kind; its URL."""
    own = {"PORT": "{port}", "PAYMENTS_URL": payments, "VARIANT": _NODE.get(variant, variant)}
    env = {**own, **_CALM, **env}
    if variant in _NODE:
        plan = a_service("app", "node", env=env, node="server.js")
    else:
        plan = a_service("app", env=env, run="python -m breaker.app --port {port}")
    async with AsyncExitStack() as stack:
        try:
            up = await stack.enter_async_context(scene.up(plan))
        except UserError as error:
            if any(word in str(error) for word in _UNREACHABLE):
                missing("node", f"npm reaches no registry: {error}.", "npm config set registry …")
            raise
        yield str(up.urls["app"])


@asynccontextmanager
async def a_shop(scene: Scene, variant: str, **env: str) -> AsyncIterator[Shop]:
    written: list[str] = []
    trace = aiohttp.TraceConfig()

    async def note(
        _session: object, _context: object, sent: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        written.append(sent.url.path)

    trace.on_request_headers_sent.append(note)
    async with (
        a_downstream() as (downstream, payments),
        checkout(scene, variant, payments, **env) as url,
        aiohttp.ClientSession(
            url, connector=aiohttp.TCPConnector(limit=0), trace_configs=[trace]
        ) as session,
    ):
        yield Shop(session, downstream, written)


@contextmanager
def breaker_scene(folder: Path) -> Iterator[Scene]:
    """With a copy of the target: packages are linked into its folder."""
    scene = Scene(folder)
    scene.target = folder / "breaker"
    shutil.copytree(
        TARGET, scene.target, ignore=shutil.ignore_patterns("node_modules", "__pycache__")
    )
    yield scene
    assert marked(scene.mark) == []


def play(scene: Scene, variant: str, script: Callable[[Shop], Awaitable[None]], **env: str) -> None:
    """Runs ``script`` in front of a variant; ``env`` shortens its times, in milliseconds."""

    async def whole() -> None:
        async with a_shop(scene, variant, **env) as shop:
            await script(shop)

    asyncio.run(whole())


def variants(*names: str) -> pytest.MarkDecorator:
    """The test runs for each; ``none-node`` is the ``none`` of Node."""
    engine = [
        pytest.param(name, marks=pytest.mark.engine("node")) if name in _NODE else name
        for name in names
    ]
    return pytest.mark.parametrize("variant", engine)


async def passed(since: float, seconds: float) -> None:
    """The open time is a matter of the clock; there is nothing else to look at without calling."""
    await until(
        lambda: time.monotonic() - since > seconds, within=SOON, what="the open time is over"
    )


async def burst_in_half_open(shop: Shop, group: asyncio.TaskGroup) -> asyncio.Event:
    """Twenty callers at once where a trial is due; it waits for what this gives."""
    await shop.failing(5)
    opened = time.monotonic()
    shop.downstream.arrivals.clear()
    shop.answers.clear()
    shop.written.clear()
    gate = shop.downstream.hold()
    await passed(opened, 0.3)
    for _ in range(AT_ONCE):
        group.create_task(shop.call())
    await until(
        lambda: len(shop.written) == AT_ONCE and shop.downstream.arrivals,
        within=SOON,
        what="all have called and one was let through",
    )
    return gate


async def trial_left_by_its_caller(shop: Shop) -> None:
    await shop.failing(5)
    await passed(time.monotonic(), 0.3)
    await leave(shop)


async def leave(shop: Shop) -> None:
    """Calls as a caller who goes while the downstream hangs; the app then gives up its call."""
    shop.downstream.hold()
    caller = asyncio.get_running_loop().create_task(shop.call())
    await until(lambda: shop.downstream.waiting, within=SOON, what="the call arrived")
    caller.cancel()
    with suppress(asyncio.CancelledError):
        await caller
    await until(lambda: not shop.downstream.waiting, within=SOON, what="the app gave it up")
    assert len(shop.downstream.abandoned) == 1
    shop.downstream.heal()
