"""The seam between the stack and the kinds of services: every kind has the form the stack needs."""

import inspect

from harness.services import SERVICES
from harness.services.site import ServiceKind


def test_services_when_listed_then_the_built_in_kinds_and_no_more() -> None:
    kinds = ["compose", "embedded-postgres", "embedded-valkey", "node", "run", "url"]
    assert list(SERVICES) == kinds


def test_services_when_a_kind_is_looked_at_then_it_has_the_form_of_one() -> None:
    for name, kind in SERVICES.items():
        assert kind.kind == name
        assert kind.summary
        assert inspect.iscoroutinefunction(kind.start)
        expected = inspect.signature(ServiceKind.start).parameters
        assert list(inspect.signature(kind.start).parameters) == list(expected)
