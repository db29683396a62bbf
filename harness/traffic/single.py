"""One operation by itself, a request or a command; for ``prepare``. No burst enters here."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.model.address import Address
from harness.model.errors import TargetError
from harness.processes.programs import Programs
from harness.traffic.answer import Answer, Ended
from harness.traffic.connection import READ_SIZE, Connection, resolve
from harness.traffic.gate import Gates
from harness.traffic.operation import Operation
from harness.traffic.receiver import RESET, Awaited
from harness.traffic.response import ResponseReader

__all__ = ["Answer", "Ended", "run", "send"]


async def send(operation: Operation, *, address: Address, values: Mapping[str, Any]) -> Answer:
    """Sends the operation once and returns its answer with its outcome.

    Raises:
        TargetError: no connection, or no whole answer within the operation's time-out.
        UserError: a placeholder without a value, or a value that breaks the request.
    """
    what = f"operation {operation.name}"
    content = operation.request(values, address)
    connection = Connection(address, await resolve(address, what=what), what=what)
    try:
        await connection.open()
        # All but the last byte, as in a burst: `elapsed` then means the same in both.
        await connection.write(content[:-1], within=operation.timeout)
        awaited = Awaited(
            connection.opened,
            ResponseReader(method=operation.request_call.method),
            operation.timeout,
        )
        came = await _answer(awaited, content[-1:])
    finally:
        connection.close()
    if not isinstance(came, Answer):
        raise TargetError(what, came)
    return replace(came, outcome=operation.classify(came))


async def run(operation: Operation, *, programs: Programs, values: Mapping[str, Any]) -> Ended:
    """Runs the command once and returns its end with its outcome. Leaves no process behind.

    Raises:
        TargetError: no end within the operation's time-out.
        UserError: a placeholder without a value, or a command that is missing.
    """
    gates = Gates([operation.command(values)], programs)
    try:
        await gates.start()
        (gate,) = gates
        gate.sent = time.monotonic_ns()
        gate.open()
        await gates.wait()
    finally:
        gates.close()
        await gates.end()
    came = gate.result()
    if not isinstance(came, Ended):
        because = "no end" if came is None else came.because
        raise TargetError(f"operation {operation.name}", because)
    return replace(came, outcome=operation.classify(came))


async def _answer(awaited: Awaited, last_byte: bytes) -> Answer | str:
    """The answer, or the reason why there is none."""
    loop = asyncio.get_running_loop()
    awaited.sent = time.monotonic_ns()
    reader = awaited.reader
    try:
        async with asyncio.timeout(awaited.timeout.in_s):
            await loop.sock_sendall(awaited.socket, last_byte)
            while not (reader.complete or reader.broken):
                data = await loop.sock_recv(awaited.socket, READ_SIZE)
                now = time.monotonic_ns()
                awaited.first = now if awaited.first is None and data else awaited.first
                reader.feed(data)
                if not data:
                    reader.feed_end()
    except TimeoutError:
        return f"no answer within {awaited.timeout}"
    except OSError:
        return RESET
    awaited.last = time.monotonic_ns()
    came = awaited.result()
    return came if isinstance(came, Answer) else (reader.broken or RESET)
