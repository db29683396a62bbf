"""TX-001 to TX-040: proxies over the API."""

import socket
from urllib.parse import quote

import pytest

from tests.conformance.proxy.conftest import case
from tests.support.sockets import Peer, Upstream, refused


def shown(api, proxy):
    """A proxy as the contract has it: the original adds a key that no client reads."""
    if api.real:
        assert proxy.pop("Logger") == {}
    return proxy


@case("TX-001")
def test_version_when_asked_then_is_json_with_a_blank(api):
    reply = api.get("/version")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json;charset=utf-8"
    assert reply.body == (b'{"version": "git"}\n' if api.real else b'{"version": "2.12.0"}\n')


@case("TX-002")
def test_list_when_there_are_none_then_is_an_empty_object(api):
    reply = api.get("/proxies")
    assert (reply.status, reply.body) == (200, b"{}")
    assert reply.headers["content-type"] == "application/json"


@case("TX-003")
@pytest.mark.parametrize(("listen", "host"), [(None, "[::]"), ("127.0.0.1:0", "127.0.0.1")])
def test_create_when_on_a_free_port_then_is_listening_before_the_answer(api, echo, listen, host):
    more = {} if listen is None else {"listen": listen}
    reply = api.post("/proxies", {"name": "a", "upstream": echo.address, **more})
    proxy = shown(api, reply.json())
    assert reply.status == 201
    port = proxy["listen"].removeprefix(f"{host}:")
    assert proxy == {
        "name": "a",
        "listen": f"{host}:{int(port)}",
        "upstream": echo.address,
        "enabled": True,
        "toxics": [],
    }
    with Peer.connect(f"127.0.0.1:{port}") as client:
        client.round_trip()


@case("TX-004")
def test_answers_when_compared_by_bytes_then_keys_are_in_order(api, echo):
    proxy = api.create("a", echo.address)
    reply = api.post("/proxies/a/toxics", {"type": "latency", "attributes": {"jitter": 1}})
    assert reply.body == (
        b'{"attributes":{"latency":0,"jitter":1},"name":"latency_downstream","type":"latency",'
        b'"stream":"downstream","toxicity":1}'
    )
    logger = '"Logger":{},' if api.real else ""
    expected = (
        f'{{"name":"a","listen":"{proxy["listen"]}","upstream":"{echo.address}","enabled":true,'
        f'{logger}"toxics":[{reply.body.decode()}]}}'
    )
    assert api.get("/proxies/a").body.decode() == expected


@case("TX-005")
def test_create_when_name_is_taken_then_says_so_after_the_missing_fields(api):
    api.create("a", "127.0.0.1:1")
    assert api.post("/proxies", {"name": "a", "upstream": "x:1"}).says(409, "proxy already exists")
    assert api.post("/proxies", {"name": "a"}).says(400, "missing required field: upstream")


@case("TX-006")
@pytest.mark.parametrize("body", [b'{"upstream":"x:1"}', b'{"name":""}', b"null"])
def test_create_when_name_is_missing_then_says_so(api, body):
    assert api.post("/proxies", body).says(400, "missing required field: name")


@case("TX-007")
@pytest.mark.parametrize("body", [b"", b'{"name":', b"hello", b"[]"])
def test_create_when_body_is_broken_then_says_so(api, body):
    reply = api.post("/proxies", body)
    assert reply.status == 400
    assert reply.error.startswith("bad request body: ")


@case("TX-007")
@pytest.mark.parametrize("body", [b"", b'{"enabled":'])
@pytest.mark.parametrize("path", ["/proxies/a", "/proxies/a/toxics/t"])
def test_update_when_body_is_broken_then_says_so(api, path, body):
    api.create("a", "127.0.0.1:1")
    api.toxic("a", name="t")
    reply = api.patch(path, body)
    assert reply.status == 400
    assert reply.error.startswith("bad request body: ")


@case("TX-008")
def test_error_when_answered_then_has_its_content_type(api):
    reply = api.get("/proxies/none")
    expected = "text/plain; charset=utf-8" if api.real else "application/json"
    assert reply.headers["content-type"] == expected
    assert reply.body == b'{"error":"proxy not found","status":404}\n'


