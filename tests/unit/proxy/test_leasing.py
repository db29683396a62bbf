"""What an ended lease undoes, and any interleaving of calls beside a plain model of what they mean.

Over the API, without sockets and in virtual time.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from harness.model.units import Duration
from tests.support.virtual_server import virtual_server

LISTEN = "127.0.0.1:0"


def ms(value):
    return Duration.of_ms(value)


@pytest.fixture
def server():
    with virtual_server() as made:
        made.make("/proxies", {"name": "db", "upstream": "x:1", "listen": LISTEN})
        yield made


def lease(server, ttl=1_000, **more):
    return server.make("/leases", {"ttl": ttl, **more})["id"]


def toxic(server, lease_id, name="lag", proxy="db"):
    return server.make(
        f"/proxies/{proxy}/toxics", {"type": "latency", "name": name, "lease": lease_id}
    )


def disable(server, lease_id, proxy="db"):
    return server.make(f"/proxies/{proxy}", {"enabled": False, "lease": lease_id})


def test_lease_when_shown_then_has_all_that_is_attached():
    with virtual_server() as server:
        one = server.make("/leases", {"ttl": 5_000, "owner": "run 12"})
        for name in ("db", "cache"):
            server.make("/proxies", {"name": name, "upstream": "x:1", "listen": LISTEN})
        server.make("/proxies", {"name": "own", "upstream": "x:1", "lease": one["id"]})
        toxic(server, one["id"])
        disable(server, one["id"], "cache")
        server.wait(ms(130))
        assert one == {
            "id": one["id"], "owner": "run 12", "ttl": 5_000, "expires_in": 5_000,
            "proxies": [], "toxics": [], "disabled": [],
        }  # fmt: skip
        assert server.get(f"/leases/{one['id']}") == {
            "id": one["id"], "owner": "run 12", "ttl": 5_000, "expires_in": 4_870,
            "proxies": ["own"], "toxics": [{"proxy": "db", "toxic": "lag"}], "disabled": ["cache"],
        }  # fmt: skip
        assert server.get("/leases") == {one["id"]: server.get(f"/leases/{one['id']}")}


def test_renewal_when_the_process_stood_still_past_the_deadline_then_is_read_before_the_end(server):
    one = lease(server, 1_000)
    toxic(server, one)
    server.loop.jump(ms(4_000))
    server.wait(ms(1))
    assert server.call("POST", f"/leases/{one}", {})[0] == 200
    server.wait(ms(900))
    assert server.get("/proxies/db/toxics/lag")["lease"] == one
    server.loop.jump(ms(4_000))
    server.wait(ms(60))
    assert server.call("GET", "/proxies/db/toxics/lag")[0] == 404


def test_lease_when_over_then_what_was_attached_is_gone_and_nothing_else(server):
    one = lease(server)
    for name in ("cache", "other"):
        server.make("/proxies", {"name": name, "upstream": "x:1", "listen": LISTEN})
    server.make("/proxies", {"name": "own", "upstream": "x:1", "listen": LISTEN, "lease": one})
    toxic(server, one)
    toxic(server, None, "stays")
    address = disable(server, one, "cache")["listen"]
    server.make("/proxies/other", {"enabled": False})
    server.wait(ms(999))
    assert "own" in server.get("/proxies")
    server.wait(ms(1))
    proxies = server.get("/proxies")
    assert sorted(proxies) == ["cache", "db", "other"]
    assert [found["name"] for found in proxies["db"]["toxics"]] == ["stays"]
    assert (proxies["cache"]["enabled"], proxies["cache"]["listen"]) == (True, address)
    assert proxies["other"]["enabled"] is False
    assert server.get("/leases") == {}
    assert server.call("GET", f"/leases/{one}") == (
        404,
        {"error": "lease not found", "status": 404},
    )


def test_lease_when_renewed_then_stays(server):
    one = lease(server)
    toxic(server, one)
    for method in ("POST", "PATCH") * 10:
        server.wait(ms(500))
        assert server.call(method, f"/leases/{one}", {})[1]["expires_in"] == 1_000
    assert server.call("PATCH", f"/leases/{one}", {"ttl": 2_000})[1]["ttl"] == 2_000
    server.wait(ms(1_900))
    assert len(server.get("/proxies/db/toxics")) == 1
    server.wait(ms(100))
    assert server.get("/proxies/db/toxics") == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/leases/{}", {}, 404),
        ("POST", "/proxies/db/toxics", {"type": "noop", "lease": "{}"}, 404),
        ("PATCH", "/proxies/db/toxics/lag", {"lease": "{}"}, 404),
        ("PATCH", "/proxies/db/toxics/lag", {"toxicity": 0.5}, 200),
    ],
)
def test_lease_when_just_over_then_cannot_be_renewed_or_attached_to(
    server, method, path, body, status
):
    """Its timer has not fired yet: the loop was busy."""
    one = lease(server)
    toxic(server, one)
    server.loop._jumping.now += 1.0  # no timer runs while the loop does not
    body = {key: one if value == "{}" else value for key, value in body.items()}
    assert server.call(method, path.format(one), body)[0] == status


def test_lease_when_deleted_then_all_is_undone_before_the_answer(server):
    one = lease(server)
    toxic(server, one)
    disable(server, one)
    assert server.call("DELETE", f"/leases/{one}") == (204, "")
    found = server.get("/proxies/db")
    assert (found["enabled"], found["toxics"]) == (True, [])
    assert server.call("DELETE", f"/leases/{one}")[0] == 404
    server.wait(ms(5_000))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/proxies", {"name": "n", "upstream": "x:1", "lease": "l-none"}),
        ("POST", "/proxies", {"name": "n", "upstream": "x:1",
                              "toxics": [{"type": "latency", "lease": "l-none"}]}),
        ("POST", "/populate", [{"name": "n", "upstream": "x:1", "listen": LISTEN},
                               {"name": "m", "upstream": "x:1", "lease": "l-none"}]),
        ("POST", "/proxies/db/toxics", {"type": "latency", "lease": "l-none"}),
        ("PATCH", "/proxies/db/toxics/there", {"toxicity": 0.5, "lease": "l-none"}),
        ("PATCH", "/proxies/db", {"enabled": False, "lease": "l-none"}),
        ("PATCH", "/proxies/db", {"upstream": "y:1", "lease": ""}),
    ],
)  # fmt: skip
def test_call_when_its_lease_is_unknown_then_404_and_nothing_changed(server, method, path, body):
    toxic(server, None, "there")
    before = server.get("/proxies"), set(server.ports.taken)
    status, found = server.call(method, path, body)
    assert (status, found["error"]) == (404, "lease not found")
    assert (server.get("/proxies"), server.ports.taken) == before


def test_thing_when_attached_to_another_then_is_moved_and_null_detaches(server):
    one, two = lease(server), lease(server, 5_000)
    toxic(server, one)
    disable(server, one)
    server.make("/proxies", {"name": "own", "upstream": "x:1", "listen": LISTEN, "lease": one})
    server.make("/proxies/db/toxics/lag", {"lease": two})
    disable(server, two)
    server.make("/proxies/own", {"lease": two})
    server.wait(ms(1_000))
    left = server.get(f"/leases/{two}")
    assert (left["proxies"], left["disabled"], len(left["toxics"])) == (["own"], ["db"], 1)
    assert server.make("/proxies/db/toxics/lag", {"lease": None}).get("lease") is None
    assert "lease" not in server.make("/proxies/db", {"lease": None})
    assert "lease" not in server.make("/proxies/own", {"lease": None})
    server.wait(ms(5_000))
    found = server.get("/proxies")
    assert (found["db"]["enabled"], len(found["db"]["toxics"])) == (False, 1)
    assert "own" in found


def test_disabled_when_somebody_changed_it_since_then_is_left_alone(server):
    one = lease(server)
    disable(server, one)
    server.make("/proxies/db", {"enabled": True})
    assert server.get(f"/leases/{one}")["disabled"] == []
    server.make("/proxies/db", {"enabled": False})
    server.wait(ms(1_000))
    assert server.get("/proxies/db")["enabled"] is False


def test_disabled_when_it_was_so_before_the_lease_then_stays_so(server):
    server.make("/proxies/db", {"enabled": False})
    one = lease(server)
    assert "lease" not in disable(server, one)
    assert server.get(f"/leases/{one}")["disabled"] == []
    server.wait(ms(1_000))
    assert server.get("/proxies/db")["enabled"] is False


def test_attached_when_removed_by_hand_then_the_list_is_shorter(server):
    one = lease(server)
    toxic(server, one)
    server.make("/proxies", {"name": "own", "upstream": "x:1", "lease": one})
    server.call("DELETE", "/proxies/own")
    server.call("DELETE", "/proxies/db/toxics/lag")
    found = server.get(f"/leases/{one}")
    assert (found["proxies"], found["toxics"]) == ([], [])
    server.make("/proxies", {"name": "own", "upstream": "x:1"})
    server.wait(ms(1_000))
    assert "own" in server.get("/proxies")


def test_reset_when_leases_run_then_they_go_on(server):
    one = lease(server)
    toxic(server, one)
    disable(server, one)
    server.make("/proxies", {"name": "own", "upstream": "x:1", "lease": one})
    assert server.call("POST", "/reset")[0] == 204
    found = server.get(f"/leases/{one}")
    assert (found["proxies"], found["toxics"], found["disabled"]) == (["own"], [], [])
    server.wait(ms(1_000))
    assert sorted(server.get("/proxies")) == ["db"]


def test_populate_when_the_proxy_is_there_then_only_its_lease_is_new(server):
    one = lease(server)
    listen = server.get("/proxies/db")["listen"]
    entry = {"name": "db", "upstream": "x:1", "listen": listen}
    assert server.make("/populate", [{**entry, "lease": one}])["proxies"][0]["lease"] == one
    assert server.make("/populate", [entry])["proxies"][0]["lease"] == one
    assert "lease" not in server.make("/populate", [{**entry, "lease": None}])["proxies"][0]


def test_undoing_when_it_fails_then_is_said_logged_and_tried_again(server, capsys):
    one = lease(server, owner="run\n12")
    toxic(server, one)
    address = disable(server, one)["listen"]
    server.ports.taken.add(address)  # somebody else has it now
    server.wait(ms(1_000))
    found = server.get(f"/leases/{one}")
    assert (found["expires_in"], found["disabled"], found["toxics"]) == (0, ["db"], [])
    (failure,) = found["failed"]
    assert failure["proxy"] == "db"
    assert "address already in use" in failure["error"]
    assert server.call("PATCH", f"/leases/{one}", {})[0] == 404
    status, refused = server.call("DELETE", f"/leases/{one}")
    assert (status, refused["error"]) == (500, failure["error"])
    server.wait(ms(3_000))
    said = capsys.readouterr().err
    assert said.count("\n") == 1, "not each second"
    assert "db: listen tcp" in said
    server.ports.taken.discard(address)
    server.wait(ms(1_000))
    assert server.get("/proxies/db")["enabled"] is True
    assert server.get("/leases") == {}


def test_lease_when_its_end_could_not_be_undone_then_runs_no_more(server):
    one = lease(server)
    address = disable(server, one)["listen"]
    server.ports.taken.add(address)
    assert server.call("DELETE", f"/leases/{one}")[0] == 500
    assert server.call("PATCH", f"/leases/{one}", {})[0] == 404
    assert server.get(f"/leases/{one}")["expires_in"] == 0
    server.make("/proxies/db", {"listen": LISTEN, "enabled": True})
    server.wait(ms(1_000))
    assert server.get("/leases") == {}


def test_undoing_when_a_proxy_that_goes_has_the_port_of_one_that_comes_then_works(server):
    one = lease(server)
    address = disable(server, one)["listen"]
    server.make("/proxies", {"name": "own", "upstream": "x:1", "listen": address, "lease": one})
    server.wait(ms(1_000))
    found = server.get("/proxies")
    assert (list(found), found["db"]["enabled"]) == (["db"], True)


def test_undoing_when_one_thing_breaks_then_the_others_are_undone(server, monkeypatch, capsys):
    one = lease(server)
    toxic(server, one, "first")
    toxic(server, one, "second")
    proxy = server.server.proxy("db")
    removing = proxy.remove_toxic

    def remove(name):
        if name == "first":
            raise RuntimeError("does not want to")
        removing(name)

    monkeypatch.setattr(proxy, "remove_toxic", remove)
    server.wait(ms(1_000))
    assert [found["name"] for found in server.get("/proxies/db/toxics")] == ["first"]
    assert server.get(f"/leases/{one}")["failed"] == [
        {"proxy": "db", "toxic": "first", "error": "db/first: does not want to"}
    ]
    monkeypatch.undo()
    server.wait(ms(1_000))
    assert server.get("/proxies/db/toxics") == []


def test_server_when_it_ends_then_nothing_is_enabled_any_more(server):
    one = lease(server)
    disable(server, one)
    server.server.refuse_all()
    server.call("PATCH", f"/leases/{one}", {})  # a call that was on its way
    server.wait(ms(5_000))
    assert server.get("/proxies/db")["enabled"] is False


# Any interleaving

NAMES = ("a", "b")
TOXICS = ("t", "u")
NOT_GIVEN = object()
name = st.sampled_from(NAMES)
toxic_name = st.sampled_from(TOXICS)
which = st.integers(0, 2)
enabled = st.sampled_from([True, False, NOT_GIVEN])
bound = st.sampled_from([NOT_GIVEN, None, 1, 7])
leased = st.sampled_from([NOT_GIVEN, None, 0, 1, 2])
lasting = st.sampled_from([NOT_GIVEN, None, 200, 3_000])
ttl = st.sampled_from([100, 500, 2_000])


def given_of(**keys):
    return {key: value for key, value in keys.items() if value is not NOT_GIVEN}


class Calls(RuleBasedStateMachine):
    """The model knows what each call means; after each, GET must show exactly that."""

    def __init__(self):
        super().__init__()
        self._context = virtual_server()
        self.server = self._context.__enter__()
        self.now = 0
        self.ids = ["l-none"]
        self.leases = {}  # id: [ttl, deadline]
        self.proxies = {}  # name: {enabled, upstream, max_connections, lease, disabled_by, toxics}

    def teardown(self):
        self._context.__exit__(None, None, None)

    # What the model knows

    def id_of(self, number):
        """A lease by number, from the newest; unknown ones and ended ones among them."""
        return number if number in {NOT_GIVEN, None} else self.ids[-1 - number % len(self.ids)]

    def unknown(self, *asked):
        return any(each not in {NOT_GIVEN, None} and each not in self.leases for each in asked)

    def shown_lease(self, proxy):
        return proxy["lease"] or proxy["disabled_by"]

    def toxic_of(self, proxy, toxic):
        return self.proxies.get(proxy, {}).get("toxics", {}).get(toxic)

    def new_proxy(self, *, enabled, upstream, bound, lease, toxics=()):
        return {
            "enabled": enabled is not False,
            "upstream": upstream,
            "max_connections": None if bound is NOT_GIVEN else bound,
            "lease": None if lease is NOT_GIVEN else lease,
            "disabled_by": None,
            "toxics": {each: {"lease": given, "until": None} for each, given in toxics},
        }

    def end(self, ended):
        del self.leases[ended]
        for proxy in list(self.proxies):
            found = self.proxies[proxy]
            found["toxics"] = {
                each: toxic for each, toxic in found["toxics"].items() if toxic["lease"] != ended
            }
            if found["lease"] == ended:
                del self.proxies[proxy]
            elif found["disabled_by"] == ended:
                found["enabled"], found["disabled_by"] = True, None

    # Calls

    @initialize(ttl=ttl)
    def begin(self, ttl):
        self.grant(ttl)
        self.create("a", enabled=True, bound=NOT_GIVEN, number=NOT_GIVEN, inner=NOT_GIVEN)

    @rule(ttl=ttl)
    def grant(self, ttl):
        status, made = self.server.call("POST", "/leases", {"ttl": ttl})
        assert status == 201 and made["id"] not in self.ids
        self.ids.append(made["id"])
        self.leases[made["id"]] = [ttl, self.now + ttl]

    @rule(number=which, ttl=st.sampled_from([NOT_GIVEN, 100, 2_000]))
    def renew(self, number, ttl):
        asked = self.id_of(number)
        status, _ = self.server.call("PATCH", f"/leases/{asked}", given_of(ttl=ttl))
        assert status == (200 if asked in self.leases else 404)
        if status == 200:
            known = self.leases[asked]
            known[0] = known[0] if ttl is NOT_GIVEN else ttl
            known[1] = self.now + known[0]

    @rule(number=which)
    def finish(self, number):
        asked = self.id_of(number)
        status, _ = self.server.call("DELETE", f"/leases/{asked}")
        assert status == (204 if asked in self.leases else 404)
        if status == 204:
            self.end(asked)

    @rule(name=name, enabled=enabled, bound=bound, number=leased, inner=leased)
    def create(self, name, *, enabled, bound, number, inner):
        lease, inner = self.id_of(number), self.id_of(inner)
        toxics = [] if inner is NOT_GIVEN else [("t", inner)]
        body = {"name": name, "upstream": "x:1", "listen": LISTEN} | given_of(
            enabled=enabled, max_connections=bound, lease=lease
        )
        body["toxics"] = [{"type": "latency", "name": each, "lease": of} for each, of in toxics]
        status, _ = self.server.call("POST", "/proxies", body)
        if name in self.proxies:
            assert status == 409
        elif self.unknown(lease, inner):
            assert status == 404
        else:
            assert status == 201
            self.proxies[name] = self.new_proxy(
                enabled=enabled, upstream="x:1", bound=bound, lease=lease, toxics=toxics
            )

    @rule(name=name, enabled=enabled, bound=bound, number=leased,
          upstream=st.sampled_from([NOT_GIVEN, "x:1", "y:1", ""]))  # fmt: skip
    def patch(self, name, enabled, bound, number, upstream):
        lease = self.id_of(number)
        body = given_of(enabled=enabled, max_connections=bound, lease=lease, upstream=upstream)
        status, _ = self.server.call("PATCH", f"/proxies/{name}", body)
        proxy = self.proxies.get(name)
        if proxy is None:
            assert status == 404
        elif upstream == "":
            assert status == 400
        elif self.unknown(lease):
            assert status == 404
        else:
            assert status == 200
            self.patched(proxy, body)

    def patched(self, proxy, body):
        was, now = proxy["enabled"], body.get("enabled", proxy["enabled"])
        proxy["enabled"] = now
        proxy["upstream"] = body.get("upstream", proxy["upstream"])
        proxy["max_connections"] = body.get("max_connections", proxy["max_connections"])
        if now:
            proxy["disabled_by"] = None
        if "lease" in body:
            if body["lease"] is None:
                proxy["lease"] = proxy["disabled_by"] = None
            elif body.get("enabled") is not False:
                proxy["lease"] = body["lease"]
            elif was or proxy["disabled_by"]:
                proxy["disabled_by"] = body["lease"]

    @rule(name=name)
    def delete(self, name):
        status, _ = self.server.call("DELETE", f"/proxies/{name}")
        assert status == (204 if self.proxies.pop(name, None) else 404)

    @rule(name=name, toxic=toxic_name, number=leased, duration=lasting)
    def add(self, name, toxic, number, duration):
        lease = self.id_of(number)
        body = {"type": "latency", "name": toxic} | given_of(lease=lease, duration=duration)
        status, _ = self.server.call("POST", f"/proxies/{name}/toxics", body)
        if name not in self.proxies:
            assert status == 404
        elif self.toxic_of(name, toxic) is not None:
            assert status == 409
        elif self.unknown(lease):
            assert status == 404
        else:
            assert status == 200
            self.proxies[name]["toxics"][toxic] = {
                "lease": None if lease is NOT_GIVEN else lease,
                "until": self.now + duration if isinstance(duration, int) else None,
            }

    @rule(name=name, toxic=toxic_name, number=leased, duration=lasting, wrong=st.booleans())
    def change(self, name, toxic, number, duration, wrong):
        lease = self.id_of(number)
        body = given_of(lease=lease, duration=duration) | ({"skip": -1} if wrong else {})
        status, _ = self.server.call("PATCH", f"/proxies/{name}/toxics/{toxic}", body)
        known = self.toxic_of(name, toxic)
        if known is None:
            assert status == 404
        elif wrong:
            assert status == 400
        elif self.unknown(lease):
            assert status == 404
        else:
            assert status == 200
            known["lease"] = known["lease"] if lease is NOT_GIVEN else lease
            if duration is not NOT_GIVEN:
                known["until"] = None if duration is None else self.now + duration

    @rule(name=name, toxic=toxic_name)
    def remove(self, name, toxic):
        status, _ = self.server.call("DELETE", f"/proxies/{name}/toxics/{toxic}")
        known = self.toxic_of(name, toxic)
        assert status == (404 if known is None else 204)
        if known is not None:
            del self.proxies[name]["toxics"][toxic]

    @rule(number=leased, here=st.booleans(), upstream=st.sampled_from(["x:1", "y:1"]))
    def populate(self, number, here, upstream):
        """``a``, where it is or elsewhere, and ``b`` on a new port."""
        lease = self.id_of(number)
        listen = LISTEN
        if here and self.proxies.get("a", {}).get("enabled"):
            listen = self.server.get("/proxies/a")["listen"]
        kept = listen != LISTEN and self.proxies["a"]["upstream"] == upstream
        first = {"name": "a", "upstream": upstream, "listen": listen} | given_of(lease=lease)
        body = [first, {"name": "b", "upstream": "x:1", "listen": LISTEN}]
        status, _ = self.server.call("POST", "/populate", body)
        if self.unknown(lease):
            assert status == 404
            return
        assert status == 201
        if not kept:
            self.proxies["a"] = self.new_proxy(
                enabled=True, upstream=upstream, bound=NOT_GIVEN, lease=lease
            )
        elif lease is not NOT_GIVEN:
            self.proxies["a"]["lease"] = lease
        self.proxies["b"] = self.new_proxy(
            enabled=True, upstream="x:1", bound=NOT_GIVEN, lease=NOT_GIVEN
        )

    @rule()
    def reset(self):
        assert self.server.call("POST", "/reset")[0] == 204
        for proxy in self.proxies.values():
            proxy.update(enabled=True, disabled_by=None, toxics={})

    @rule(milliseconds=st.sampled_from([50, 100, 400, 2_000]))
    def wait(self, milliseconds):
        self.server.wait(ms(milliseconds))
        self.now += milliseconds
        for lease in [each for each, (_, until) in self.leases.items() if until <= self.now]:
            self.end(lease)
        for proxy in self.proxies.values():
            proxy["toxics"] = {
                each: toxic
                for each, toxic in proxy["toxics"].items()
                if toxic["until"] is None or toxic["until"] > self.now
            }

    # What GET shows

    @invariant()
    def proxies_are_shown_as_they_are(self):
        shown = self.server.get("/proxies")
        assert {each: self.seen(proxy) for each, proxy in shown.items()} == {
            each: {
                "enabled": proxy["enabled"],
                "upstream": proxy["upstream"],
                "max_connections": proxy["max_connections"],
                "lease": self.shown_lease(proxy),
                "toxics": {
                    toxic: (
                        known["lease"],
                        None if known["until"] is None else known["until"] - self.now,
                    )
                    for toxic, known in proxy["toxics"].items()
                },
            }
            for each, proxy in self.proxies.items()
        }
        listening = {proxy["listen"] for proxy in shown.values() if proxy["enabled"]}
        assert self.server.ports.taken == listening

    def seen(self, proxy):
        return {
            "enabled": proxy["enabled"],
            "upstream": proxy["upstream"],
            "max_connections": proxy.get("max_connections"),
            "lease": proxy.get("lease"),
            "toxics": {
                toxic["name"]: (toxic.get("lease"), toxic.get("expires_in"))
                for toxic in proxy["toxics"]
            },
        }

    @invariant()
    def leases_are_shown_as_they_are(self):
        proxies = sorted(self.proxies.items())
        assert self.server.get("/leases") == {
            lease: {
                "id": lease,
                "owner": "",
                "ttl": ttl,
                "expires_in": until - self.now,
                "proxies": [each for each, proxy in proxies if proxy["lease"] == lease],
                "toxics": [
                    {"proxy": each, "toxic": toxic}
                    for each, proxy in proxies
                    for toxic, known in proxy["toxics"].items()
                    if known["lease"] == lease
                ],
                "disabled": [each for each, proxy in proxies if proxy["disabled_by"] == lease],
            }
            for lease, (ttl, until) in self.leases.items()
        }


TestCalls = pytest.mark.slow(Calls.TestCase)
TestCalls.settings = settings(stateful_step_count=30)
