"""Who waits for whom, in the texts of services and in those that a variant lays over them."""

import pytest

from harness.experiment.load import validate
from tests.unit.experiment.tiny import KINDS, plans, problems

NAIVE = "  naive: {title: read, check, write back across awaits}\n"


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


@pytest.mark.parametrize(
    ("env", "says"),
    [
        pytest.param('{WORKERS: "2", URL: "{hops.db.url}", AT: "{folder}/{variant}"}', [], id="right"),
        pytest.param(
            '{URL: "{services.app.url}"}',
            ["variants.naive.env.URL: a circle: app waits for app"],
            id="circle",
        ),
        pytest.param('{URL: "{services.postgres.url}"}', [], id="an-engine-gets-no-variables"),
        pytest.param(
            '{PORT: "{port}"}', ["variants.naive.env.PORT: unknown placeholder 'port'"], id="port"
        ),
    ],
)  # fmt: skip
def test_variant_when_it_has_variables_then_they_are_looked_at_as_those_of_services(
    tmp_path, env, says
):
    assert problems(tmp_path, target={NAIVE: f"  naive: {{env: {env}}}\n"}) == says


def test_variant_when_nothing_is_started_then_its_variables_reach_nobody(tmp_path):
    path = tmp_path / "t.yaml"
    sends = "{http: POST /buy}"
    for operation, reset, told in (
        (sends, "{http: POST /reset}", 1),
        ("{command: buy}", "{http: POST /reset}", 0),
        (sends, "[{http: POST /reset}, {command: clear}]", 0),
    ):
        path.write_text(
            "target: t\n"
            'services: {app: {url: "http://127.0.0.1:1"}}\n'
            'variants: {one: {env: {A: "1"}}, two: {}}\n'
            f"operations: {{buy: {operation}}}\n"
            f"reset: {reset}\n"
        )
        (checked,) = validate([path], kinds=KINDS)
        assert [problem.key for problem in checked.problems] == ["variants.one.env"] * told


def test_plan_when_the_variant_has_variables_then_they_win_over_those_of_what_is_started(tmp_path):
    changed = {
        NAIVE: '  naive: {env: {VARIANT: broken, WORKERS: "2"}}\n',
        "http: POST /login": "command: login",
    }
    naive, atomic = plans(tmp_path, target=changed)
    env = {"VARIANT": "broken", "WORKERS": "2"}
    assert naive.target.env == env and atomic.target.env == {}
    engine, app = naive.target.services
    assert engine.env == {}
    assert app.env == {"DATABASE_URL": "{hops.db.url}", **env}
    assert atomic.target.services[1].env["VARIANT"] == "{variant}"
    login = naive.target.operations[0]
    assert login.command is not None and login.command.env == env
