"""The clients of a run, opened by service name at first use and shared until the end of the run."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from harness.connections.http import HttpClient
from harness.connections.limits import CONNECT_LIMIT
from harness.connections.redis import RedisClient
from harness.connections.sql import SqlClient
from harness.model.errors import HarnessBug


class Connections:
    """``urls`` gives a service's direct URL by its name, ``pids`` the process that was started for it.

    Both are looked into at first use: they fill up while the services start.
    """

    def __init__(
        self, urls: Mapping[str, str], pids: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        self._urls = urls
        self._pids = pids
        self._opening = asyncio.Lock()
        self._sql: dict[str, SqlClient] = {}
        self._http: dict[str, HttpClient] = {}
        self._redis: dict[str, RedisClient] = {}

    async def sql(self, service: str) -> SqlClient:
        """The service's database client.

        Raises:
            TargetError: it cannot be reached.
        """
        async with self._opening:
            if service not in self._sql:
                self._sql[service] = await SqlClient.open(
                    self._url(service), what=f"service {service}", limit=CONNECT_LIMIT
                )
            return self._sql[service]

    async def http(self, service: str) -> HttpClient:
        """The service's HTTP client."""
        if service not in self._http:
            self._http[service] = HttpClient(self._url(service), what=f"service {service}")
        return self._http[service]

    async def redis(self, service: str) -> RedisClient:
        """The service's Redis client; it connects at its first call."""
        if service not in self._redis:
            self._redis[service] = RedisClient(self._url(service), what=f"service {service}")
        return self._redis[service]

    def pid(self, service: str) -> int:
        """The process that was started for the service; its children are found by it."""
        if service not in self._pids:
            known = ", ".join(sorted(self._pids)) or "none"
            raise HarnessBug(f"no process is known for service {service!r}; known are {known}.")
        return self._pids[service]

    async def close(self) -> None:
        """Closes all of them; one that fails spares none of the others. May be called twice."""
        clients: list[SqlClient | HttpClient | RedisClient] = [
            *self._sql.values(),
            *self._http.values(),
            *self._redis.values(),
        ]
        for opened in (self._sql, self._http, self._redis):
            opened.clear()
        failures: list[Exception] = []
        for client in clients:
            try:
                await client.close()
            except Exception as failure:
                failures.append(failure)
        if failures:
            raise failures[0]

    def _url(self, service: str) -> str:
        if service not in self._urls:
            known = ", ".join(sorted(self._urls)) or "none"
            raise HarnessBug(f"no URL is known for service {service!r}; known are {known}.")
        return self._urls[service]
