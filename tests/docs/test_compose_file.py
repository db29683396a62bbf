"""docker-compose.yml as it is promised: on loopback alone, with versions, health checks, and a place for each hop."""

import json
import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.markdown import ROOT

COMPOSE = YAML(typ="safe").load(ROOT / "docker-compose.yml")
OVER = YAML(typ="safe").load(ROOT / "deploy/compose/stand-ins.yml")
PROXIES = json.loads((ROOT / "deploy/compose/proxies.json").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
TARGETS = sorted((ROOT / "targets").glob("*/target.yaml"))
# Debian's name for a release is its version; what we build is as old as the checkout.
PINNED = re.compile(r":(\d+\.\d+(\.\d+)?(-[a-z]+)?|local)$")


def test_services_when_looked_for_then_there_are_some() -> None:
    assert {"bank", "stats", "proxy", "toxiproxy"} <= set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_service_when_it_publishes_then_on_loopback_alone(name: str) -> None:
    ports = SERVICES[name]["ports"]
    assert ports
    assert [port for port in ports if not re.fullmatch(r"127\.0\.0\.1:\d*:\d+", port)] == []


@pytest.mark.parametrize("name", SERVICES)
def test_service_when_it_has_an_image_then_its_version_is_pinned(name: str) -> None:
    assert PINNED.search(SERVICES[name]["image"]), SERVICES[name]["image"]


@pytest.mark.parametrize("name", SERVICES)
def test_service_when_it_runs_then_it_tells_whether_it_is_healthy(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", SERVICES)
def test_service_when_others_must_be_there_then_it_waits_until_they_are_healthy(name: str) -> None:
    for needed in SERVICES[name].get("depends_on", {}).values():
        assert needed == {"condition": "service_healthy"}


def test_toxiproxy_when_not_asked_for_then_does_not_start() -> None:
    assert SERVICES["toxiproxy"]["profiles"] == ["toxiproxy"]
    assert [name for name, each in SERVICES.items() if "profiles" in each] == ["toxiproxy"]


@pytest.mark.parametrize("path", sorted(ROOT.glob("**/Dockerfile*")), ids=str)
def test_dockerfile_when_it_begins_from_an_image_then_its_version_is_pinned(path: Any) -> None:
    images = re.findall(r"^FROM (\S+)", path.read_text(), flags=re.MULTILINE)
    assert images
    for image in images:
        assert image == "debian:bookworm-slim" or PINNED.search(image), image


def test_images_when_they_cannot_be_pulled_then_each_has_a_stand_in() -> None:
    built = {name for name, each in OVER["services"].items() if "build" in each}
    assert built == set(SERVICES) - {"toxiproxy"}, "toxiproxy is built by build-stand-ins"


def test_proxies_when_they_stand_then_each_has_a_port_and_leads_to_a_service() -> None:
    listen = [proxy["listen"] for proxy in PROXIES]
    assert len(set(listen)) == len(listen)
    assert {proxy["upstream"].partition(":")[0] for proxy in PROXIES} <= set(SERVICES)


@pytest.mark.parametrize("path", TARGETS, ids=lambda path: path.parent.name)
def test_target_when_it_names_containers_then_they_are_there_and_wired(path: Any) -> None:
    target = YAML(typ="safe").load(path)
    behind = {proxy["listen"].rpartition(":")[2]: proxy["upstream"] for proxy in PROXIES}
    containers = {}
    for name, service in target.get("services", {}).items():
        if "compose" in service:
            file, _, containers[name] = service["compose"].partition("#")
            assert (path.parent / file).resolve() == ROOT / "docker-compose.yml"
            assert containers[name] in SERVICES
    for hop in target.get("hops", {}).values():
        if "compose" in hop:
            proxy, _, port = hop["compose"].partition(":")
            assert proxy == "proxy"
            assert behind[port].partition(":")[0] == containers[hop["to"]]
            environment = SERVICES[containers[hop["from"]]]["environment"]
            assert any(f"proxy:{port}" in str(value) for value in environment.values())
