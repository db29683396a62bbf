"""Answers: bytes as clients know them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from harness.model.units import Duration
from harness.proxy.addresses import Listen
from harness.proxy.api import answers
from harness.proxy.leases import Failure
from harness.proxy.proxy import Proxy, Surroundings
from harness.proxy.server import Server
from harness.proxy.states import Extensions, Match, ProxySpec, ToxicState
from tests.support import virtual_time


def test_error_when_written_then_has_its_newline_and_one_with_more_has_not():
    assert answers.error(404, "proxy not found").body == (
        b'{"error":"proxy not found","status":404}\n'
    )
    assert answers.error(400, "x", {"proxies": []}).body == (
        b'{"error":"x","status":400,"proxies":[]}'
    )


def test_toxicity_when_whole_then_is_written_without_a_fraction():
    def written(toxicity):
        state = ToxicState(name="t", type="latency", stream="s", toxicity=toxicity, attributes={})
        return answers.compact(answers.toxic_shape(a_proxy(), state)).rpartition(b":")[2]

    assert written(1.0) == b"1}"
    assert written(0.5) == b"0.5}"


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
