"""What stands for services and hops on a stack of containers."""

import pytest

from tests.unit.experiment.tiny import plans, problems

RUN = "run: uvicorn bank.app:app --port {port}\n"


def with_compose(text):
    return {RUN: f"{RUN}    compose: {text}\n"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("docker-compose.yml#bank", 0),
        ("../../docker-compose.yml#bank-1.b", 0),
        ("docker-compose.yml", 1),
        ("'#bank'", 1),
        ("docker-compose.yml#", 1),
        ("'docker-compose.yml#-x'", 1),
        ("docker-compose.yml #bank", 1),
    ],
)
def test_compose_when_beside_another_word_then_only_its_form_is_looked_at(tmp_path, text, told):
    assert len(problems(tmp_path, target=with_compose(text))) == told


def test_compose_when_beside_another_word_then_is_in_the_plan_as_it_stands(tmp_path):
    target = with_compose("../docker-compose.yml#bank")
    target["{from: app, to: postgres}"] = '{from: app, to: postgres, compose: "proxy:15432"}'
    naive, _ = plans(tmp_path, target=target)
    app = naive.target.services[1]
    assert (app.kind, app.compose) == ("run", "../docker-compose.yml#bank")
    assert "compose" not in app.params
    assert naive.target.hops[0].compose == "proxy:15432"


def test_compose_when_it_is_the_only_word_then_is_a_kind_and_its_file_is_needed(tmp_path):
    target = {RUN: "compose: containers.yml#bank\n", "    ready": "    # ready"}
    assert problems(tmp_path, target=target) == [
        f"services.app.compose: there is no file {str(tmp_path / 'containers.yml')!r}"
    ]
    (tmp_path / "containers.yml").write_text("services: {bank: {}}")
    naive, _ = plans(
        tmp_path, target={**target, "value: json.count}": "value: json.count, on: app}"}
    )
    app = naive.target.services[1]
    assert (app.kind, app.compose) == ("compose", None)
    assert app.params == {"compose": "containers.yml#bank"}


def test_compose_when_an_included_file_names_it_then_is_found_beside_that(tmp_path):
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "app.yaml").write_text("services: {app: {compose: stack.yml#bank}}\n")
    naive, _ = plans(tmp_path, target={"title: A bank": "include: parts/app.yaml\ntitle: A bank"})
    assert naive.target.services[1].compose == f"{(parts / 'stack.yml').resolve()}#bank"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("proxy", "'proxy' names no port of a container"),
        ("proxy:http", "'proxy:http' names no port of a container"),
        ("'proxy:0'", "0 is no port"),
        ("'proxy:65536'", "65536 is no port"),
    ],
)
def test_hop_when_its_container_has_no_port_then_is_told(tmp_path, text, says):
    target = {"{from: app, to: postgres}": f"{{from: app, to: postgres, compose: {text}}}"}
    assert problems(tmp_path, target=target) == [f"hops.db.compose: {says}"]


def test_hop_when_another_has_its_port_then_is_told(tmp_path):
    two = '{from: app, to: postgres, compose: "proxy:1"}\n  more: {to: app, compose: "proxy:1"}'
    assert problems(tmp_path, target={"{from: app, to: postgres}": two}) == [
        "hops.more.compose: proxy:1 belongs to the hop db already"
    ]
