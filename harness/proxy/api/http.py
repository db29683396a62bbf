"""The API's sockets: h11 reads and writes HTTP/1.x, ``routes`` answers. One request at a time each.

No rule of the API stands here, only what HTTP itself asks for.
"""

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from http import HTTPStatus
from itertools import count
from typing import Any, cast

import h11

from harness.model.units import Duration
from harness.proxy.api.answers import Answer, error
from harness.proxy.api.routes import Request

BODY_LIMIT = 1024 * 1024
# What is read and thrown away so that the refusal can be read, rather than lost to a RST.
_DISCARD_LIMIT = 16 * BODY_LIMIT
# Toxiproxy waits 15 s for the rest of a request.
REQUEST_LIMIT = Duration.of_s(10)

Spawn = Callable[[Coroutine[Any, Any, None]], object]
Answerer = Callable[[Request], Awaitable[Answer]]

_ids = count(1)


class ApiConnection(asyncio.Protocol):
    """One caller's connection."""

    def __init__(
        self,
        answerer: Answerer,
        *,
        spawn: Spawn,
        loop: asyncio.AbstractEventLoop,
        limit: Duration = REQUEST_LIMIT,
    ) -> None:
        self._answerer = answerer
        self._spawn = spawn
        self._loop = loop
        self._limit = limit
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=64 * 1024)
        self._transport: asyncio.Transport | None = None
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._received = 0
        self._busy = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not isinstance: uvloop's have the interface without the base class.
        transport = cast(asyncio.Transport, transport)
        self._transport = transport

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self._stop_waiting()

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and not self._busy:
            self._deadline = self._loop.call_later(self._limit.in_s, self._too_slow)
        self._http.receive_data(data)
        self._advance()

    def eof_received(self) -> bool:
        self._http.receive_data(b"")
        self._advance()
        return self._busy  # the answer may still be read

    def _advance(self) -> None:
        try:
            while not self._busy and self._transport is not None:
                event = self._http.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    if self._http.they_are_waiting_for_100_continue:
                        self._send(h11.InformationalResponse(status_code=100, headers=[]))
                    return
                if isinstance(event, h11.ConnectionClosed):
                    self._close()
                    return
                self._take(event)
        except h11.RemoteProtocolError as problem:
            self._refuse(problem.error_status_hint or 400, str(problem))

    def _take(self, event: object) -> None:
        if isinstance(event, h11.Request):
            self._head = event
            self._body.clear()
            self._received = 0
        elif isinstance(event, h11.Data):
            self._received += len(event.data)
            if self._received <= BODY_LIMIT:
                self._body += event.data
            elif self._received > _DISCARD_LIMIT:
                self._refuse(413, f"bad request body: larger than {BODY_LIMIT} bytes")
        elif isinstance(event, h11.EndOfMessage):
            self._stop_waiting()
            self._busy = True
            self._spawn(self._respond())

    async def _respond(self) -> None:
        try:
            await self._answer()
        except h11.LocalProtocolError as problem:
            sys.stderr.write(f"API: no answer could be sent: {problem}\n")
            self._close()
        except Exception:
            # One caller's matter: what leaves a task of the server's group would end the server.
            self._close()
            traceback.print_exc(file=sys.stderr)

    async def _answer(self) -> None:
        head = self._head
        assert head is not None
        if self._received > BODY_LIMIT:
            answer = error(413, f"bad request body: larger than {BODY_LIMIT} bytes")
        else:
            answer = await self._answerer(_request(head, bytes(self._body)))
        self._busy = False
        if self._transport is None:
            return
        self._write(answer, with_body=head.method != b"HEAD")
        if self._http.our_state is h11.MUST_CLOSE or self._http.their_state is h11.MUST_CLOSE:
            self._close()
            return
        self._http.start_next_cycle()
        if self._http.trailing_data[0]:
            self._deadline = self._loop.call_later(self._limit.in_s, self._too_slow)
        self._advance()

    def _write(self, answer: Answer, *, with_body: bool) -> None:
        headers = [("X-Toxiproxy-Request-Id", f"{next(_ids):012x}"), *answer.headers]
        if answer.content_type is not None:
            headers.append(("Content-Type", answer.content_type))
        if answer.status != 204:
            headers.append(("Content-Length", str(len(answer.body))))
        self._send(
            h11.Response(
                status_code=answer.status, headers=headers, reason=HTTPStatus(answer.status).phrase
            )
        )
        if answer.body and with_body:
            self._send(h11.Data(data=answer.body))
        self._send(h11.EndOfMessage())

    def _send(self, event: Any) -> None:
        if self._transport is not None:
            self._transport.write(self._http.send(event) or b"")

    def _refuse(self, status: int, message: str) -> None:
        """Says what was wrong, if that is still possible, and closes."""
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            refusal = error(status, message)
            headers = [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(refusal.body))),
                ("Connection", "close"),
            ]
            try:
                self._send(h11.Response(status_code=status, headers=headers))
                self._send(h11.Data(data=refusal.body))
                self._send(h11.EndOfMessage())
            except h11.LocalProtocolError as problem:
                sys.stderr.write(f"API: no answer could be sent: {problem}\n")
        self._close()

    def _too_slow(self) -> None:
        self._deadline = None
        self._refuse(408, "the request was not complete in time")

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self._stop_waiting()
        if self._transport is not None:
            self._transport.close()
            self._transport = None


def _request(head: h11.Request, body: bytes) -> Request:
    path, _, query = head.target.decode("latin-1").partition("?")
    return Request(
        method=head.method.decode("latin-1"),
        path=path,
        query=query,
        headers={
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in head.headers
        },
        body=body,
    )
