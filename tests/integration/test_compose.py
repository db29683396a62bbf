"""Experiments on containers: the stack of docker-compose.yml comes up, is broken as told, and is left as it was."""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from harness.model.events import (
    ContainerIntended,
    ContainerRemoved,
    FaultApplied,
    FaultUndone,
    HopClosed,
    HopOpened,
)
from harness.model.units import Duration
from tests.support.cli import ROOT, Running, harness
from tests.support.compose_stack import ComposeStack, compose_stack, left_of_runs
from tests.support.waiting import until_sync

pytestmark = pytest.mark.engine("docker")

BANK, POINTS = "bank-overdraft.yaml", "stats-counter.yaml"
# A killed runner's guardian asks an engine that may be busy.
GONE_WITHIN = Duration.of_s(30)
START = Duration.of_s(60)


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposeStack]:
    with compose_stack(["bank", "stats"]) as up:
        yield up


@pytest.fixture(scope="module")
def experiments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, for a run locks its target; the stack stays that of the checkout's compose file."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(
        ROOT / "targets", folder / "targets", ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "docker-compose.yml").symlink_to(ROOT / "docker-compose.yml")
    return shutil.copytree(ROOT / "experiments", folder / "experiments")


def proxies(stack: ComposeStack) -> list[str]:
    with urlopen(f"http://{stack.published('proxy', 8474)}/proxies") as answer:
        return sorted(json.load(answer))


def standing() -> list[str]:
    """The proxies that are there for everybody."""
    entries = json.loads((ROOT / "deploy/compose/proxies.json").read_text())
    return sorted(entry["name"] for entry in entries)


def test_stack_when_it_is_up_then_reached_from_this_machine_alone(stack: ComposeStack) -> None:
    places = stack.bindings()
    assert len(places) >= 6
    assert {place.rpartition(":")[0] for place in places} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("experiment", "broken", "sound"),
    [
        pytest.param(BANK, "naive", "atomic", id="bank"),
        pytest.param(POINTS, "get-set", "lua", id="stats"),
    ],
)
def test_run_when_on_containers_then_the_broken_is_found_and_the_sound_holds(
    stack: ComposeStack,
    experiments: Path,
    tmp_path: Path,
    experiment: str,
    broken: str,
    sound: str,
) -> None:
    wanted = ["--variant", broken, "--variant", sound, "--rounds", "5"]
    ran = harness(
        "run",
        experiments / experiment,
        *wanted,
        "--stack",
        "compose",
        "--json",
        cwd=tmp_path,
        env=stack.env,
    )
    assert ran.code == 0, ran
    verdicts = {run["variant"]: run["verdict"] for run in ran.json["runs"]}
    assert verdicts == {broken: "violated", sound: "held"}
    assert left_of_runs() == []
    assert proxies(stack) == standing()


def test_run_when_on_containers_then_its_fault_was_seen_where_it_was_put(
    stack: ComposeStack, experiments: Path, tmp_path: Path
) -> None:
    wanted = ["--variant", "naive", "--rounds", "2", "--stack", "compose"]
    ran = harness("run", experiments / BANK, *wanted, cwd=tmp_path, env=stack.env)
    (opened,) = (event for event in ran.events if isinstance(event, HopOpened))
    assert opened.observed == "here"
    assert opened.listen.startswith("proxy:") and opened.upstream == "bank-postgres:5432"
    (fault,) = ran.result["faults"]
    assert fault["seen_on_wire"], fault
    log = (ran.folders[0] / "logs" / "app.log").read_text()
    assert "Application startup complete" in log
    journal = (ran.folders[0] / "journal.jsonl").read_text()
    assert "not-a-secret-on-loopback" not in journal


def test_run_when_killed_then_its_container_and_its_hop_are_gone(
    stack: ComposeStack, experiments: Path, tmp_path: Path
) -> None:
    wanted = ["--variant", "naive", "--rounds", "500", "--full", "--stack", "compose"]
    running = Running("run", experiments / BANK, *wanted, cwd=tmp_path, env=stack.env)
    until_sync(lambda: bool(running.events(FaultApplied)), within=START, what="a fault is in force")
    running.send(signal.SIGKILL)
    ran = running.finish()
    until_sync(
        lambda: left_of_runs() == [] and proxies(stack) == standing(),
        within=GONE_WITHIN,
        what="the guardian has cleaned up",
    )
    (intended,) = (event for event in ran.events if isinstance(event, ContainerIntended))
    guardian = ran.folders[0] / "guardian.jsonl"
    until_sync(
        lambda: "HarnessFailed" in guardian.read_text(),
        within=GONE_WITHIN,
        what="it is written down",
    )
    told = guardian.read_text()
    for kind in (ContainerRemoved, HopClosed, FaultUndone):
        assert kind.__name__ in told
    assert intended.container in told


def test_run_when_the_stack_is_not_up_then_refused_with_the_command(
    experiments: Path, tmp_path: Path
) -> None:
    nobody = {"COMPOSE_PROJECT_NAME": "harness-test-nobody"}
    wanted = ["--variant", "naive", "--stack", "compose"]
    ran = harness("run", experiments / BANK, *wanted, cwd=tmp_path, env=nobody)
    assert ran.code == 2
    assert "docker-compose.yml#bank-postgres is not up" in ran.out
    assert f"docker compose -f {ROOT / 'docker-compose.yml'} up -d --wait" in ran.out


def test_run_when_on_containers_and_with_a_proxy_then_refused(
    experiments: Path, tmp_path: Path
) -> None:
    wanted = ["--stack", "compose", "--proxy", "http://127.0.0.1:1"]
    ran = harness("run", experiments / BANK, *wanted, cwd=tmp_path)
    assert ran.code == 2
    assert "--proxy and --stack compose stand together" in ran.err
