"""TX-041 to TX-057: toxics over the API. What they do to bytes stands in the modules of the toxics."""

import pytest

from tests.conformance.proxy.conftest import case
from tests.support.timing import at_once, clock

# The types and their attributes, in the order in which they are shown.
ATTRIBUTES = {
    "latency": ("latency", "jitter"),
    "bandwidth": ("rate",),
    "slow_close": ("delay",),
    "timeout": ("timeout",),
    "reset_peer": ("timeout",),
    "slicer": ("average_size", "size_variation", "delay"),
    "limit_data": ("bytes",),
    "noop": (),
}


@pytest.fixture
def toxics(api):
    """The path of the toxics of a fresh proxy ``a``."""
    api.create("a", "127.0.0.1:1")
    return "/proxies/a/toxics"


@case("TX-041")
@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_create_when_only_the_type_is_given_then_has_defaults(api, toxics, kind):
    reply = api.post(toxics, {"type": kind})
    if kind == "slicer" and not api.real:
        assert reply.status == 400, "the original dies of its first byte (TX-139)"
        return
    assert reply.status == 200
    attributes = ",".join(f'"{name}":0' for name in ATTRIBUTES[kind])
    assert reply.body.decode() == (
        f'{{"attributes":{{{attributes}}},"name":"{kind}_downstream","type":"{kind}",'
        '"stream":"downstream","toxicity":1}'
    )


@case("TX-042")
@pytest.mark.parametrize("more", [{}, {"stream": "upstream"}, {"attributes": {"latency": "x"}}])
def test_create_when_name_is_taken_then_says_so(api, toxics, more):
    api.toxic("a", name="t")
    reply = api.post(toxics, {"type": "latency", "name": "t", **more})
    assert reply.says(409, "toxic already exists")


@case("TX-043")
@pytest.mark.parametrize("stream", ["sideways", ""])
@pytest.mark.parametrize("kind", ["latency", "nope"])
def test_create_when_stream_is_wrong_then_says_which_there_are(api, toxics, stream, kind):
    reply = api.post(toxics, {"type": kind, "stream": stream})
    assert reply.says(400, "stream was invalid, can be either upstream or downstream")


@case("TX-044")
def test_create_when_stream_is_in_other_case_then_is_echoed(api, toxics, echo):
    api.patch("/proxies/a", {"upstream": echo.address})
    assert api.toxic("a", stream="UPSTREAM")["stream"] == "UPSTREAM"
    api.toxic("a", name="down")
    assert [t["stream"] for t in api.get(toxics).json()] == ["UPSTREAM", "downstream"]


@case("TX-045")
@pytest.mark.parametrize(
    "body", [{"type": "nope"}, {}, {"type": "down"}, {"type": "Latency"}, b"null"]
)
def test_create_when_type_is_unknown_then_says_so(api, toxics, body):
    assert api.post(toxics, body).says(400, "invalid toxic type")


@case("TX-046")
@pytest.mark.parametrize(
    "attributes",
    [b'{"latency":"10"}', b'{"latency":true}', b'{"latency":10.5}', b'{"latency":9223372036854775808}',
     b"[1]", b'"x"'],
)  # fmt: skip
def test_create_when_an_attribute_is_no_whole_number_then_is_refused(api, toxics, attributes):
    body = b'{"type":"latency","attributes":' + attributes + b"}"
    reply = api.post(toxics, body)
    assert reply.status == 400
    assert reply.error.startswith("bad request body: ")
    assert api.get(toxics).json() == []


@case("TX-047")
@pytest.mark.parametrize(("written", "value"), [(b"10.0", 10), (b"1e3", 1000)])
def test_create_when_an_attribute_is_integral_then(api, toxics, written, value):
    reply = api.post(toxics, b'{"type":"latency","attributes":{"latency":' + written + b"}}")
    if api.real:
        assert reply.status == 400
    else:
        assert reply.json()["attributes"]["latency"] == value


@case("TX-048")
@pytest.mark.parametrize(
    ("body", "latency"),
    [
        ({"type": "latency", "attributes": None}, 0),
        ({"type": "latency", "attributes": {"latency": None}}, 0),
        ({"Type": "latency", "Attributes": {"LATENCY": 7, "foo": 1}}, 7),
    ],
)
def test_create_when_keys_are_null_or_odd_then_are_read_kindly(api, toxics, body, latency):
    assert api.post(toxics, body).json()["attributes"] == {"latency": latency, "jitter": 0}


