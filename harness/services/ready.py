"""Asks services whether they are ready, and waits for a yes. Directly, never through a hop.

Ten lines of HTTP of our own: a ready check needs a status line and nothing else.
"""

import asyncio
import json
import os
import re
import time
from contextlib import suppress

from harness.connections.request_line import on_the_wire
from harness.model.address import Address
from harness.model.errors import TargetError, UserError
from harness.model.plan import HttpCall
from harness.model.units import Duration
from harness.processes.log_tail import last_lines, log_in_words
from harness.services.site import Ask, Program

# One attempt: a service that hangs in its first request may answer the second.
_ATTEMPT = Duration.of_s(5)
_PAUSE = Duration.of_ms(20)
_STATUS_LINE = 4096
_BREAKS = re.compile(r"[\r\n\0]")


class EndedEarly(TargetError):
    """The process ended before it was ready. ``log_text`` is the end of its log."""

    def __init__(self, what: str, detail: str, log_text: str) -> None:
        self.log_text = log_text
        super().__init__(what, detail)


async def wait_until_ready(
    service: str, ask: Ask, *, limit: Duration, process: Program | None
) -> Duration:
    """Asks until the answer is yes; returns how long that took.

    With no ``limit`` it is asked once, and given the time that one attempt may take.

    Raises:
        EndedEarly: its process ended instead.
        TargetError: it never said yes; tells what it said last.
    """
    began = time.monotonic_ns()
    deadline = began + limit.ns
    said: str | None = None
    while process is None or process.running():
        left = max(_PAUSE.ns, deadline - time.monotonic_ns())
        within = Duration.of_ns(min(_ATTEMPT.ns, left)) if limit else _ATTEMPT
        try:
            async with asyncio.timeout(within.in_s):
                said = await _answer(ask, process)
        except TimeoutError:
            # Cut short by the end of the limit it says less than the answer before it.
            if said is None or within == _ATTEMPT:
                said = f"no answer within {within}"
        else:
            if said is None:
                return Duration.of_ns(time.monotonic_ns() - began)
        if time.monotonic_ns() >= deadline and (process is None or process.running()):
            raise _never(service, limit, said, process)
        await asyncio.sleep(_PAUSE.in_s)  # noqa: TID251 - between two questions to somebody else
    raise EndedEarly(
        f"service {service}",
        f"ended with exit code {process.exit_code} before it was ready; {log_in_words(process.log)}",
        last_lines(process.log),
    )


def _never(service: str, limit: Duration, said: str, process: Program | None) -> TargetError:
    waited = f"was not ready within {limit}" if limit else "is not there"
    return TargetError(
        f"service {service}",
        f"{waited}; the last attempt: {said}"
        + (f"; {log_in_words(process.log)}" if process is not None else ""),
    )


async def _answer(ask: Ask, process: Program | None) -> str | None:
    """One question, given up when the process ends: a stranger may have its port, and be silent."""
    if process is None:
        return await ask()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(_caught(ask), name="ask whether it is ready")
        ending = group.create_task(process.ended(), name=f"the end of {process.name}")
        await asyncio.wait({asking, ending}, return_when=asyncio.FIRST_COMPLETED)
        asking.cancel()
        ending.cancel()
    if asking.cancelled():
        return "it ended"
    answer = asking.result()
    if isinstance(answer, Exception):
        raise answer
    return answer


async def _caught(ask: Ask) -> str | Exception | None:
    """What went wrong as a value: a task group would wrap it up."""
    try:
        return await ask()
    except Exception as error:
        return error


def accepts(address: Address) -> Ask:
    """Ready when a connection is accepted."""

    async def ask() -> str | None:
        try:
            _, writer = await asyncio.open_connection(address.host, address.port)
        except OSError as error:
            return f"{address} {_words(error)}"
        await _closed(writer)
        return None

    return ask


def answers(address: Address, call: HttpCall, *, what: str) -> Ask:
    """Ready when an HTTP request is answered with a status below 400. ``what`` is asked.

    Raises:
        UserError: the call would not be one request on the wire.
    """
    request = _request(address, call, what)

    async def ask() -> str | None:
        asked = f"{call.method} {call.path} at {address}"
        try:
            reader, writer = await asyncio.open_connection(
                address.host, address.port, limit=_STATUS_LINE
            )
        except OSError as error:
            return f"{asked}: {_words(error)}"
        try:
            writer.write(request)
            line = await reader.readline()
        except (OSError, ValueError) as error:
            return f"{asked}: {error}"
        finally:
            await _closed(writer)
        return _judge_status(line, asked)

    return ask


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):  # it was reset: closed all the same
        await writer.wait_closed()


def _request(address: Address, call: HttpCall, what: str) -> bytes:
    body = call.body.encode() if call.body is not None else b""
    headers = {"Host": address.text(), "Accept": "*/*", "Connection": "close"}
    if call.has_json:
        body = json.dumps(call.json).encode()
        headers["Content-Type"] = "application/json"
    if body:
        headers["Content-Length"] = str(len(body))
    for name, value in call.headers.items():
        headers[name] = str(value)
        if _BREAKS.search(name + headers[name]):
            raise UserError(
                f"{what}: the header {name!r} of its ready check holds a line break or a zero byte.",
                hint="Look at what fills its {placeholders}.",
            )
    lines = [
        f"{call.method} {on_the_wire(call.path)} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + body


def _judge_status(line: bytes, asked: str) -> str | None:
    parts = line.split(None, 2)
    if not line:
        return f"{asked}: the connection was closed without an answer"
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/1.") or not parts[1].isdigit():
        return f"{asked}: the answer is no HTTP"
    status = int(parts[1])
    return None if 200 <= status < 400 else f"{asked}: answered {status}"


def _words(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refused the connection"
    return os.strerror(error.errno) if error.errno else str(error)
