"""Extensions: what is read, what is refused and how, what is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.breaker import IdCarrier
from harness.proxy.extensions import (
    TOXIC_KEYS,
    lease,
    max_connections,
    observe,
    observe_shown,
    shown,
    toxic_extensions,
)
from harness.proxy.states import Extensions, Match
from harness.proxy.toxic import Toxic
from harness.proxy.wire import WireProblem

MATCH = {"header": "x-request-id", "values": ["a", "b"]}


class WithoutHttp(Toxic):
    kind = "plain"
    codecs = ("turn", "redis")


ALL = {
    "lease": "l-1",
    "duration": 86_400_000,
    "match": MATCH,
    "first": 1,
    "skip": 0,
    "codec": "http",
    "per": "request",
    "seed": -(2**63),
}


def test_keys_when_all_are_given_then_are_read_and_shown_in_the_order_of_the_contract():
    found = toxic_extensions(Toxic, ALL)
    assert found == Extensions(
        seed=-(2**63), per="request", codec="http", skip=0, first=1,
        match=Match(header="x-request-id", values=("a", "b")), duration=86_400_000, lease="l-1",
    )  # fmt: skip
    assert list(shown(found)) == list(TOXIC_KEYS)
    assert shown(found) == ALL


def test_keys_when_none_is_given_then_none_is_shown():
    assert shown(toxic_extensions(Toxic, {})) == {}


def test_key_when_null_then_is_taken_away_and_the_others_stay():
    before = toxic_extensions(Toxic, ALL)
    after = toxic_extensions(Toxic, {"match": None, "first": None, "skip": 4}, before)
    assert shown(after) == {
        key: value for key, value in ALL.items() if key not in {"match", "first"}
    } | {"skip": 4}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"seed": "7"}, "seed: cannot unmarshal text into a number"),
        ({"seed": True}, "seed: cannot unmarshal true or false into a number"),
        ({"seed": 2**63}, "seed: 9223372036854775808 is no whole number"),
        ({"seed": 0.5}, "seed: 0.5 is no whole number"),
        ({"per": "byte"}, "per: 'byte' is unknown, use connection or request"),
        ({"per": 1}, "per: cannot unmarshal number into a text"),
        ({"codec": "smtp"}, "codec: 'smtp' is unknown, use turn or redis"),
        ({"codec": "http"}, "codec: 'http' is unknown, use turn or redis"),
        ({"skip": -1}, "skip: -1 is out of range, use 0 to"),
        ({"first": 0}, "first: 0 is out of range, use 1 to"),
        ({"duration": 0}, "duration: 0 is out of range, use 1 to 86400000 ms"),
        ({"duration": 86_400_001}, "duration: 86400001 is out of range"),
        ({"lease": 7}, "lease: cannot unmarshal number into a text"),
        ({"match": MATCH}, "match: needs codec http, but plain has turn and redis"),
    ],
)
def test_value_when_it_cannot_be_then_says_key_and_what_was_expected(given, says):
    with pytest.raises(WireProblem) as problem:
        toxic_extensions(WithoutHttp, given)
    assert str(problem.value).startswith(says)


@pytest.mark.parametrize(
    ("match", "says"),
    [
        ("x", "match: cannot unmarshal text into an object"),
        ([], "match: cannot unmarshal array into an object"),
        ({}, "match.header: is missing"),
        ({"header": "", "values": ["a"]}, "match.header: is empty"),
        ({"header": 1, "values": ["a"]}, "match.header: is number"),
        ({"header": "h"}, "match.values: is missing"),
        ({"header": "h", "values": []}, "match.values: is empty"),
        ({"header": "h", "values": "a"}, "match.values: is text"),
        ({"header": "h", "values": ["a", None]}, "match.values: has null in it"),
    ],
)
def test_match_when_it_is_none_then_says_what_is_wrong(match, says):
    with pytest.raises(WireProblem) as problem:
        toxic_extensions(Toxic, {"match": match})
    assert str(problem.value).startswith(says)


@pytest.mark.parametrize(
    ("before", "given"),
    [({}, {"match": MATCH, "codec": "redis"}), ({"match": MATCH}, {"codec": "turn"}),
     ({"codec": "turn"}, {"match": MATCH}), ({"match": MATCH}, {"per": "connection"})],
)  # fmt: skip
def test_match_when_it_does_not_go_with_another_key_then_is_refused(before, given):
    with pytest.raises(WireProblem, match=r"^match: "):
        toxic_extensions(Toxic, given, toxic_extensions(Toxic, before))


@pytest.mark.parametrize("more", [{}, {"codec": "http"}, {"per": "request"}, {"per": None}])
def test_match_when_the_codec_is_http_or_not_named_then_is_taken(more):
    assert toxic_extensions(Toxic, {"match": MATCH, **more}).match is not None


def test_bound_of_connections_when_given_null_or_not_at_all_then_changes_goes_or_stays():
    assert max_connections({"max_connections": 2}) == 2
    assert max_connections({"max_connections": None}, 2) is None
    assert max_connections({}, 2) == 2
    for wrong in (0, -1, "2", 2**31, 1.5):
        with pytest.raises(WireProblem, match=r"^max_connections: "):
            max_connections({"max_connections": wrong}, 2)


def test_lease_when_null_or_not_given_then_is_none():
    assert (lease({}), lease({"lease": None}), lease({"lease": "l"})) == (None, None, "l")
    with pytest.raises(WireProblem, match=r"^lease: "):
        lease({"lease": 1})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["header", "values", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(TOXIC_KEYS), JSON))
def test_values_when_arbitrary_then_are_read_to_what_is_shown_or_refused(given):
    try:
        found = toxic_extensions(Toxic, given)
    except WireProblem as problem:
        assert str(problem).split(":")[0].split(".")[0] in given  # noqa: PT017 - any other exception fails the test
        return
    assert toxic_extensions(Toxic, shown(found)) == found
    assert set(shown(found)) == {key for key, value in given.items() if value is not None}


@pytest.mark.parametrize(
    ("given", "carrier"),
    [
        ({"header": "X-Id"}, IdCarrier(where="header", name="X-Id")),
        ({"query": "rid", "path": None}, IdCarrier(where="query", name="rid")),
        ({"traceparent": True}, IdCarrier(where="traceparent")),
        ({"path": True}, IdCarrier(where="path")),
    ],
)
def test_carrier_when_given_then_is_read_and_shown_as_it_was(given, carrier):
    assert observe({"observe": given}) == carrier
    assert observe_shown(carrier) == {key: value for key, value in given.items() if value}
    assert observe({}, carrier) == carrier
    assert observe({"observe": None}, carrier) is None


@given(JSON | st.dictionaries(st.sampled_from(["header", "query", "path", "traceparent"]), JSON))
def test_carrier_when_arbitrary_then_is_read_to_what_is_shown_or_refused(given):
    try:
        carrier = observe({"observe": given})
    except WireProblem:
        return
    assert carrier is None or observe({"observe": observe_shown(carrier)}) == carrier
