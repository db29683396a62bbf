"""The proxy's process: the event loop, the API's socket, the line that says it is ready, the end."""

import asyncio
import contextlib
import gc
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TextIO

from harness.model.errors import UserError
from harness.model.units import Duration
from harness.proxy.addresses import AddressProblem, Listen, UnknownHost, resolve, written
from harness.proxy.api.answers import Answer
from harness.proxy.api.http import ApiConnection
from harness.proxy.api.routes import Request, answer
from harness.proxy.clock import now
from harness.proxy.listener import ListenFailed, bind
from harness.proxy.proxy import Surroundings
from harness.proxy.server import Server

# How long open connections may go on once the process is asked to end.
GRACE = Duration.of_s(1)


def run(*, host: str, port: int, seed: int, ready: TextIO = sys.stdout) -> int:
    """Serves until SIGTERM or SIGINT, then exits with 0.

    Raises:
        UserError: the API's address cannot be had; the reason is in the message.
    """
    return asyncio.run(_serve(host, port, seed, ready))


async def _serve(host: str, port: int, seed: int, ready: TextIO) -> int:
    address = await _api_address(host, port)
    try:
        sock, bound = bind(address)
    except ListenFailed as failed:
        raise UserError(f"The proxy's API cannot listen: {failed}.") from None
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as tasks:
        server = Server(Surroundings(loop=loop, clock=now, spawn=tasks.create_task, seed=seed))
        api = await loop.create_server(
            lambda: ApiConnection(_answerer(server, bound), spawn=tasks.create_task, loop=loop),
            sock=sock,
        )
        gc.freeze()  # modules stay for good: a collection need not look at them
        print(json.dumps({"api": f"http://{written(bound.host, bound.port)}"}), file=ready)
        ready.flush()
        await stop.wait()
        api.close()
        await _drain(server)
    return 0


def _answerer(server: Server, bound: Listen) -> Callable[[Request], Awaitable[Answer]]:
    loopback = bound.host.startswith("127.") or bound.host == "::1"
    return lambda request: answer(server, request, loopback=loopback)


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