@case("TX-009")
@pytest.mark.parametrize(
    "body", [{"name": 1, "upstream": "x:1"}, {"name": "a", "upstream": "x:1", "enabled": "yes"}]
)
def test_create_when_a_type_is_wrong_then_is_refused(api, body):
    assert api.post("/proxies", body).status == 400
    assert api.get("/proxies").json() == {}


@case("TX-010")
def test_create_when_keys_are_null_then_they_are_not_given(api):
    reply = api.post("/proxies", {"name": "a", "upstream": "x:1", "listen": None, "enabled": None})
    assert reply.status == 201
    assert reply.json()["enabled"] is True
    assert reply.json()["listen"].startswith("[::]:")


@case("TX-011")
def test_create_when_keys_are_unknown_or_in_other_case_then_works(api):
    assert api.create("a", "x:1", color="red")["name"] == "a"
    reply = api.post("/proxies", {"NAME": "b", "Upstream": "x:1", "LISTEN": "127.0.0.1:0"})
    assert reply.status == 201
    assert reply.json()["listen"].startswith("127.0.0.1:")


@case("TX-012")
def test_create_when_something_follows_the_body_then(api):
    reply = api.post("/proxies", b'{"name":"a","upstream":"x:1","listen":"127.0.0.1:0"} xx')
    assert reply.status == (201 if api.real else 400)


@case("TX-013")
def test_create_when_toxics_are_given_then(api):
    toxics = [{"type": "latency", "attributes": {"latency": 7}}]
    made = api.create("a", "x:1", toxics=toxics)
    assert [t["attributes"]["latency"] for t in made["toxics"]] == ([] if api.real else [7])


@case("TX-013")
def test_create_when_one_toxic_is_wrong_then_nothing_is_made(ours):
    body = {"name": "a", "upstream": "x:1", "toxics": [{"type": "latency"}, {"type": "nope"}]}
    assert ours.post("/proxies", body).says(400, "invalid toxic type")
    assert ours.get("/proxies").json() == {}


@case("TX-014")
def test_create_when_disabled_then_listen_is_as_given(api):
    made = api.create("a", "x:1", enabled=False)
    assert made["listen"] == "127.0.0.1:0"
    assert made["enabled"] is False


