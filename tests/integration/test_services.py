"""Real services behind a real proxy: started, wired, ready, watched, stopped, with nothing left."""

import asyncio
import json
import socket
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.connections.pool import Connections
from harness.model.errors import TargetError, UserError
from harness.model.events import HopClosed, HopIntended, HopOpened, ProcessEnded
from harness.model.plan import HopPlan, HttpCall, ReadyPlan, ServicePlan
from harness.model.units import Duration
from harness.processes.marks import marked
from harness.proxy.client import ProxyServer
from harness.services.hops import ProxyEndpoint
from harness.services.ports import free_port
from harness.services.ready import wait_until_ready
from harness.services.stack import Stack
from tests.support.engines import toxiproxy_server
from tests.support.proxies import foreign_toxiproxy
from tests.support.stacks import Scene, a_service
from tests.support.waiting import until

S30 = Duration.of_s(30)
HEALTH = ReadyPlan(http=HttpCall(method="GET", path="/healthz"), limit=S30)

# Answers with its name and, when it was given one, what the service behind it answers.
SERVER = """
import http.server, json, os, sys, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        behind = os.environ.get("BEHIND")
        answer = {"name": os.environ["NAME"], "path": self.path}
        if behind and self.path == "/ask":
            answer["behind"] = json.load(urllib.request.urlopen(behind + "/deep"))
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    (made.target / "server.py").write_text(SERVER)
    yield made
    assert marked(made.mark) == []


def server(name: str, **env: str) -> ServicePlan:
    return a_service(name, env={"NAME": name, **env}, ready=HEALTH, run="python server.py {port}")


def get(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return dict(json.load(answer))


async def ask(stack: Stack, service: str, path: str) -> dict[str, object]:
    return await asyncio.to_thread(get, stack.urls[service] + path)


def hop(listen: str | None = None) -> HopPlan:
    return HopPlan(name="db", source="app", to="store", listen=listen)


def test_stack_when_two_services_are_wired_then_the_app_s_requests_pass_the_hop(
    scene: Scene,
) -> None:
    async def play() -> None:
        async with scene.proxy() as proxy:
            services = server("app", BEHIND="{hops.db.url}"), server("store")
            async with scene.up(*services, hops=[hop()], proxy=proxy) as stack:
                answer = await ask(stack, "app", "/ask")
                assert answer["behind"] == {"name": "store", "path": "/deep"}
                page = await asyncio.to_thread(ProxyServer(proxy.own).turns, "db")
                assert page.bytes_up > 0
                stack.check_alive()

    asyncio.run(play())
    assert [type(event) for event in scene.events if isinstance(event, HopOpened | HopClosed)] == [
        HopOpened,
        HopClosed,
    ]
    assert all(event.expected for event in scene.events if isinstance(event, ProcessEnded))


@pytest.mark.engine("toxiproxy")
def test_stack_when_a_foreign_toxiproxy_is_named_then_ours_stands_before_it(scene: Scene) -> None:
    async def play(foreign: str) -> None:
        async with scene.proxy() as own:
            endpoint = ProxyEndpoint(own=own.own, foreign=foreign)
            services = server("app", BEHIND="{hops.db.url}"), server("store")
            async with scene.up(*services, hops=[hop()], proxy=endpoint) as stack:
                answer = await ask(stack, "app", "/ask")
                assert answer["behind"] == {"name": "store", "path": "/deep"}
                name = stack.hops["db"].proxy
                assert list(ProxyServer(foreign).proxies()) == [name]
                assert name == f"harness-{scene.mark}-db"
                page = await asyncio.to_thread(ProxyServer(own.own).turns, "db")
                assert page.bytes_up > 0
        assert ProxyServer(foreign).proxies() == {}

    with foreign_toxiproxy(toxiproxy_server()) as foreign:
        asyncio.run(play(foreign))
    first = next(event for event in scene.events if isinstance(event, HopIntended | HopOpened))
    assert isinstance(first, HopIntended)


def test_stack_when_what_is_named_as_a_proxy_is_none_then_user_error_and_nothing_started(
    scene: Scene,
) -> None:
    async def play() -> None:
        async with scene.up(server("other")) as other:
            stack = scene.stack(
                server("app"),
                proxy=ProxyEndpoint(own="http://127.0.0.1:1", foreign=other.urls["other"]),
            )
            with pytest.raises(UserError, match="is no Toxiproxy"):
                await stack.bring_up()
            with pytest.raises(UserError, match="no proxy answers there"):
                await scene.stack(
                    server("app"),
                    proxy=ProxyEndpoint(
                        own="http://127.0.0.1:1", foreign=f"http://127.0.0.1:{free_port()}"
                    ),
                ).bring_up()

    asyncio.run(play())


def test_stack_when_a_hop_is_pinned_then_it_listens_there_and_a_taken_port_is_refused(
    scene: Scene,
) -> None:
    pinned = f"127.0.0.1:{free_port()}"

    async def play() -> None:
        async with scene.proxy() as proxy:
            services = server("app"), server("store")
            async with scene.up(*services, hops=[hop(pinned)], proxy=proxy):
                answer = await asyncio.to_thread(get, f"http://{pinned}/x")
                assert answer["name"] == "store"
                again = scene.stack(*services, hops=[hop(pinned)], proxy=proxy)
                with pytest.raises(UserError, match=f"hop db: {pinned} is taken"):
                    await again.bring_up()
            with socket.create_server(("127.0.0.1", int(pinned.split(":")[1]))):
                pass

    asyncio.run(play())


def test_stack_when_a_service_runs_already_then_it_is_reached_through_a_pinned_hop(
    scene: Scene,
) -> None:
    async def play() -> None:
        async with scene.up(server("store")) as running, scene.proxy() as proxy:
            there = a_service("store", "url", url=running.urls["store"])
            async with scene.up(
                there, hops=[HopPlan(name="db", source=None, to="store")], proxy=proxy
            ) as stack:
                url = stack.names["hops"]["db"]["url"]
                assert (await asyncio.to_thread(get, url + "/x"))["name"] == "store"

    asyncio.run(play())


def test_stack_when_a_service_dies_at_start_then_its_last_words_are_told(scene: Scene) -> None:
    (scene.target / "server.py").write_text("import sys; sys.exit('KeyError: DATABASE_URL')")
    with pytest.raises(TargetError) as raised:
        asyncio.run(up_and_down(scene, server("app")))
    assert "service app: ended with exit code 1 before it was ready" in str(raised.value)
    assert "KeyError: DATABASE_URL" in str(raised.value)


def test_stack_when_a_service_is_never_ready_then_how_long_what_last_and_its_log(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "print('loading', flush=True); import time; time.sleep(60)"
    (scene.target / "server.py").write_text(code)
    plan = ReadyPlan(http=HEALTH.http, limit=Duration.of_ms(700))
    app = a_service("app", ready=plan, run="python server.py {port}")

    async def once_it_loads(*arguments: Any, **named: Any) -> Duration:
        await until(lambda: scene.log("app") == "loading\n", within=S30, what="it loads")
        return await wait_until_ready(*arguments, **named)

    monkeypatch.setattr("harness.services.stack.wait_until_ready", once_it_loads)
    with pytest.raises(TargetError) as raised:
        asyncio.run(up_and_down(scene, app))
    text = str(raised.value)
    assert "was not ready within 700 ms; the last attempt: GET /healthz at 127.0.0.1:" in text
    assert "refused the connection" in text
    assert "loading" in text


def test_stack_when_a_port_is_taken_meanwhile_then_another_is_tried(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [taken.getsockname()[1], free_port()]
        monkeypatch.setattr("harness.services.program.free_port", lambda: ports.pop(0))
        taken.listen()

        async def play() -> None:
            async with scene.up(server("app")) as stack:
                assert (await ask(stack, "app", "/x"))["name"] == "app"

        asyncio.run(play())
    assert ports == []
    assert "Address already in use" in scene.log("app")


def test_stack_when_a_service_dies_later_then_check_alive_tells(scene: Scene) -> None:
    async def play() -> None:
        async with scene.up(server("app")) as stack:
            process = stack._processes["app"]
            marked(scene.mark)[0].kill()
            await until(lambda: not process.running(), within=S30, what="the app is gone")
            with pytest.raises(TargetError, match="service app: ended by itself with exit code -9"):
                stack.check_alive()

    asyncio.run(play())


def test_stack_when_bring_up_is_cancelled_then_stop_leaves_nothing(scene: Scene) -> None:
    (scene.target / "server.py").write_text("import time; time.sleep(60)")

    async def play() -> None:
        stack = scene.stack(server("app"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await stack.bring_up()
        assert len(marked(scene.mark)) == 1
        await stack.stop()

    asyncio.run(play())


def test_stack_when_many_services_ignore_being_told_then_they_go_in_one_grace(
    scene: Scene,
) -> None:
    """One after the other they would take 24 s."""
    (scene.target / "stubborn.sh").write_text("trap '' TERM; echo up; exec sleep 60")
    services = [a_service(f"stubborn-{number}", run="sh stubborn.sh") for number in range(8)]

    async def play() -> Duration:
        stack = scene.stack(*services)
        try:
            await stack.bring_up()
            for service in services:
                await until(
                    lambda name=service.name: scene.log(name) == "up\n", within=S30, what="it is up"
                )
        finally:
            began = time.monotonic_ns()
            await stack.stop()
        return Duration.of_ns(time.monotonic_ns() - began)

    assert asyncio.run(play()) < Duration.of_s(12)


def test_stack_when_the_foreign_proxy_hangs_then_stop_is_bounded_and_names_what_remains(
    scene: Scene,
) -> None:
    """An embedded proxy of its own stands in for somebody's Toxiproxy."""
    names = ("one", "two", "three")

    async def play() -> Stack:
        async with scene.proxy() as own, scene.proxy() as foreign:
            hanging = next(p for p in marked(scene.mark) if foreign_port(foreign) in ports_of(p))
            stack = scene.stack(
                server("store"),
                hops=[HopPlan(name=name, source=None, to="store") for name in names],
                proxy=ProxyEndpoint(own=own.own, foreign=foreign.own),
            )
            try:
                await stack.bring_up()
                hanging.suspend()
                began = time.monotonic_ns()
                await stack.stop()
                assert Duration.of_ns(time.monotonic_ns() - began) < Duration.of_s(9)
            finally:
                hanging.resume()
            for name, remains in zip(names, sorted(stack.not_undone, key=where), strict=True):
                proxy = f"harness-{scene.mark}-{name}"
                assert remains.endswith(f"curl -X DELETE {foreign.own}/proxies/{proxy}")
            return stack

    def where(text: str) -> int:
        return next(number for number, name in enumerate(names) if text.endswith(f"-{name}"))

    asyncio.run(play())


def foreign_port(endpoint: ProxyEndpoint) -> int:
    return int(endpoint.own.rpartition(":")[2])


def ports_of(process: psutil.Process) -> set[int]:
    return {each.laddr.port for each in process.net_connections() if each.status == "LISTEN"}


def test_connections_when_the_stack_is_up_then_resets_reach_the_service_directly(
    scene: Scene,
) -> None:
    async def play() -> None:
        async with scene.up(server("app")) as stack:
            connections = Connections(stack.urls)
            client = await connections.http("app")
            answer = await client.call("GET", "/reset", headers={}, body=None, within=S30)
            await connections.close()
            assert json.loads(answer.body) == {"name": "app", "path": "/reset"}

    asyncio.run(play())


async def up_and_down(scene: Scene, *services: ServicePlan) -> None:
    async with scene.up(*services):
        pass
