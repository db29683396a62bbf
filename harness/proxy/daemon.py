"""The proxy's process: the event loop, the API's socket, the line that says it is ready, the end."""

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from time import monotonic_ns
from typing import TextIO

from harness.model.errors import UserError
from harness.model.units import Duration
from harness.proxy import config_file
from harness.proxy.addresses import AddressProblem, Listen, UnknownHost, resolve, written
from harness.proxy.alarms import Alarms
from harness.proxy.api.answers import Answer
from harness.proxy.api.guard import Guard
from harness.proxy.api.http import ApiConnection
from harness.proxy.api.routes import Request, answer
from harness.proxy.clock import now
from harness.proxy.config_file import ConfigFile
from harness.proxy.flags import Settings
from harness.proxy.limits import ConnectionLimit, allowed_connections
from harness.proxy.listener import ListenFailed, bind
from harness.proxy.metrics import Metrics
from harness.proxy.proxy import Surroundings
from harness.proxy.server import Server

# How long open connections may go on once the process is asked to end.
GRACE = Duration.of_s(1)


def run(settings: Settings, *, ready: TextIO = sys.stdout) -> int:
    """Serves until SIGTERM or SIGINT, then exits with 0.

    Raises:
        UserError: the API's address cannot be had, the file with proxies is no such file or asks
            for what cannot be had, or there are too few descriptors.
    """
    config = None if settings.config is None else config_file.read(settings.config)
    limit = ConnectionLimit(allowed_connections(settings.max_connections))
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(settings, config, limit, ready))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed; ``HARNESS_PROXY_LOOP=asyncio`` takes the standard one."""
    if os.environ.get("HARNESS_PROXY_LOOP") == "asyncio":
        return None
    try:
        import uvloop
    except ImportError:  # not for Windows, and not for every Python on its first day
        return None
    return uvloop.new_event_loop


def _exact_timers(loop: asyncio.AbstractEventLoop) -> Alarms | None:
    try:
        return Alarms(loop, monotonic_ns)
    except (OSError, AttributeError):
        return None  # a C library without timerfd


async def _serve(
    settings: Settings, config: ConfigFile | None, limit: ConnectionLimit, ready: TextIO
) -> int:
    address = await _api_address(settings.host, settings.port)
    try:
        sock, bound = bind(address)
    except ListenFailed as failed:
        raise UserError(f"The proxy's API cannot listen: {failed}.") from None
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    timers = _exact_timers(loop)
    async with asyncio.TaskGroup() as tasks:
        server = Server(
            Surroundings(
                loop=loop,
                clock=now,
                spawn=tasks.create_task,
                seed=settings.seed,
                limit=limit,
                timers=timers,
            )
        )
        refused = await _configured(server, config)
        if refused is None:
            answerer = _answerer(server, bound, settings)
            api = await loop.create_server(
                lambda: ApiConnection(answerer, spawn=tasks.create_task, loop=loop), sock=sock
            )
            gc.freeze()  # modules stay for good: a collection need not look at them
            print(json.dumps({"api": f"http://{written(bound.host, bound.port)}"}), file=ready)
            ready.flush()
            await stop.wait()
            api.close()
        await _drain(server)
    if timers is not None:
        timers.close()
    if refused is not None:
        sock.close()
        raise refused
    return 0


async def _configured(server: Server, config: ConfigFile | None) -> UserError | None:
    """Makes the proxies of the file; what is wrong with it is returned, for a task group wraps it."""
    if config is not None:
        try:
            await config.enter(server.populate)
        except UserError as refused:
            return refused
    return None


def _answerer(
    server: Server, bound: Listen, settings: Settings
) -> Callable[[Request], Awaitable[Answer]]:
    loopback = bound.host.startswith("127.") or bound.host == "::1"
    guard = Guard.of(loopback=loopback, allowed=settings.allowed_hosts)
    metrics = None
    if settings.proxy_metrics or settings.runtime_metrics:
        metrics = Metrics(
            server, proxy_bytes=settings.proxy_metrics, runtime=settings.runtime_metrics
        )
    return lambda request: answer(server, request, guard=guard, metrics=metrics)


async def _drain(server: Server) -> None:
    """Open connections get a grace; then they are closed."""
    server.refuse_all()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE.in_s):
            await server.quiet()
    server.disconnect_all()


async def _api_address(host: str, port: int) -> Listen:
    try:
        return await resolve(written(host, port))
    except (AddressProblem, UnknownHost) as problem:
        raise UserError(f"The proxy's API cannot listen: {problem}.") from None
