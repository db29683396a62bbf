"""Ctrl-C and SIGTERM: the first rolls back and reports, the second stops at once.

At once means: this process ends without cleaning up, and the guardian, woken by its death, rolls
back instead.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from types import TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Within its ``with``, the first signal cancels the task that attends to it, if one does."""

    def __init__(self, *, leave: Callable[[int], None] = os._exit) -> None:
        self._leave = leave
        self._task: asyncio.Task[object] | None = None
        self.received: str | None = None

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._on_signal, number)
        return self

    def attend(self) -> None:
        """From here on the first signal cancels the current task.

        Raises:
            KeyboardInterrupt: one came before.
        """
        if self.received is not None:
            raise KeyboardInterrupt
        self._task = asyncio.current_task()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    def shield(self) -> None:
        """From here on the first signal is only noted: cleaning up has begun."""
        self._task = None

    def _on_signal(self, number: int) -> None:
        if self.received is not None:
            self._leave(130)
        self.received = signal.Signals(number).name
        if self._task is not None:
            self._task.cancel()