@case("TX-015")
@pytest.mark.parametrize(
    "listen",
    ["garbage", "127.0.0.1", "[::1]", "::1:0", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:abc"],
)
def test_create_when_listen_is_no_address_then_no_proxy_is_left(api, listen):
    reply = api.post("/proxies", {"name": "a", "upstream": "x:1", "listen": listen})
    if api.real:
        assert reply.status == 500
        assert reply.error.startswith("listen tcp")
    else:
        assert reply.status == 400
        assert reply.error.startswith("listen: ")
    assert api.get("/proxies/a").status == 404


@case("TX-016")
def test_create_when_disabled_with_a_broken_listen_then(api):
    body = {"name": "a", "upstream": "x:1", "listen": "garbage", "enabled": False}
    assert api.post("/proxies", body).status == (201 if api.real else 400)
    assert api.post("/reset").status == (500 if api.real else 204)


@case("TX-017")
def test_create_when_host_is_not_here_then_says_why(api):
    reply = api.post("/proxies", {"name": "a", "upstream": "x:1", "listen": "192.0.2.1:0"})
    assert reply.says(500, "listen tcp 192.0.2.1:0: bind: cannot assign requested address")


@case("TX-018")
def test_create_when_port_is_taken_then_says_which(api):
    taken = api.create("a", "x:1")["listen"]
    for listen in (taken, f"127.0.0.1:{api.port}"):
        reply = api.post("/proxies", {"name": "b", "upstream": "x:1", "listen": listen})
        assert reply.says(500, f"listen tcp {listen}: bind: address already in use")
        assert api.get("/proxies/b").says(404, "proxy not found")


@case("TX-019")
@pytest.mark.parametrize(
    ("listen", "host"), [("localhost:0", "127.0.0.1"), ("127.0.0.1:", "127.0.0.1"), (":", "[::]")]
)
def test_create_when_listen_is_short_then_is_shown_in_full(api, listen, host):
    made = api.create("a", "x:1", listen=listen)
    shown_host, _, port = made["listen"].rpartition(":")
    assert shown_host == host
    assert int(port) > 0


@case("TX-020")
def test_create_when_on_ipv6_then_traffic_flows(api):
    server = Upstream(host="::1")
    made = api.create("a", server.address, listen="[::1]:0")
    assert made["listen"].startswith("[::1]:")
    with Peer.connect(made["listen"]) as client:
        client.round_trip()
    server.close()


@case("TX-021")
def test_create_when_on_every_address_then_both_families_reach_it(api, echo):
    port = api.create("a", echo.address, listen=":0")["listen"].rpartition(":")[2]
    for host in ("127.0.0.1", "[::1]"):
        with Peer.connect(f"{host}:{port}") as client:
            client.round_trip()


@case("TX-022")
@pytest.mark.parametrize("upstream", ["garbage", "http://x/"])
def test_upstream_when_it_is_no_address_then_each_client_is_closed(api, upstream):
    api.create("a", upstream)
    for _ in range(2):
        with api.connect("a") as client:
            assert client.ending() == "eof"


@case("TX-023")
def test_name_when_it_has_odd_characters_then_is_found_by_its_encoding(api):
    name = "q#x ?ü%"
    api.create(name, "x:1")
    assert api.get(f"/proxies/{quote(name, safe='')}").json()["name"] == name


@case("TX-024")
def test_name_when_it_has_markup_then_is_escaped(api):
    api.create("<b>&", "x:1")
    assert rb'"name":"\u003cb\u003e\u0026"' in api.get("/proxies/%3Cb%3E%26").body


@case("TX-025")
def test_name_when_it_has_a_slash_then_encoded_it(daemon):
    api = daemon().api  # the original cannot get rid of it
    api.create("a/b", "x:1")
    for call, status in ((api.get, 200), (api.delete, 204)):
        reply = call("/proxies/a%2Fb")
        assert reply.status == (404 if api.real else status)
        assert not api.real or reply.body == b"404 page not found\n"


@case("TX-026")
@pytest.mark.parametrize("name", [".", ".."])
def test_name_when_it_is_dots_then(daemon, name):
    api = daemon().api  # the original cannot get rid of it
    reply = api.post("/proxies", {"name": name, "upstream": "x:1"})
    assert reply.status == (201 if api.real else 400)
    if api.real:
        assert api.get(f"/proxies/{name.replace('.', '%2e')}").status == 301


@case("TX-027")
def test_name_when_long_then_is_accepted_up_to(daemon):
    api = daemon().api  # a path of the original ends before a million bytes
    for length, status in ((1024, 201), (1025, 400), (1_000_000, 400), (2_000_000, 413)):
        reply = api.post("/proxies", {"name": "x" * length, "upstream": "x:1"})
        assert reply.status == (201 if api.real else status)
        assert reply.status != 413 or reply.error.startswith("bad request body: ")


@case("TX-028")
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST", "PATCH"])
@pytest.mark.parametrize("body", [None, b"", b"{}"])
def test_proxy_when_missing_then_is_told_before_the_body_is_read(api, method, body):
    assert api.call(method, "/proxies/none", body).says(404, "proxy not found")


@case("TX-029")
def test_update_when_equal_then_connections_live_on(api, echo):
    made = api.create("a", echo.address)
    port = made["listen"].rpartition(":")[2]
    with api.connect("a") as client:
        client.round_trip()
        for body in (
            {},
            {"listen": made["listen"], "upstream": echo.address},
            {"listen": f"localhost:{port}"},
        ):
            for call in (api.post, api.patch):
                reply = call("/proxies/a", body)
                assert (reply.status, reply.json()) == (200, made)
        client.round_trip()


@case("TX-030")
def test_update_when_name_is_given_then_is_ignored(api):
    api.create("a", "x:1")
    assert api.patch("/proxies/a", {"name": "b"}).json()["name"] == "a"


@case("TX-031")
def test_update_when_posted_then_answers_as_patch(api):
    api.create("a", "x:1")
    api.toxic("a", name="t")
    for path in ("/proxies/a", "/proxies/a/toxics/t"):
        assert api.post(path, {}).body == api.patch(path, {}).body


@case("TX-032")
def test_listen_when_moved_to_a_free_port_then_is_new_each_time(api, echo):
    ports = {api.create("a", echo.address)["listen"]}
    with api.connect("a") as client:
        client.round_trip()
        for _ in range(2):
            ports.add(api.patch("/proxies/a", {"listen": "127.0.0.1:0"}).json()["listen"])
        assert client.ending() == "eof"
    assert len(ports) == 3
    with api.connect("a") as client:
        client.round_trip()


@case("TX-033")
@pytest.mark.parametrize("listen", ["taken", "192.0.2.1:0"])
def test_listen_when_moved_in_vain_then(api, echo, listen):
    before = api.create("a", echo.address)
    other = api.create("b", echo.address)
    with api.connect("a") as client:
        client.round_trip()
        asked = other["listen"] if listen == "taken" else listen
        body = {"listen": asked, "upstream": "x:1", "enabled": True}
        assert api.patch("/proxies/a", body).status == 500
        after = api.get("/proxies/a").json()
        if api.real:
            assert client.ending() == "eof"
            assert (after["enabled"], after["listen"]) == (False, asked)
            assert api.patch("/proxies/a", {"enabled": True}).status == 500
            return
        assert after == before
        client.round_trip()
    with api.connect("a") as client:
        client.round_trip()


@case("TX-034")
def test_listen_when_moved_to_garbage_then_proxy_is_unharmed(api, echo):
    before = api.create("a", echo.address)
    assert api.patch("/proxies/a", {"listen": "garbage"}).status == (500 if api.real else 400)
    if not api.real:
        assert api.get("/proxies/a").json() == before
        with api.connect("a") as client:
            client.round_trip()


@case("TX-035")
def test_listen_when_moved_while_disabling_then_is_kept_and_cannot_be_enabled(api):
    api.create("a", "x:1")
    taken = api.create("b", "x:1")["listen"]
    reply = api.patch("/proxies/a", {"listen": taken, "enabled": False})
    assert (reply.status, reply.json()["listen"]) == (200, taken)
    assert reply.json()["enabled"] is False
    assert api.patch("/proxies/a", {"enabled": True}).status == 500


@case("TX-036")
def test_upstream_when_emptied_then(api):
    api.create("a", "x:1")
    assert api.patch("/proxies/a", {"upstream": ""}).status == (200 if api.real else 400)


@case("TX-037")
def test_switch_when_thrown_often_then_always_the_same_port(api, echo):
    listen = api.create("a", echo.address)["listen"]
    for enabled in (False, False, True, True):
        reply = api.patch("/proxies/a", {"enabled": enabled})
        assert (reply.status, reply.json()["enabled"]) == (200, enabled)
        assert refused(listen) is not enabled
    for _ in range(50):
        with Peer.connect(listen) as client:
            client.round_trip()
            assert api.patch("/proxies/a", {"enabled": False}).status == 200
            assert api.patch("/proxies/a", {"enabled": True}).json()["listen"] == listen


@case("TX-038")
def test_delete_when_done_twice_then_is_missing(api):
    api.create("a", "x:1")
    reply = api.delete("/proxies/a")
    assert (reply.status, reply.body) == (204, b"")
    assert api.delete("/proxies/a").says(404, "proxy not found")


@case("TX-039")
def test_reset_when_done_then_all_is_enabled_and_connections_live(api, echo):
    api.create("a", echo.address)
    api.create("b", echo.address)
    api.toxic("a", attributes={"latency": 50})
    api.patch("/proxies/b", {"enabled": False})
    with api.connect("a") as client:
        client.round_trip()
        reply = api.post("/reset")
        assert (reply.status, reply.body) == (204, b"")
        client.round_trip()
    for proxy in api.get("/proxies").json().values():
        assert (proxy["enabled"], proxy["toxics"]) == (True, [])


@case("TX-040")
def test_reset_when_one_cannot_listen_then(api):
    with socket.create_server(("127.0.0.1", 0)) as blocker:
        taken = f"127.0.0.1:{blocker.getsockname()[1]}"
        for name in "abcdef":
            api.create(name, "x:1")
        api.create("stuck", "x:1", listen=taken, enabled=False)

        def kept():
            """How many of the others still have their toxic after a reset that failed."""
            for name in "abcdef":
                api.post(f"/proxies/{name}/toxics", {"type": "latency", "name": "t"})
            reply = api.post("/reset")
            assert reply.status == 500
            assert api.real or "stuck" in reply.error
            return sum(bool(api.get(f"/proxies/{name}").json()["toxics"]) for name in "abcdef")

        if api.real:
            # It stops at the first that fails, in an order of its own each time.
            assert any(kept() for _ in range(20))
        else:
            assert kept() == 0
