"""A plan on containers: each service and hop replaced, or all that cannot be named at once."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from harness.model.errors import UserError
from harness.model.plan import HopPlan, Plan, ServicePlan
from harness.services.on_containers import on_containers
from tests.support.stacks import a_plan, a_service, a_target


def plan(services: list[ServicePlan], hops: list[HopPlan] | None = None) -> Plan:
    return a_plan(a_target(Path("/shop"), services, hops or []))


APP = replace(a_service("app", env={"VARIANT": "x"}, run="serve"), compose="/shop/c.yml#web")
HOP = HopPlan(name="db", source="app", to="db", listen="127.0.0.1:15432", compose="proxy:15432")


def test_on_containers_when_all_is_named_then_kinds_change_and_what_belongs_to_the_run_stays() -> (
    None
):
    db = a_service("db", "compose", compose="/shop/c.yml#db")
    target = on_containers(plan([APP, db], [HOP])).target
    app, same = target.services
    assert (app.name, app.kind, app.params) == ("app", "compose", {"compose": "/shop/c.yml#web"})
    assert app.env == {"VARIANT": "x"}
    assert same == db
    assert [(hop.compose, hop.listen) for hop in target.hops] == [("proxy:15432", None)]


def test_on_containers_when_some_lack_a_container_then_all_of_them_are_named() -> None:
    lacking = plan([APP, a_service("db", "embedded-postgres")], [replace(HOP, compose=None)])
    with pytest.raises(UserError, match="service db, hop db have no compose:") as raised:
        on_containers(lacking)
    assert "docker-compose.yml#SERVICE" in str(raised.value)
