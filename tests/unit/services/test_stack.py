"""The stack with services that are only pretended: order, wiring, ready, retries, stopping."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.kinds import params
from harness.model.address import Address
from harness.model.errors import TargetError, UserError
from harness.model.events import ServiceReady
from harness.model.plan import HopPlan, HttpCall, ReadyPlan, ServicePlan
from harness.model.units import Duration
from harness.services import stack as stack_module
from harness.services.hops import Hop, Hops
from harness.services.ready import EndedEarly
from harness.services.site import Site, Started
from tests.support.stacks import Scene, a_service


@dataclass
class World:
    """What the pretended services did, and how they shall behave, by name."""

    done: list[str] = field(default_factory=list)
    filled: dict[str, Any] = field(default_factory=dict)
    asks: dict[str, Callable[[], Any]] = field(default_factory=dict)
    failing_stops: set[str] = field(default_factory=set)
    meeting: dict[str, asyncio.Barrier] = field(default_factory=dict)
    starts: int = 0


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    known = World()

    class Pretended:
        kind = "pretended"
        summary = ""
        takes_env = True

        @params
        class Params:
            text: str = ""

        def __init__(self, params: Any) -> None:
            self._params = params

        async def start(self, site: Site) -> Started:
            known.starts += 1
            known.done.append(f"start {site.name}")
            port = 1000 + known.starts

            async def stop() -> None:
                known.done.append(f"stop {site.name}")
                if site.name in known.meeting:
                    await known.meeting[site.name].wait()
                if site.name in known.failing_stops:
                    raise TargetError(site.name, "stuck")

            site.on_stop(stop)
            known.filled[site.name] = site.fill([self._params.text, site.plan.env], {"port": port})
            return Started(
                address=Address("127.0.0.1", port),
                url=f"http://u:p@127.0.0.1:{port}/x",
                ask=known.asks.get(site.name),
                port_given=True,
            )

    async def open_hop(_self: Hops, plan: HopPlan, upstream: Address) -> Hop:
        known.done.append(f"hop {plan.name} to {upstream.port}")
        return Hop(
            name=plan.name,
            admin="",
            proxy=plan.name,
            listen=Address("127.0.0.1", 7777),
            upstream=upstream,
            observed="here",
            watch_admin="",
            watch_proxy="",
        )

    async def close_hops(_self: Hops) -> None:
        known.done.append("close hops")

    class Engine(Pretended):
        takes_env = False

    kinds = {"pretended": Pretended, "engine": Engine}
    monkeypatch.setattr(stack_module, "SERVICES", kinds)
    monkeypatch.setattr(Hops, "open", open_hop)
    monkeypatch.setattr(Hops, "close", close_hops)
    monkeypatch.setattr(Hops, "remaining", lambda _self: ("a proxy",))
    return known


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def service(name: str, text: str = "", **env: str) -> ServicePlan:
    return a_service(name, "pretended", env=env, text=text)


DB = HopPlan(name="db", source="app", to="postgres")


def test_bring_up_when_the_app_dials_a_hop_then_database_hop_app_and_back(
    world: World, scene: Scene
) -> None:
    stack = scene.stack(service("app", URL="{hops.db.url}"), service("postgres"), hops=[DB])

    async def play() -> None:
        await stack.bring_up()
        assert stack.not_undone == ()
        await stack.stop()
        await stack.stop()

    asyncio.run(play())
    assert world.done == [
        "start postgres",
        "hop db to 1001",
        "start app",
        "stop app",
        "close hops",
        "stop postgres",
    ]
    assert world.filled["app"][1] == {"URL": "http://u:p@127.0.0.1:7777/x"}
    assert stack.not_undone == ("a proxy",)


def test_bring_up_when_done_then_urls_names_and_addresses_are_direct(
    world: World, scene: Scene
) -> None:
    stack = scene.stack(service("postgres"), hops=[HopPlan(name="db", source=None, to="postgres")])
    asyncio.run(stack.bring_up())
    assert stack.urls == {"postgres": "http://u:p@127.0.0.1:1001/x"}
    assert stack.address("postgres") == Address("127.0.0.1", 1001)
    assert stack.names["services"]["postgres"]["port"] == 1001
    assert stack.names["hops"]["db"] == {
        "url": "http://u:p@127.0.0.1:7777/x",
        "address": "127.0.0.1:7777",
        "host": "127.0.0.1",
        "port": 7777,
    }
    assert list(stack.hops) == ["db"]
    (ready,) = scene.events
    assert isinstance(ready, ServiceReady)
    assert (ready.name, ready.address) == ("postgres", "127.0.0.1:1001")
    assert world.starts == 1


def test_bring_up_when_templates_name_variant_and_port_then_they_are_filled(
    world: World, scene: Scene
) -> None:
    stack = scene.stack(service("app", "{variant} {port} {{x}}"), variant="naive")
    asyncio.run(stack.bring_up())
    assert world.filled["app"][0] == "naive 1001 {x}"


def test_bring_up_when_the_variant_has_an_env_then_programs_have_it_and_wait_for_what_it_names(
    world: World, scene: Scene
) -> None:
    stack = scene.stack(
        service("app", A="own", B="{port}"),
        a_service("cache", "engine"),
        a_service("postgres", "engine"),
        variant="lock",
        # Only programs have an environment: of the engines none waits for the other.
        env={"A": "{variant}", "URL": "{services.postgres.port}", "C": "{services.cache.port}"},
    )
    asyncio.run(stack.bring_up())
    assert world.done == ["start cache", "start postgres", "start app"]
    assert world.filled["app"][1] == {"A": "lock", "B": 1003, "URL": 1002, "C": 1001}
    assert stack.programs.env.items() >= {"A": "lock", "URL": "1002"}.items()


def test_programs_when_the_stack_is_up_then_they_run_in_the_target_s_folder_and_surroundings(
    scene: Scene,
) -> None:
    programs = scene.stack().programs
    assert programs.folder == scene.target
    assert programs.env["PYTHONPATH"].split(os.pathsep)[0] == str(scene.folder)
    assert (programs.logs, programs.mark) == (scene.run / "logs", scene.mark)


def test_programs_when_the_variant_s_env_cannot_be_filled_then_user_error(scene: Scene) -> None:
    with pytest.raises(UserError, match="the variant's env: 'nothing' has no value"):
        _ = scene.stack(env={"A": "{nothing}"}).programs


@pytest.mark.usefixtures("world")
def test_bring_up_when_done_then_the_folder_for_files_is_there_and_empty(scene: Scene) -> None:
    old = scene.run / "files" / "deep"
    old.mkdir(parents=True)
    (old / "report.log").write_text("of an earlier run")
    stack = scene.stack(service("app", "{folder}/x"))
    assert old.exists()
    asyncio.run(stack.bring_up())
    folder = Path(stack.names["folder"])
    assert folder == (scene.run / "files").resolve()
    assert list(folder.iterdir()) == []


def test_bring_up_when_an_environment_variable_is_missing_then_user_error_names_it(
    world: World, scene: Scene
) -> None:
    stack = scene.stack(service("app", TOKEN="{env:NOT_SET_ANYWHERE}"))
    with pytest.raises(UserError, match="NOT_SET_ANYWHERE is not set"):
        asyncio.run(stack.bring_up())
    assert world.starts == 1


@pytest.mark.usefixtures("world")
def test_bring_up_when_a_secret_comes_from_outside_then_it_is_hidden(scene: Scene) -> None:
    scene.env["TOKEN"] = "s3cret-value"
    asyncio.run(scene.stack(service("app", TOKEN="{env:TOKEN}")).bring_up())
    assert scene.hidden == ["s3cret-value"]


@pytest.mark.usefixtures("world")
def test_bring_up_when_a_template_has_no_value_then_user_error_names_the_service(
    scene: Scene,
) -> None:
    with pytest.raises(UserError, match="service app: 'nothing' has no value"):
        asyncio.run(scene.stack(service("app", "{nothing}")).bring_up())


def ends_early(log: str, times: int) -> Callable[[], Any]:
    left = [times]

    async def ask() -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise EndedEarly("service app", "ended", log)

    return ask


@pytest.mark.parametrize(
    "log",
    ["[Errno 98] error while attempting to bind: address already in use", "Error: EADDRINUSE"],
)
def test_bring_up_when_the_port_was_taken_meanwhile_then_another_is_tried(
    world: World, scene: Scene, log: str
) -> None:
    world.asks["app"] = ends_early(log, 2)
    stack = scene.stack(service("app"))
    asyncio.run(stack.bring_up())
    assert world.done == ["start app", "stop app"] * 2 + ["start app"]
    assert stack.address("app").port == 1003


@pytest.mark.parametrize(("log", "starts"), [("address already in use", 3), ("no such table", 1)])
def test_bring_up_when_it_ends_early_for_good_then_the_error_is_its_own(
    world: World, scene: Scene, log: str, starts: int
) -> None:
    world.asks["app"] = ends_early(log, 99)
    with pytest.raises(EndedEarly):
        asyncio.run(scene.stack(service("app")).bring_up())
    assert world.starts == starts


def test_stop_when_one_service_is_stuck_then_the_others_stop_and_it_is_told_last(
    world: World, scene: Scene
) -> None:
    world.failing_stops.add("b")
    stack = scene.stack(service("a"), service("b"), service("c"))

    async def play() -> None:
        await stack.bring_up()
        await stack.stop()

    with pytest.raises(ExceptionGroup, match="did not stop"):
        asyncio.run(play())
    assert world.done[3:] == ["stop c", "stop b", "stop a"]


def test_stop_when_services_need_nothing_of_each_other_then_they_stop_side_by_side(
    world: World, scene: Scene
) -> None:
    names = [f"worker-{number}" for number in range(8)]
    clients = [service(name, URL="{services.postgres.url}") for name in names]
    stack = scene.stack(*clients, service("postgres"))

    async def play() -> None:
        await stack.bring_up()
        everyone = asyncio.Barrier(len(names))
        world.meeting = dict.fromkeys(names, everyone)
        async with asyncio.timeout(30):
            await stack.stop()

    asyncio.run(play())
    assert world.done[-1] == "stop postgres"


def test_stop_when_it_was_cut_short_then_again_it_stops_what_was_left(
    world: World, scene: Scene
) -> None:
    stack = scene.stack(service("a"), service("b", URL="{services.a.url}"))

    async def play() -> None:
        await stack.bring_up()
        world.meeting = {"b": asyncio.Barrier(2)}
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await stack.stop()
        world.meeting = {}
        await stack.stop()

    asyncio.run(play())
    assert world.done[2:] == ["stop b", "stop b", "stop a"]


def test_stop_when_the_hops_could_not_be_closed_then_the_services_stop_and_it_is_told(
    world: World, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_self: Hops) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Hops, "close", fails)
    stack = scene.stack(service("app"), service("postgres"), hops=[DB])

    async def play() -> None:
        await stack.bring_up()
        await stack.stop()

    with pytest.raises(ExceptionGroup, match="did not stop"):
        asyncio.run(play())
    assert world.done[-2:] == ["stop app", "stop postgres"]


@pytest.mark.usefixtures("world")
def test_ready_call_when_the_service_is_up_then_all_of_it_is_filled(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.env["TOKEN"] = "s3cret/value"
    call = HttpCall(
        method="GET",
        path="/{env:TOKEN}/{port}?v={variant}",
        headers={"X-Token": "{env:TOKEN}"},
        json={"port": "{port}"},
        has_json=True,
    )
    ready = ReadyPlan(http=call, limit=Duration.of_s(1))
    asked: list[HttpCall] = []

    def remembered(_address: Address, call: HttpCall, *, what: str) -> Callable[[], Any]:
        assert what == "service app"
        asked.append(call)
        return stack_module._yes

    monkeypatch.setattr(stack_module, "answers", remembered)
    app = a_service("app", "pretended", ready=ready)
    stack = scene.stack(app, service("plain"), variant="a b")
    asyncio.run(stack.bring_up())
    filled = HttpCall(
        method="GET",
        path="/s3cret%2Fvalue/1001?v=a%20b",
        headers={"X-Token": "s3cret/value"},
        json={"port": 1001},
        has_json=True,
    )
    assert asked == [filled]
    assert stack.ready_call("app") == filled
    assert stack.ready_call("plain") is None
    assert set(scene.hidden) == {"s3cret/value", "s3cret%2Fvalue"}


def test_stop_when_bring_up_failed_half_way_then_what_had_started_stops(
    world: World, scene: Scene
) -> None:
    world.asks["b"] = ends_early("no", 1)
    stack = scene.stack(service("a"), service("b"))

    async def play() -> None:
        with pytest.raises(EndedEarly):
            await stack.bring_up()
        await stack.stop()

    asyncio.run(play())
    assert world.done == ["start a", "start b", "stop b", "stop a"]


def test_bring_up_when_a_pinned_port_is_elsewhere_then_nothing_is_started(
    world: World, scene: Scene
) -> None:
    pinned = HopPlan(name="db", source="app", to="postgres", listen="192.0.2.7:15432")
    with pytest.raises(UserError, match=r"--allow-host 192\.0\.2\.7"):
        asyncio.run(scene.stack(service("app"), service("postgres"), hops=[pinned]).bring_up())
    assert world.starts == 0


def test_address_when_the_service_has_none_then_user_error_says_what_it_needs(
    scene: Scene,
) -> None:
    with pytest.raises(UserError, match=r"service worker has no address.*\n.*\{port\}"):
        scene.stack(service("worker")).address("worker")


def test_check_alive_when_a_process_ended_by_itself_then_target_error_with_its_log(
    scene: Scene, tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    log.write_text("out of memory\n")
    stack = scene.stack(service("app"))
    alive = SimpleNamespace(running=lambda: True)
    dead = SimpleNamespace(running=lambda: False, exit_code=-9, log=log)
    stack._processes["other"] = alive  # type: ignore[assignment]
    stack.check_alive()
    stack._processes["app"] = dead  # type: ignore[assignment]
    with pytest.raises(TargetError, match=r"ended by itself with exit code -9;.*\nout of memory"):
        stack.check_alive()
