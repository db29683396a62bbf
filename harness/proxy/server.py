"""All proxies of one server, and the rules across them. A call that is refused changed nothing.

Resolving a listen address may take a moment, so it comes first; whatever follows is one step that
no other call can interrupt. HTTP stays in ``api``.
"""

import errno
import socket
from dataclasses import dataclass

from harness.proxy.addresses import AddressProblem, Listen, UnknownHost, resolve
from harness.proxy.listener import ListenFailed, bind, same
from harness.proxy.proxy import Proxy, Surroundings, new_toxic
from harness.proxy.states import ProxySpec, Refused, ToxicState, checked_name

Bound = tuple[socket.socket, Listen]


class Server:
    """The state behind the API: proxies by name."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._proxies: dict[str, Proxy] = {}

    def proxies(self) -> list[Proxy]:
        """Sorted by name."""
        return [self._proxies[name] for name in sorted(self._proxies)]

    def proxy(self, name: str) -> Proxy:
        found = self._proxies.get(name)
        if found is None:
            raise Refused(404, "proxy not found")
        return found

    async def create(self, spec: ProxySpec) -> Proxy:
        """A new proxy, listening before this returns unless it is to be disabled."""
        name, upstream = _required(spec)
        self._refuse_taken(name)
        toxics = _toxics(spec)
        address = await resolved(spec.listen or "")
        self._refuse_taken(name)
        _refuse_circle(address.text(), upstream)
        proxy = Proxy(name, listen=spec.listen or "", upstream=upstream, around=self._around)
        if spec.enabled is not False:
            proxy.serve(_bound(address))
        proxy.put_toxics(toxics)
        self._proxies[name] = proxy
        return proxy

    async def update(self, name: str, spec: ProxySpec) -> Proxy:
        """What is equal to the present values touches nothing."""
        proxy = self.proxy(name)
        if spec.upstream == "":
            raise Refused(400, "upstream: is empty, use host:port")
        address = await self._address(proxy, spec)
        if self._proxies.get(name) is not proxy:
            raise Refused(404, "proxy not found")  # replaced while the host was resolved
        self._apply(proxy, spec, address)
        return proxy

    async def _address(self, proxy: Proxy, spec: ProxySpec) -> Listen:
        if spec.listen is not None:
            return await resolved(spec.listen)
        while True:
            listen = proxy.listen
            address = await resolved(listen)
            if listen == proxy.listen:  # else another call has moved it meanwhile
                return address

    def _apply(self, proxy: Proxy, spec: ProxySpec, address: Listen) -> None:
        upstream = proxy.upstream if spec.upstream is None else spec.upstream
        _refuse_circle(address.text(), upstream)
        enabled = proxy.enabled if spec.enabled is None else spec.enabled
        moved = spec.listen is not None and not same(address, proxy.listen)
        bound: Bound | None = None
        if enabled and (moved or not proxy.enabled):
            bound = self._bound_beside(proxy, address)  # first: what fails changes nothing
        if moved or upstream != proxy.upstream or not enabled:
            proxy.disconnect()
        if moved or not enabled:
            proxy.refuse()
        proxy.upstream = upstream
        if bound is not None:
            proxy.serve(bound)
        elif moved:
            proxy.listen = spec.listen or ""

    def _bound_beside(self, proxy: Proxy, address: Listen) -> Bound:
        """Binds the new address before the old one is given up; one port may need it first."""
        try:
            return bind(address)
        except ListenFailed as failed:
            old = proxy.listen
            if not (
                failed.errno == errno.EADDRINUSE
                and proxy.enabled
                and old.rpartition(":")[2] == str(address.port)
            ):
                raise Refused(500, str(failed)) from None
            return self._swapped(proxy, address)

    def _swapped(self, proxy: Proxy, address: Listen) -> Bound:
        host, _, port = proxy.listen.rpartition(":")
        old = Listen(host.strip("[]"), int(port))
        proxy.refuse()
        try:
            return bind(address)
        except ListenFailed as failed:
            proxy.serve(_bound(old))
            raise Refused(500, str(failed)) from None

    def delete(self, name: str) -> None:
        self.proxy(name).disable()
        del self._proxies[name]

    async def reset(self) -> None:
        """Enables all proxies and removes all toxics; one that cannot listen is named at the end."""
        failed: list[str] = []
        for proxy in self.proxies():
            proxy.remove_toxics()
        for proxy in self.proxies():
            if proxy.enabled:
                continue
            try:
                address = await resolved(proxy.listen)
                if not proxy.enabled and self._proxies.get(proxy.name) is proxy:
                    proxy.enable(address)
            except (ListenFailed, Refused) as problem:
                failed.append(f"{proxy.name}: {problem}")
        if failed:
            raise Refused(500, "; ".join(failed))

    async def populate(self, specs: list[ProxySpec]) -> list[Proxy]:
        """All of the list or nothing. Proxies that are there with these addresses are left alone."""
        names: set[str] = set()
        for place, spec in enumerate(specs, start=1):
            name, _ = _required(spec, f" at proxy {place}")
            if name in names:
                raise Refused(400, f"name: {name} is twice in the list, at proxy {place} again")
            names.add(name)
            _toxics(spec)
        addresses = [await resolved(spec.listen or "") for spec in specs]
        entries = [
            self._entry(spec, address) for spec, address in zip(specs, addresses, strict=True)
        ]
        self._bind_all(entries)
        return [self._enter(entry) for entry in entries]

    def _entry(self, spec: ProxySpec, address: Listen) -> "_Entry":
        name, upstream = _required(spec)
        _refuse_circle(address.text(), upstream)
        present = self._proxies.get(name)
        here = present is not None and same(address, present.listen)
        return _Entry(
            spec=spec,
            address=address,
            present=present,
            here=here,
            kept=present is not None and here and present.upstream == upstream,
        )

    def _bind_all(self, entries: list["_Entry"]) -> None:
        """Gets every socket that is needed, or none."""
        try:
            for entry in entries:
                if not entry.needs_socket:
                    continue
                try:
                    entry.bound = bind(entry.address)
                except ListenFailed as failed:
                    raise Refused(500, str(failed)) from None
        except Refused:
            for entry in entries:
                if entry.bound is not None:
                    entry.bound[0].close()
            raise

    def _enter(self, entry: "_Entry") -> Proxy:
        if entry.kept:
            assert entry.present is not None
            return entry.present
        name, upstream = _required(entry.spec)
        listen = entry.spec.listen or ""
        proxy = Proxy(name, listen=listen, upstream=upstream, around=self._around)
        proxy.put_toxics(_toxics(entry.spec))
        if entry.present is not None:
            entry.present.disable()
        if entry.bound is not None:
            proxy.serve(entry.bound)
        elif entry.spec.enabled is not False:
            proxy.serve(_bound(entry.address))  # the address its predecessor has just given up
        self._proxies[name] = proxy
        return proxy

    def _refuse_taken(self, name: str) -> None:
        if name in self._proxies:
            raise Refused(409, "proxy already exists")

    def refuse_all(self) -> None:
        """No new connections; those that are open go on."""
        for proxy in self._proxies.values():
            proxy.refuse()

    def disconnect_all(self) -> None:
        for proxy in self._proxies.values():
            proxy.disconnect()

    async def quiet(self) -> None:
        """Returns once no connection is open."""
        for proxy in tuple(self._proxies.values()):
            await proxy.quiet()


@dataclass(slots=True, kw_only=True)
class _Entry:
    """One proxy of a list while the list is being entered."""

    spec: ProxySpec
    address: Listen
    present: Proxy | None
    here: bool
    """``present`` has the address that is asked for."""
    kept: bool
    bound: Bound | None = None

    @property
    def needs_socket(self) -> bool:
        enabled = self.spec.enabled is not False
        taken_over = self.here and self.present is not None and self.present.enabled
        return enabled and not self.kept and not taken_over


def _required(spec: ProxySpec, where: str = "") -> tuple[str, str]:
    if not spec.name:
        raise Refused(400, f"missing required field: name{where}")
    if not spec.upstream:
        raise Refused(400, f"missing required field: upstream{where}")
    return checked_name(spec.name), spec.upstream


def _toxics(spec: ProxySpec) -> list[ToxicState]:
    states: list[ToxicState] = []
    for toxic in spec.toxics:
        states.append(new_toxic(toxic, {state.name for state in states}))
    return states


def _bound(address: Listen) -> Bound:
    try:
        return bind(address)
    except ListenFailed as failed:
        raise Refused(500, str(failed)) from None


async def resolved(listen: str) -> Listen:
    """The address to bind.

    Raises:
        Refused: 400 for what is no address, 500 for a host without one.
    """
    try:
        return await resolve(listen)
    except AddressProblem as problem:
        raise Refused(400, f"listen: {problem}") from None
    except UnknownHost as unknown:
        raise Refused(500, str(unknown)) from None


def _refuse_circle(listen: str, upstream: str) -> None:
    if listen == upstream:
        raise Refused(400, f"upstream: {upstream} is the proxy's own listen address")
