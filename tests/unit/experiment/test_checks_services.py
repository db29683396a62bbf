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
        ("{embedded: postgres}", "sql"),
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


def test_services_when_a_hop_alone_makes_the_circle_then_is_told(tmp_path):
    """The service that dials a hop waits for the one behind it, whether a template says so or not."""
    changed = {
        "{from: app, to: postgres}": "{from: app, to: postgres}\n  back: {from: postgres, to: app}"
    }
    assert problems(tmp_path, target=changed) == [
        "hops.db: a circle: postgres waits for app waits for postgres"
    ]


def test_services_when_two_hops_lead_the_same_way_then_that_is_no_circle(tmp_path):
    changed = {
        "{from: app, to: postgres}": "{from: app, to: postgres}\n  too: {from: app, to: postgres}"
    }
    assert problems(tmp_path, target=changed) == []


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