@case("TX-049")
@pytest.mark.parametrize("toxicity", [0, 0.5, 2, -1, 0.3333333333])
def test_toxicity_when_a_number_then_is_echoed(api, toxics, toxicity):
    assert api.toxic("a", toxicity=toxicity)["toxicity"] == pytest.approx(toxicity, abs=1e-6)


@case("TX-049")
def test_toxicity_when_null_or_none_at_all_then(api, toxics):
    assert b'"toxicity":1}' in api.post(toxics, {"type": "latency", "toxicity": None}).body
    for body in (b'{"type":"latency","toxicity":"0.5"}', b'{"type":"latency","toxicity":1e40}'):
        assert api.post(toxics, body).status == 400


@case("TX-050")
def test_list_when_streams_are_mixed_then_upstream_comes_first(api, toxics):
    for name, stream in [("a", "downstream"), ("b", "upstream"), ("c", "downstream"), ("d", "upstream")]:  # fmt: skip
        api.toxic("a", name=name, stream=stream)
    assert [t["name"] for t in api.get(toxics).json()] == ["b", "d", "a", "c"]
    assert [t["name"] for t in api.get("/proxies/a").json()["toxics"]] == ["b", "d", "a", "c"]


@case("TX-051")
def test_get_when_missing_then_says_what_is_missing(api, toxics):
    api.toxic("a", name="t")
    assert api.get(f"{toxics}/t").json()["name"] == "t"
    assert api.get(f"{toxics}/none").says(404, "toxic not found")
    assert api.get("/proxies/none/toxics/t").says(404, "proxy not found")


@case("TX-052")
def test_update_when_partly_given_then_the_rest_is_kept(api, toxics):
    before = api.toxic("a", name="t", attributes={"latency": 5})
    for call in (api.patch, api.post):
        reply = call(f"{toxics}/t", {"attributes": {"jitter": 9}})
        assert reply.json()["attributes"] == {"latency": 5, "jitter": 9}
    before["attributes"]["jitter"] = 9
    for body in (
        {"name": "u", "type": "noop", "stream": "upstream"},
        {},
        {"attributes": None},
        {"toxicity": None},
    ):
        reply = api.patch(f"{toxics}/t", body)
        assert (reply.status, reply.json()) == (200, before)


@case("TX-053")
def test_update_when_one_attribute_is_wrong_then(api, toxics):
    api.toxic("a", name="t")
    body = b'{"attributes":{"latency":77,"jitter":"x"}}'
    assert api.patch(f"{toxics}/t", body).status == 400
    after = api.get(f"{toxics}/t").json()["attributes"]["latency"]
    assert after == (77 if api.real else 0)


@case("TX-054")
def test_delete_when_done_twice_then_is_missing(api, toxics):
    api.toxic("a", name="t")
    reply = api.delete(f"{toxics}/t")
    assert (reply.status, reply.body) == (204, b"")
    assert api.delete(f"{toxics}/t").says(404, "toxic not found")


@case("TX-055")
def test_delete_when_name_has_a_slash_then(api, toxics):
    api.toxic("a", name="s/l")
    assert api.delete(f"{toxics}/s%2Fl").status == (404 if api.real else 204)
    assert len(api.get(toxics).json()) == (1 if api.real else 0)
    assert api.post("/reset").status == 204
    assert api.get(toxics).json() == []


@case("TX-056", effect=True)
def test_create_when_proxy_is_disabled_then_acts_on_new_connections(api, echo):
    api.create("a", echo.address, enabled=False)
    api.toxic("a", attributes={"latency": 300})
    api.patch("/proxies/a", {"enabled": True})
    with api.connect("a") as client:
        assert client.round_trip().in_ms >= 300


@case("TX-057", effect=True)
@pytest.mark.serial  # bounds real time from above
def test_create_when_sixty_times_then_reset_is_quick(api, toxics, echo):
    api.patch("/proxies/a", {"upstream": echo.address})
    with api.connect("a") as client:
        client.round_trip()
        for number in range(60):
            api.toxic("a", name=f"t{number}", attributes={"latency": 1})
        took = min(client.round_trip().in_ms for _ in range(3))
        assert api.real or took >= 60  # the original loses most of each to late timers
        began = clock()
        assert api.post("/reset").status == 204
        assert clock() - began < 1000
        assert at_once(client.round_trip().in_ms)
