"""Answers: bytes as clients know them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from harness.model.units import Duration
from harness.proxy.addresses import Listen
from harness.proxy.api import answers
from harness.proxy.leases import Failure
from harness.proxy.proxy import Proxy, Surroundings
from harness.proxy.states import ToxicState
from tests.support.virtual_server import virtual_server
from tests.support.virtual_time import VirtualTimeLoop

LAG = {"type": "latency", "name": "lag"}


def test_error_when_written_then_has_its_newline_and_one_with_more_has_not():
    assert answers.error(404, "proxy not found").body == (
        b'{"error":"proxy not found","status":404}\n'
    )
    assert answers.error(400, "x", {"proxies": []}).body == (
        b'{"error":"x","status":400,"proxies":[]}'
    )


def test_toxicity_when_whole_then_is_written_without_a_fraction():
    loop = VirtualTimeLoop()
    around = Surroundings(loop=loop, clock=lambda: None, spawn=lambda _task: None, seed=0)
    proxy = Proxy("a", listen="", address=Listen("", 0), upstream="x:1", around=around)

    def written(toxicity):
        state = ToxicState(name="t", type="latency", stream="s", toxicity=toxicity, attributes={})
        return answers.compact(answers.toxic_shape(proxy, state)).rpartition(b":")[2]

    assert written(1.0) == b"1}"
    assert written(0.5) == b"0.5}"
    loop.close()


@given(st.text(st.characters(codec="utf-8")))
def test_text_when_encoded_then_reads_back_and_has_no_markup(text):
    encoded = answers.compact({text: text})
    assert json.loads(encoded) == {text: text}
    assert not set("<>&\u2028\u2029") & set(encoded.decode())


def test_version_when_asked_then_is_one_that_clients_compare():
    assert answers.version().body == b'{"version": "2.12.0"}\n'


def test_others_when_answered_then_have_their_status():
    assert answers.no_content().body == b""
    assert answers.method_not_allowed(["POST", "GET"]).headers == (("Allow", "GET, POST"),)
    assert answers.moved("/proxies").headers == (("Location", "/proxies"),)
    assert answers.page_not_found().body == b"404 page not found\n"


def test_toxic_when_nothing_of_ours_was_set_then_has_the_five_keys_and_no_other():
    with virtual_server() as server:
        server.make("/proxies", {"name": "a", "upstream": "x:1"})
        shown = server.make("/proxies/a/toxics", LAG)
        assert list(shown) == ["attributes", "name", "type", "stream", "toxicity"]
        assert list(server.get("/proxies/a")) == ["name", "listen", "upstream", "enabled", "toxics"]


def test_toxic_when_everything_was_set_then_has_it_in_order_and_what_became_of_it():
    with virtual_server() as server:
        lease = server.make("/leases", {"ttl": 1_000})["id"]
        server.make("/proxies", {"name": "a", "upstream": "x:1"})
        asked = {
            "lease": lease, "duration": 300, "match": {"values": ["v"], "header": "h"}, "first": 2,
            "skip": 1, "codec": "http", "per": "request", "seed": 7,
        }  # fmt: skip
        server.make("/proxies/a/toxics", LAG | asked)
        server.server.proxy("a").shared["lag"].trigger.hit = 1
        server.wait(Duration.of_ms(99.5))
        assert list(server.get("/proxies/a/toxics/lag").items())[5:] == [
            ("seed", 7), ("per", "request"), ("codec", "http"), ("skip", 1), ("first", 2),
            ("match", {"header": "h", "values": ["v"]}), ("duration", 300), ("lease", lease),
            ("hit", 1), ("expires_in", 201),
        ]  # fmt: skip


def test_proxy_when_bounded_and_leased_then_shows_it_last():
    with virtual_server() as server:
        lease = server.make("/leases", {"ttl": 1_000})["id"]
        body = {"name": "a", "upstream": "x:1", "lease": lease, "max_connections": 2}
        assert list(server.make("/proxies", body).items())[4:] == [
            ("toxics", []), ("max_connections", 2), ("lease", lease),
        ]  # fmt: skip


def test_failure_when_shown_then_names_the_toxic_only_if_it_is_one():
    with virtual_server() as server:
        leasing = server.server.leasing
        lease = leasing.grant("", Duration.of_s(1))
        lease.failed = (
            Failure(proxy="a", error="a: no"),
            Failure(proxy="a", toxic="t", error="a/t: no"),
        )
        assert answers.lease_shape(leasing, lease)["failed"] == [
            {"proxy": "a", "error": "a: no"},
            {"proxy": "a", "toxic": "t", "error": "a/t: no"},
        ]
