"""Which process of a service a connection to the hop comes from, by its source port (Linux, macOS)."""

import contextlib
from collections.abc import Mapping

import psutil

from harness.connections.blocking import in_thread
from harness.observe.process import family


class Instances:
    """The processes of one service, ``pid`` and its children; nobody is known without a ``pid``.

    A connection that is gone before anybody looked stays unknown, where there are several.
    """

    def __init__(self, pid: int | None) -> None:
        self._pid = pid
        self._by_connection: dict[int, str | None] = {}

    def of(self, connection: int) -> str | None:
        """The process behind a connection by its number at the hop, as text; None if it is not known."""
        return self._by_connection.get(connection)

    async def look(self, connections: Mapping[int, int]) -> None:
        """Finds out whose the new ones among these connections are, each with its source port."""
        new = {
            number: port
            for number, port in connections.items()
            if number not in self._by_connection
        }
        if self._pid is not None and new:
            pid = self._pid
            # Once each: what is not found now has ended, and every look costs the callers time.
            self._by_connection |= await in_thread(lambda: _holders(pid, new))


def _holders(pid: int, connections: Mapping[int, int]) -> dict[int, str | None]:
    """Whose each is. Where there is but one process nobody need look."""
    found: dict[int, str] = {}
    with contextlib.suppress(psutil.Error):
        processes = family(pid)
        if len(processes) == 1:
            return dict.fromkeys(connections, str(pid))
        for process in processes:
            with contextlib.suppress(psutil.Error):
                for connection in process.net_connections(kind="tcp"):
                    if connection.laddr:
                        found[connection.laddr.port] = str(process.pid)
    return {number: found.get(port) for number, port in connections.items()}
