"""What two runs have in common, and so whether they may go on at a time."""

import msgspec
import pytest

from harness.model.plan import HopPlan, Plan, ServicePlan
from harness.runner.sharing import any_two_apart, shared_things, undisturbed
from tests.support.journals import a_plan

replace = msgspec.structs.replace


def on_target(file: str, *, listen: str | None = None, url: str | None = None) -> Plan:
    plan = a_plan()
    services = () if url is None else (ServicePlan(name="db", kind="url", params={"url": url}),)
    hops = (HopPlan(name="db", source=None, to="db", listen=listen),)
    return replace(plan, target=replace(plan.target, file=file, services=services, hops=hops))


def test_shared_things_when_two_plans_are_on_one_target_then_they_share_it() -> None:
    one, other = on_target("targets/bank.yaml"), on_target("./targets/../targets/bank.yaml")
    assert shared_things(one) & shared_things(other)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        pytest.param({}, {}, True, id="nothing"),
        pytest.param({"listen": "127.0.0.1:7"}, {"listen": "localhost:7"}, False, id="port"),
        pytest.param({"listen": "127.0.0.1:7"}, {"listen": "127.0.0.1:8"}, True, id="ports"),
        pytest.param(
            {"url": "postgresql://me:{env:A}@127.0.0.1:5432/one"},
            {"url": "postgresql://you@127.0.0.1:5432/two?x=1"},
            False,
            id="one-server-of-two-databases",
        ),
        pytest.param(
            {"url": "http://127.0.0.1:8000"}, {"url": "http://127.0.0.1:8001"}, True, id="services"
        ),
        pytest.param({"url": "{env:URL}"}, {"url": "{env:URL}"}, False, id="unknown-but-the-same"),
    ],
)
def test_any_two_apart_when_targets_differ_then_it_depends_on_what_they_use(
    one: dict[str, str], other: dict[str, str], apart: bool
) -> None:
    plans = [on_target("one.yaml", **one), on_target("two.yaml", **other)]
    assert any_two_apart(plans, foreign_proxy=None) is apart


def test_any_two_apart_when_one_foreign_proxy_serves_all_then_none_are() -> None:
    plans = [on_target("one.yaml"), on_target("two.yaml")]
    assert not any_two_apart(plans, foreign_proxy="http://127.0.0.1:8474")


def test_shared_things_when_two_targets_name_one_container_then_they_share_it() -> None:
    def on_container(folder: str, file: str) -> Plan:
        plan = on_target(f"{folder}/target.yaml")
        service = ServicePlan(name="db", kind="compose", params={"compose": f"{file}#postgres"})
        target = replace(plan.target, folder=folder, services=(service,))
        return replace(plan, target=target)

    plans = [on_container("/t/a", "../stack.yml"), on_container("/t/b/c", "../../stack.yml")]
    assert shared_things(plans[0]) & shared_things(plans[1])
    assert any_two_apart([plans[0], on_container("/t/b", "../other.yml")], foreign_proxy=None)


def test_any_two_apart_when_there_is_one_plan_then_not() -> None:
    assert not any_two_apart([on_target("one.yaml")], foreign_proxy=None)


@pytest.mark.parametrize(("cores", "jobs"), [(1, 1), (2, 1), (3, 1), (4, 2), (16, 8)])
def test_undisturbed_when_there_are_few_cores_then_runs_come_one_after_another(
    cores: int, jobs: int
) -> None:
    assert undisturbed(cores) == jobs
