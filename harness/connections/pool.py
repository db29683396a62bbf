"""The clients of a run, opened by service name at first use and shared until the end of the run."""

import asyncio
from collections.abc import Mapping

from harness.connections.http import HttpClient
from harness.connections.limits import CONNECT_LIMIT
from harness.connections.sql import SqlClient
from harness.model.errors import HarnessBug


class Connections:
    """``urls`` gives a service's direct URL by its name; it is looked into at first use."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        self._opening = asyncio.Lock()
        self._sql: dict[str, SqlClient] = {}
        self._http: dict[str, HttpClient] = {}

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

    async def close(self) -> None:
        """Closes all of them; one that fails spares none of the others. May be called twice."""
        clients: list[SqlClient | HttpClient] = [*self._sql.values(), *self._http.values()]
        self._sql.clear()
        self._http.clear()
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
