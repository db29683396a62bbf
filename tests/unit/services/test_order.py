"""The order in which services start."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.errors import UserError
from harness.model.plan import HopPlan, HttpCall, ReadyPlan, ServicePlan
from harness.model.units import Duration
from harness.services.order import levels, names_in, start_order
from tests.support.stacks import a_service, a_target

HERE = Path("/nowhere")


def order(*services: ServicePlan, hops: tuple[HopPlan, ...] = ()) -> list[str]:
    return [service.name for service in start_order(a_target(HERE, services, hops))]


def hop(source: str | None, to: str, name: str = "db") -> HopPlan:
    return HopPlan(name=name, source=source, to=to)


def test_start_order_when_nobody_needs_anybody_then_as_in_the_file() -> None:
    assert order(a_service("b"), a_service("a"), a_service("c")) == ["b", "a", "c"]


def test_start_order_when_a_hop_leads_somewhere_then_that_starts_first() -> None:
    services = a_service("app"), a_service("postgres")
    assert order(*services, hops=(hop("app", "postgres"),)) == ["postgres", "app"]


@pytest.mark.parametrize(
    "service",
    [
        pytest.param(a_service("app", run="serve {hops.db.url}"), id="hop-in-command"),
        pytest.param(a_service("app", env={"DB": "{hops.db.address}"}), id="hop-in-env"),
        pytest.param(a_service("app", run="serve {services.postgres.port}"), id="service"),
        pytest.param(
            a_service(
                "app",
                ready=ReadyPlan(
                    http=HttpCall(method="GET", path="/{services.postgres.port}"),
                    limit=Duration.of_s(1),
                ),
            ),
            id="in-ready",
        ),
    ],
)
def test_start_order_when_a_template_names_another_then_that_starts_first(
    service: ServicePlan,
) -> None:
    assert order(service, a_service("postgres"), hops=(hop(None, "postgres"),)) == [
        "postgres",
        "app",
    ]


def test_start_order_when_services_need_each_other_then_the_circle_is_named() -> None:
    services = a_service("a", run="{services.b.url}"), a_service("b", run="{services.a.url}")
    with pytest.raises(UserError, match=r"circle: (a needs b needs a|b needs a needs b)\."):
        order(*services)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("{hops.cache.url}", "names the hop 'cache'; there is none", id="hop"),
        pytest.param("{services.x.url}", "names the service 'x'; there are app", id="service"),
        pytest.param("{", "'{' is never closed", id="template"),
    ],
)
def test_start_order_when_a_template_leads_nowhere_then_user_error(text: str, says: str) -> None:
    with pytest.raises(UserError) as raised:
        order(a_service("app", run=text))
    assert says in str(raised.value)


def test_start_order_when_a_service_names_itself_then_it_needs_nobody() -> None:
    assert order(a_service("app", run="serve {services.app.port}")) == ["app"]


def test_names_in_when_port_is_only_in_the_environment_then_it_is_seen() -> None:
    assert "port" in names_in(a_service("app", run="serve", env={"PORT": "{port}"}))


@given(st.data())
def test_start_order_when_needs_form_no_circle_then_each_stands_behind_what_it_needs(
    data: st.DataObject,
) -> None:
    names = data.draw(st.permutations("abcdef"))
    needs = {
        name: data.draw(st.sets(st.sampled_from(names[:number]))) if number else set()
        for number, name in enumerate(names)
    }
    file_order = data.draw(st.permutations(names))
    services = [
        a_service(name, run=" ".join(f"{{services.{other}.url}}" for other in sorted(needs[name])))
        for name in file_order
    ]
    found = order(*services)
    assert sorted(found) == sorted(names)
    assert all(found.index(other) < found.index(name) for name in names for other in needs[name])


def test_levels_when_services_need_others_then_one_more_than_the_deepest_of_those() -> None:
    services = (
        a_service("page", env={"A": "{services.app.url}", "C": "{services.cache.url}"}),
        a_service("app", run="serve {hops.db.url}"),
        a_service("postgres"),
        a_service("cache"),
    )
    found = levels(a_target(HERE, services, (hop("app", "postgres"),)))
    assert found == {"postgres": 0, "cache": 0, "app": 1, "page": 2}
