"""All proxies of one server, and the rules across them. A call that is refused changed nothing.

Resolving a listen address may take a moment, so it comes first; whatever follows is one step that
no other call can interrupt. HTTP stays in ``api``.
"""

from harness.proxy.addresses import Listen
from harness.proxy.binding import Bound, bound, bound_beside, refuse_circle, resolved
from harness.proxy.blueprint import (
    changed_toxic,
    checked,
    lease,
    max_connections,
    new_toxic,
    observe,
)
from harness.proxy.leases import Leases
from harness.proxy.leasing import Leasing
from harness.proxy.listener import ListenFailed, same
from harness.proxy.listing import (
    Entry,
    addresses,
    bind_all,
    blueprints,
    entries,
    require_leases,
)
from harness.proxy.proxy import Proxy, Surroundings
from harness.proxy.states import ProxySpec, Refused, ToxicSpec, ToxicState


class Server:
    """The state behind the API: proxies by name, and ``leasing``."""

    def __init__(self, around: Surroundings, *, leases: Leases | None = None) -> None:
        self._around = around
        self._proxies: dict[str, Proxy] = {}
        self.leasing = Leasing(self, loop=around.loop, clock=around.clock, leases=leases)

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
        blueprint = checked(spec)
        self._refuse_taken(blueprint.name)
        address = await resolved(blueprint.listen)
        self._refuse_taken(blueprint.name)
        refuse_circle(address, blueprint.upstream)
        self.leasing.require(*blueprint.leases())
        socket = bound(address) if blueprint.enabled else None
        proxy = blueprint.built(address, self._around)
        if socket is not None:
            proxy.serve(socket)
        self._proxies[proxy.name] = proxy
        return proxy

    async def update(self, name: str, spec: ProxySpec) -> Proxy:
        """What is equal to the present values touches nothing."""
        proxy = self.proxy(name)
        if spec.upstream == "":
            raise Refused(400, "upstream: is empty, use host:port")
        max_connections(spec.extensions)
        observe(spec.extensions)
        asked = None if spec.listen is None else await resolved(spec.listen)
        if self._proxies.get(name) is not proxy:
            raise Refused(404, "proxy not found")  # replaced while the host was resolved
        self._apply(proxy, spec, asked)
        return proxy

    def _apply(self, proxy: Proxy, spec: ProxySpec, asked: Listen | None) -> None:
        address = proxy.address if asked is None else asked
        upstream = proxy.upstream if spec.upstream is None else spec.upstream
        refuse_circle(address, upstream)
        self.leasing.require(lease(spec.extensions))
        was_enabled = proxy.enabled
        enabled = was_enabled if spec.enabled is None else spec.enabled
        moved = asked is not None and not same(asked, proxy.listen)
        socket: Bound | None = None
        if enabled and (moved or not was_enabled):
            socket = bound_beside(proxy, address)  # first: what fails changes nothing
        if moved or upstream != proxy.upstream or not enabled:
            proxy.disconnect()
        if moved or not enabled:
            proxy.refuse()
        proxy.upstream = upstream
        if socket is not None:
            proxy.serve(socket)
        elif moved:
            proxy.listen, proxy.address = spec.listen or "", address
        proxy.max_connections = max_connections(spec.extensions, proxy.max_connections)
        proxy.observe(observe(spec.extensions, proxy.observed))
        if "lease" in spec.extensions:
            _attach(proxy, spec, disabled=was_enabled and not enabled)

    def delete(self, name: str) -> None:
        self.proxy(name).end()
        del self._proxies[name]

    def reset(self) -> None:
        """Enables all proxies and removes all toxics; one that cannot listen is named at the end."""
        failed: list[str] = []
        for proxy in self.proxies():
            proxy.remove_toxics()
        for proxy in self.proxies():
            if proxy.enabled:
                continue
            try:
                proxy.enable()
            except ListenFailed as problem:
                failed.append(f"{proxy.name}: {problem}")
        if failed:
            raise Refused(500, "; ".join(failed))

    async def populate(self, specs: list[ProxySpec]) -> list[Proxy]:
        """All of the list or nothing. Proxies that are there with these addresses are left alone."""
        listed = blueprints(specs)
        found = entries(listed, await addresses(listed), self._proxies)
        require_leases(found, self.leasing.require)
        bind_all(found)
        return [self._enter(entry) for entry in found]

    def _enter(self, entry: Entry) -> Proxy:
        if entry.kept:
            assert entry.present is not None
            if entry.blueprint.names_lease:
                entry.present.lease = entry.blueprint.lease
            return entry.present
        proxy = entry.blueprint.built(entry.address, self._around)
        if entry.bound is not None:
            proxy.serve(entry.bound)
        elif entry.present is not None and entry.blueprint.enabled:
            # The socket itself: an address that is given up may be gone when it is bound again.
            proxy.take_over(entry.present.hand_over(), entry.present.address)
        if entry.present is not None:
            entry.present.end()
        self._proxies[proxy.name] = proxy
        return proxy

    def _refuse_taken(self, name: str) -> None:
        if name in self._proxies:
            raise Refused(409, "proxy already exists")

    # Toxics

    def add_toxic(self, proxy_name: str, spec: ToxicSpec) -> ToxicState:
        proxy = self.proxy(proxy_name)
        state = new_toxic(spec, proxy.toxic_names())
        self.leasing.require(state.extensions.lease)
        proxy.add_toxic(state)
        return state

    def change_toxic(self, proxy_name: str, name: str, spec: ToxicSpec) -> ToxicState:
        """Only what is given changes."""
        proxy = self.proxy(proxy_name)
        state = changed_toxic(proxy.toxic(name), spec)
        if "lease" in spec.extensions:
            self.leasing.require(state.extensions.lease)
        proxy.change_toxic(state, given=spec.extensions)
        return state

    # The end

    def refuse_all(self) -> None:
        """No new connections, and nothing that would bring one; those that are open go on."""
        self.leasing.stop()
        for proxy in self._proxies.values():
            proxy.refuse()

    def disconnect_all(self) -> None:
        for proxy in self._proxies.values():
            proxy.disconnect()

    async def quiet(self) -> None:
        """Returns once no connection is open."""
        for proxy in tuple(self._proxies.values()):
            await proxy.quiet()


def _attach(proxy: Proxy, spec: ProxySpec, *, disabled: bool) -> None:
    """To the lease that is asked for; null takes the proxy from every lease.

    A lease enables again only what it, or the lease it takes over from, has disabled.
    """
    asked = lease(spec.extensions)
    if asked is None:
        proxy.lease = proxy.disabled_by = None
    elif spec.enabled is not False:
        proxy.lease = asked
    elif disabled or proxy.disabled_by is not None:
        proxy.disabled_by = asked
