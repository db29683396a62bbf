"""Blueprints: what is wrong with a proxy before anything is made, and what is made of one."""

import asyncio

import pytest

from harness.proxy.addresses import Listen
from harness.proxy.blueprint import changed_toxic, checked, new_toxic
from harness.proxy.clock import now
from harness.proxy.proxy import Surroundings
from harness.proxy.states import ProxySpec, Refused, ToxicSpec


def spec(**more):
    return ProxySpec(**{"name": "a", "upstream": "x:1", **more})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": None, "upstream": None}, "missing required field: name at proxy 3"),
        ({"upstream": ""}, "missing required field: upstream at proxy 3"),
        ({"name": ".."}, "name: "),
        ({"toxics": (ToxicSpec(type="nope"),)}, "invalid toxic type"),
        ({"toxics": (ToxicSpec(type="noop"),) * 2}, "toxic already exists"),
        ({"extensions": {"max_connections": 0}}, "max_connections: 0 is out of range, use 1 to"),
        ({"extensions": {"lease": 7}}, "bad request body: lease: cannot unmarshal number"),
    ],
)
def test_proxy_when_something_is_wrong_then_is_refused(wrong, says):
    with pytest.raises(Refused) as refused:
        checked(spec(**wrong), " at proxy 3")
    assert str(refused.value).startswith(says)


def test_blueprint_when_leases_are_named_then_knows_all_that_must_run():
    toxics = tuple(
        ToxicSpec(type="noop", name=name, extensions={"lease": lease})
        for name, lease in (("t", "l-2"), ("u", None))
    )
    found = checked(spec(toxics=toxics, extensions={"lease": "l-1"}))
    assert found.leases() == ("l-1", "l-2", None)
    assert found.names_lease
    assert checked(spec(extensions={"lease": None})).names_lease
    assert not checked(spec()).names_lease


def test_blueprint_when_built_then_the_proxy_has_everything_and_does_not_listen():
    loop = asyncio.new_event_loop()
    around = Surroundings(loop=loop, clock=now, spawn=lambda _task: None, seed=0)
    blueprint = checked(
        spec(
            listen="localhost:5",
            toxics=(ToxicSpec(type="noop"),),
            extensions={"lease": "l-1", "max_connections": 2},
        )
    )
    made = blueprint.built(Listen("127.0.0.1", 5), around)
    assert (made.listen, made.address.text(), made.enabled) == ("localhost:5", "127.0.0.1:5", False)
    assert (made.lease, made.max_connections, made.toxic_names()) == ("l-1", 2, {"noop_downstream"})
    loop.close()


@pytest.mark.parametrize(
    ("spec", "status", "message"),
    [
        (ToxicSpec(type="nope", stream="sideways", name="t"), 400, "stream was invalid"),
        (ToxicSpec(type="nope", name="t"), 400, "invalid toxic type"),
        (ToxicSpec(type="latency", name="t", attributes={"latency": 2**63 - 1}), 409, "exists"),
        (ToxicSpec(type="latency", name="u", attributes={"latency": 2**63 - 1}), 400, "latency: "),
        (ToxicSpec(type="latency", name="u", extensions={"per": "byte"}), 400, "per: "),
        (ToxicSpec(type="latency", name=".."), 400, "name: "),
        (
            ToxicSpec(type="http_status", stream="upstream"),
            400,
            "stream: http_status cannot be upstream, use downstream",
        ),
    ],
)
def test_new_toxic_when_several_things_are_wrong_then_complains_in_order(spec, status, message):
    with pytest.raises(Refused, match=message) as refused:
        new_toxic(spec, {"t"})
    assert refused.value.status == status


def test_new_toxic_when_no_stream_is_given_then_has_the_first_it_can_have():
    made = new_toxic(ToxicSpec(type="http_status"), set())
    assert (made.stream, made.name) == ("downstream", "http_status_downstream")


@pytest.mark.parametrize(
    "spec",
    [
        ToxicSpec(attributes={"latency": 1, "jitter": 2**62}),
        ToxicSpec(attributes={"latency": 1}, extensions={"skip": -1}),
    ],
)
def test_toxic_when_a_change_is_refused_then_nothing_comes_of_it(spec):
    with pytest.raises(Refused, match=r"^(jitter|skip): ") as refused:
        changed_toxic(new_toxic(ToxicSpec(type="latency"), ()), spec)
    assert refused.value.status == 400
