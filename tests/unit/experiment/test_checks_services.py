"""Services and hops: order of starting, protocols, addresses."""

import pytest

from harness.experiment.checks_services import protocol, text_of
from harness.experiment.draft import Reader
from harness.experiment.report import Report
from harness.experiment.source import parse
from tests.unit.experiment.tiny import KINDS, problems

READER = Reader.of(KINDS)


@pytest.mark.parametrize(
    ("service", "speaks"),
    [
        ('{run: "serve {port}"}', "http"),
        ('{run: serve, env: {PORT: "{port}"}}', "http"),
        ("{run: work}", "nothing"),
        ('{node: "serve.js {port}"}', "http"),
        ("{node: work.js}", "nothing"),
        ("{compose: a.yml#app}", "unknown"),
        ("{embedded: postgres}", "sql"),
        ("{embedded: valkey}", "redis"),
        ('{url: "redis://127.0.0.1:6379/0"}', "redis"),
        ('{url: "mysql://127.0.0.1/a"}', "sql"),
        ('{url: "http://127.0.0.1"}', "http"),
        ('{url: "{env:URL}"}', "unknown"),
    ],
)
def test_protocol_when_the_file_tells_then_is_known(service, speaks):
    report = Report()
    root = parse(f"target: t\nservices:\n  one: {service}\n", "f", report)
    target = READER.target(root, (), "f", report)
    assert protocol(target, "one") == speaks
    assert protocol(target, "other") == "unknown"
    assert text_of(target.services["one"], "nothing") == ""


def test_hop_when_from_is_left_out_then_is_right(tmp_path):
    assert problems(tmp_path, target={"{from: app, to: postgres}": "{to: postgres}"}) == []


def test_hop_when_it_is_pinned_for_a_service_that_runs_already_then_is_right(tmp_path):
    changed = {
        "{from: app, to: postgres}": '{from: app, to: postgres, listen: "127.0.0.1:15432"}',
        "run: uvicorn bank.app:app --port {port}": "url: http://127.0.0.1:8000",
        '    env: {DATABASE_URL: "{hops.db.url}", VARIANT: "{variant}"}\n': "",
    }
    assert problems(tmp_path, target=changed) == []


def test_host_when_the_target_allows_it_then_is_right(tmp_path):
    changed = {"{embedded: postgres}": '{url: "postgresql://db.example/a"}'}
    assert len(problems(tmp_path, target=changed)) == 1
    allowed = {**changed, "title: A bank": "allow_hosts: [db.example]\ntitle: A bank"}
    assert problems(tmp_path, target=allowed) == []


def test_env_when_a_service_is_started_in_any_way_then_may_have_one(tmp_path):
    changed = {"run: uvicorn bank.app:app --port {port}": "node: app.js --port {port}"}
    assert problems(tmp_path, target=changed) == []
    (tmp_path / "c.yml").write_text("services: {}")
    changed = {"run: uvicorn bank.app:app --port {port}": "compose: c.yml#app"}
    assert problems(tmp_path, target=changed) == []


def test_fault_when_it_reads_http_and_the_hop_leads_to_a_store_then_is_told(tmp_path):
    target = {"  app:\n": "  cache: {embedded: valkey}\n  app:\n"}
    target |= {"hops:\n": "hops:\n  cache: {from: app, to: cache}\n"}
    fault = "on: db, latency: 40ms, jitter: 10ms, for: 10s, stream: upstream, toxicity: 30%"
    experiment = {fault: "on: cache, status: 503"}
    assert problems(tmp_path, target=target, experiment=experiment) == [
        "method[0].fault.status: the fault reads HTTP, and the hop cache leads to cache, which speaks REDIS"
    ]
