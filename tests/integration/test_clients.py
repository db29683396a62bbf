"""Toxiproxy's clients, unchanged, drive our proxy as they drive the original: they cannot tell which.

What a client is asked to do is written down once and done on both servers, and everything that it
prints, returns or raises is compared. Where our answer is meant to be another one, the call stands in
a list of its own with the reason and with both answers.
"""

import contextlib
import re
import shlex
import subprocess
from urllib.parse import quote

import pytest
import toxiproxy
from toxiproxy.api import APIConsumer

from harness.proxy.version import COMPATIBLE_WITH
from tests.support import servers
from tests.support.engines import toxiproxy_cli
from tests.support.sockets import Peer, Upstream, refused

pytestmark = pytest.mark.engine("toxiproxy")

ADDRESS = re.compile(r"(127\.0\.0\.1|\[::\]):[1-9]\d*")

ATTRIBUTES = {
    "latency": {"latency": 1000, "jitter": 50},
    "bandwidth": {"rate": 100},
    "slow_close": {"delay": 150},
    "timeout": {"timeout": 10},
    "reset_peer": {"timeout": 2000},
    "slicer": {"average_size": 64, "size_variation": 32, "delay": 10},
    "limit_data": {"bytes": 1000},
    "noop": {},
}


@pytest.fixture(scope="module")
def original_daemon():
    with servers.original() as daemon:
        yield daemon.api


@pytest.fixture(scope="module")
def our_daemon():
    with servers.ours() as daemon:
        yield daemon.api


@pytest.fixture
def both(original_daemon, our_daemon):
    """The original and ours, in this order, without proxies."""
    for api in (original_daemon, our_daemon):
        for name in api.get("/proxies").json():
            assert api.delete(f"/proxies/{quote(name, safe='')}").status == 204
    return original_daemon, our_daemon


@pytest.fixture(params=["original", "ours"])
def api(request, both):
    return both[("original", "ours").index(request.param)]


def on_free_ports(text):
    """Without the numbers of ports, which the machine chose."""
    return ADDRESS.sub(r"\1:PORT", text)


def lines(script):
    return [line.strip() for line in script.splitlines() if line.strip()]


def each(meant):
    """The rows of a table of differences that are meant, for ``parametrize``."""
    rows = [line.split("|") for line in lines(meant) if "|" in line]
    return [pytest.param(*map(str.strip, row), id=row[0].strip()) for row in rows]


# --- toxiproxy-cli ---------------------------------------------------------------------------------

# A line that begins with `!` ends with exit code 1, any other one with 0.
SESSIONS = {
    "of the README": """
        list
        create -l localhost:0 -u localhost:6379 redis
        list
        toxic add -t latency -a latency=1000 redis
        inspect redis
        toxic remove -n latency_downstream redis
        inspect redis
        delete redis
        list
    """,
    "with all commands by their long and short names": """
        new --listen 127.0.0.1:0 --upstream localhost:20002 shopify_http
        c -l [::]:0 -u localhost:20003 shopify_https
        ls
        tog shopify_http
        toggle shopify_https
        list
        toxic add --downstream --type=latency --toxicName=l --attribute=latency=1000 --attribute=jitter=50 --toxicity=0.99 shopify_http
        toggle shopify_http
        t a -t limit_data -n d -u -tox 0 -a bytes=1e3 shopify_http
        i shopify_http
        toxic update --toxicName=l --attribute=jitter=20 --toxicity=0.7 shopify_http
        ins shopify_http
        t u -n l -a LATENCY=9 -a unknown=1 shopify_http
        inspect shopify_http
        toxic update -n l shopify_http
        toxic update -n d -a bytes=-1 shopify_http
        inspect shopify_http
        toxic delete --toxicName=l shopify_http
        t d -n d shopify_http
        inspect shopify_http
        d shopify_http
        delete shopify_https
        list
    """,
    # A name goes into the path as it is: what follows `#` or `?` is lost, and `/` makes another path.
    "with names that are no plain words": """
        create -l 127.0.0.1:0 -u x:1 'a b'
        create -l 127.0.0.1:0 -u x:1 '<b>&ü'
        create -l 127.0.0.1:0 -u x:1 q
        toxic add -t noop -n 'n o' 'a b'
        toxic add -t noop -n 'ü/o' '<b>&ü'
        list
        inspect 'a b'
        inspect '<b>&ü'
        toggle '<b>&ü'
        toxic remove -n 'n o' 'a b'
        ! toxic remove -n 'ü/o' '<b>&ü'
        inspect 'q#x'
        inspect 'q?x'
        ! inspect 'q%41'
        ! inspect q/x
        delete 'q#x'
        delete 'a b'
        delete '<b>&ü'
        list
    """,
    "with mistakes about proxies": """
        create -l 127.0.0.1:0 -u localhost:6379 redis
        ! create -l 127.0.0.1:0 -u localhost:6379 redis
        ! create -l 192.0.2.1:0 -u localhost:6379 other
        ! create -l 127.0.0.1:0 -u localhost:6379
        ! create -l 127.0.0.1:0 other
        ! create -u localhost:6379 other
        ! inspect
        ! inspect other
        ! toggle
        ! toggle other
        ! delete
        ! delete other
        list
        delete redis
        ! delete redis
    """,
    "with mistakes about toxics": """
        create -l 127.0.0.1:0 -u localhost:6379 redis
        toxic add -t latency -n l -a latency=5 -tox 0.5 redis
        ! toxic add -t latency -n l redis
        ! toxic add -t latency -n l -u redis
        ! toxic add -t nonsense redis
        ! toxic add -t down redis
        ! toxic add -t Latency redis
        ! toxic add -n l2 redis
        ! toxic add -t latency -u -d redis
        ! toxic add -t latency -tox 3 redis
        ! toxic add -t latency
        ! toxic add -t latency other
        ! toxic update -n none -a latency=1 redis
        ! toxic update -n l -a latency=1 other
        ! toxic update -a latency=1 redis
        ! toxic update -n l -tox much redis
        ! toxic remove -n none redis
        ! toxic remove -n l other
        ! toxic remove redis
        inspect redis
        toxic add -t latency -n ignored -a latency redis
        inspect redis
    """,
} | {
    f"about {kind}": f"""
        create -l 127.0.0.1:0 -u localhost:6379 redis
        toxic add -t {kind} {given} redis
        toxic add -t {kind} --upstream -n up -tox 0.25 {given} redis
        inspect redis
        list
        toxic update -n up -tox 0.5 {given} redis
        toxic update -n {kind}_downstream {given.replace("=1", "=2")} redis
        inspect redis
        toxic remove -n up redis
        toxic remove -n {kind}_downstream redis
        ! toxic remove -n up redis
        inspect redis
    """
    for kind, attributes in ATTRIBUTES.items()
    for given in [" ".join(f"-a {key}={value}" for key, value in attributes.items())]
}

# Where ours is meant to answer otherwise, and why: the call | of the original's answer | of ours.
MEANT_FOR_CLI = """
    # the original dies of it with the first bytes
    toxic add -t slicer redis                    | Added downstream slicer  | HTTP 400: average_size:
    toxic update -n s -a average_size=0 redis    | Updated toxic 's'        | HTTP 400: average_size:
    toxic update -n s -a size_variation=99 redis | Updated toxic 's'        | HTTP 400: size_variation:
    toxic add -t bandwidth -a rate=-1 redis      | Added downstream         | HTTP 400: rate:

    # the original overflows, and does not wait at all, or for ever
    toxic add -t latency -a latency=9223372036855 redis    | Added downstream | HTTP 400: latency:
    toxic add -t slow_close -a delay=9223372036855 redis   | Added downstream | HTTP 400: delay:
    toxic add -t timeout -a timeout=9223372036855 redis    | Added downstream | HTTP 400: timeout:
    toxic add -t reset_peer -a timeout=9223372036855 redis | Added downstream | HTTP 400: timeout:

    # a mistake of the caller's is no 500
    create -l garbage -u x:1 other          | HTTP 500: listen tcp: | HTTP 400: listen:
    create -l 127.0.0.1:99999 -u x:1 other  | HTTP 500: listen tcp: | HTTP 400: listen:
"""

# The reason of a refusal is free text, and begins where the status ends.
REFUSED_ATTRIBUTES = [
    "toxic add -t latency -a latency=1.5 redis",
    "toxic add -t latency -a latency=much redis",
    "toxic add -t latency -a latency= redis",
    "toxic add -t limit_data -a bytes=1e19 redis",
    "toxic update -n s -a delay=x redis",
]


def cli(api, line):
    """What a terminal would show of one command: both outputs, then its exit code."""
    ran = subprocess.run(
        [toxiproxy_cli(), "-h", f"http://{api.host}:{api.port}", *shlex.split(line)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return [f"$ {line}", *on_free_ports(ran.stdout + ran.stderr).splitlines(), f"{ran.returncode}"]


def cli_session(api, script):
    shown = []
    for line in lines(script):
        fails = line.startswith("! ")
        shown += cli(api, line.removeprefix("! "))
        assert shown[-1] == ("1" if fails else "0"), shown
    return shown


def a_proxy_with_a_slicer(api):
    cli_session(
        api,
        """
        create -l 127.0.0.1:0 -u localhost:6379 redis
        toxic add -t slicer -n s -a average_size=64 redis
        """,
    )


@pytest.mark.engine("toxiproxy-cli")
@pytest.mark.parametrize("session", SESSIONS)
def test_cli_when_a_session_is_had_with_both_then_prints_the_same(both, session):
    original, ours = (cli_session(api, SESSIONS[session]) for api in both)
    assert ours == original


@pytest.mark.engine("toxiproxy-cli")
@pytest.mark.parametrize(("line", "of_original", "of_ours"), each(MEANT_FOR_CLI))
def test_cli_when_ours_is_meant_to_differ_then_shows_exactly_that(both, line, of_original, of_ours):
    for api, expected in zip(both, (of_original, of_ours), strict=True):
        a_proxy_with_a_slicer(api)
        *shown, code = cli(api, line)
        assert expected in "\n".join(shown)
        assert code == ("1" if "HTTP" in expected else "0")


@pytest.mark.engine("toxiproxy-cli")
@pytest.mark.parametrize("line", REFUSED_ATTRIBUTES)
def test_cli_when_an_attribute_is_no_whole_number_then_both_refuse_in_their_own_words(both, line):
    for api in both:
        a_proxy_with_a_slicer(api)
    original, ours = ("\n".join(cli(api, line)) for api in both)
    until_the_reason = original[: original.index("HTTP 400: ")] + "HTTP 400: "
    assert ours.startswith(until_the_reason)
    assert ours.endswith("\n1") and original.endswith("\n1")


@pytest.mark.engine("toxiproxy-cli")
def test_cli_when_it_adds_and_toggles_then_traffic_obeys(api):
    echo = Upstream()
    cli_session(
        api,
        f"""
        create -l 127.0.0.1:0 -u {echo.address} echo
        toxic add -t limit_data -n three -a bytes=3 echo
        """,
    )
    listen = api.get("/proxies/echo").json()["listen"]
    with Peer.connect(listen) as client:
        client.send(b"12345")
        assert client.rest() == b"123"
    cli_session(api, "toggle echo")
    assert refused(listen)
    # The toggle sent the toxics it had read; they are neither doubled nor renewed.
    cli_session(api, "toxic remove -n three echo\ntoggle echo")
    with Peer.connect(listen) as client:
        client.round_trip(b"12345")
    echo.close()


# --- toxiproxy-python ------------------------------------------------------------------------------

# Over the package's `Toxiproxy()`, here `t`, and two of its proxies; every call of its API is among them.
EXPRESSIONS = """
    t.running()
    t.version()
    t.proxies()
    t.create('localhost:6379', 'a')
    t.create('localhost:6379', 'a')
    t.create('localhost:6379', 'b', listen='localhost:0', enabled=False)
    t.create(None, 'c')
    t.create('localhost:6379', '')
    t.create('localhost:6379', 'c', enabled='yes')
    t.create('localhost:6379', 'c', listen='192.0.2.1:0')
    t.proxies()
    t.get_proxy('a')
    t.get_proxy('none')
    t.get_proxy('a').toxics()
    t.get_proxy('a').add_toxic(type='nonsense')
    t.get_proxy('a').add_toxic(type='latency', stream='sideways')
    t.get_proxy('a').add_toxic(type='latency', name='bare')
    t.get_proxy('a').add_toxic(type='latency', name='bare')
    t.get_proxy('a').add_toxic(type='latency', name='x', attributes='10')
    t.get_proxy('a').get_toxic('bare')
    t.get_proxy('a').get_toxic('none')
    t.get_proxy('a').destroy_toxic('bare')
    t.get_proxy('a').destroy_toxic('bare')
    t.get_proxy('a').disable()
    t.get_proxy('a').disable()
    t.get_proxy('a')
    t.get_proxy('a').enable()
    t.get_proxy('a')
    t.reset()
    t.proxies()
    t.populate([{'name': 'd', 'upstream': 'x:1'}, {'name': 'e', 'upstream': 'x:2', 'enabled': False}])
    t.populate([{'name': 'a', 'upstream': 'x:3', 'listen': t.get_proxy('a').listen}])
    t.populate([{'name': 'a', 'upstream': 'x:3', 'listen': t.get_proxy('a').listen}])
    t.populate([{'name': 'a', 'upstream': 'x:3', 'listen': '127.0.0.1:0'}])
    t.populate([{'name': 'a', 'upstream': 'x:3'}])
    t.proxies()
    [proxy.destroy() for proxy in [t.get_proxy('a')] * 2]
    t.destroy(t.get_proxy('b'))
    t.destroy(t.get_proxy('none'))
    t.destroy_all()
    t.proxies()
"""
EXPRESSIONS_OF_EACH_TYPE = """
    t.create('localhost:6379', 'a')
    t.get_proxy('a').add_toxic(type={type!r}, attributes={attributes})
    t.get_proxy('a').add_toxic(type={type!r}, attributes={attributes})
    t.get_proxy('a').add_toxic(type={type!r}, name='n', stream='upstream', toxicity=0.5, attributes={attributes})
    t.get_proxy('a').toxics()
    t.get_proxy('a').get_toxic('n')
    t.get_proxy('a').destroy_toxic('n')
    t.get_proxy('a').destroy_toxic('n')
    t.get_proxy('a').toxics()
    t.reset()
    t.get_proxy('a').toxics()
"""

MEANT_FOR_PYTHON = """
    # the original dies of it with the first byte
    t.get_proxy('a').add_toxic(type='slicer') | None | InvalidToxic: b'{"error":"average_size:

    # a number is what it is worth, however it is written
    t.get_proxy('a').add_toxic(type='limit_data', attributes={'bytes': 1e3}) | InvalidToxic: | None

    # a mistake of the caller's is no 500, which the package takes for success
    t.create('x:1', 'c', listen='garbage') | KeyError: 'name' | InvalidToxic: b'{"error":"listen:
"""


@pytest.fixture
def package(monkeypatch):
    """Points the package at a server; host and port are its class's, so one at a time."""
    for name in ("host", "port"):
        monkeypatch.setattr(APIConsumer, name, getattr(APIConsumer, name))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # it asks the environment for a way out

    def pointed_at(api):
        server = toxiproxy.Toxiproxy()
        server.update_api_consumer(api.host, api.port)
        return server

    return pointed_at


def outcome(server, expression):
    """What the package returns, its objects spelled out, or what it raises."""
    try:
        found = eval(expression, {"t": server})  # one of those above
    except Exception as raised:
        return f"{type(raised).__name__}: {raised}"
    return on_free_ports(repr(spelled_out(found)))


def spelled_out(found):
    match found:
        case dict():
            return {key: spelled_out(value) for key, value in found.items()}
        case list():
            return [spelled_out(value) for value in found]
        case toxiproxy.proxy.Proxy() | toxiproxy.toxic.Toxic():
            return vars(found)
        case bytes():
            # A build of the original's module has no number; a release has.
            return found.replace(b'"git"', f'"{COMPATIBLE_WITH}"'.encode())
    return found


def without_reason(said):
    """Go's parser has other words than ours for what is wrong with a body."""
    return re.sub(r"(bad request body: )[^\"]*", r"\1…", said)


def outcomes(server, expressions):
    return [(line, without_reason(outcome(server, line))) for line in lines(expressions)]


def test_python_package_when_all_of_it_is_called_on_both_then_returns_and_raises_the_same(
    both, package
):
    original, ours = (outcomes(package(api), EXPRESSIONS) for api in both)
    assert ours == original
    raised = {said.split(":")[0] for _, said in ours if re.match(r"\w+: ", said)}
    assert raised == {"ProxyExists", "InvalidToxic", "NotFound", "KeyError"}


@pytest.mark.parametrize("type", ATTRIBUTES)
def test_python_package_when_it_adds_toxics_on_both_then_reads_the_same_back(both, package, type):
    calls = EXPRESSIONS_OF_EACH_TYPE.format(type=type, attributes=ATTRIBUTES[type])
    original, ours = (outcomes(package(api), calls) for api in both)
    assert ours == original
    assert f"'type': '{type}'" in dict(ours)["t.get_proxy('a').get_toxic('n')"]


def test_python_package_when_its_interface_is_listed_then_every_call_is_made_above():
    # The fixture makes the one; the other is a block, with a test of its own.
    elsewhere = {"update_api_consumer", "down"}
    for part in (toxiproxy.Toxiproxy, toxiproxy.proxy.Proxy):
        names = {name for name in vars(part) if not name.startswith("_")} - elsewhere
        assert [name for name in names if f".{name}(" not in EXPRESSIONS] == []


@pytest.mark.parametrize(("call", "of_original", "of_ours"), each(MEANT_FOR_PYTHON))
def test_python_package_when_ours_is_meant_to_differ_then_shows_exactly_that(
    both, package, call, of_original, of_ours
):
    for api, expected in zip(both, (of_original, of_ours), strict=True):
        server = package(api)
        server.create("x:1", "a")
        assert outcome(server, call).startswith(expected)


def test_python_package_when_it_takes_a_proxy_down_then_connections_are_refused_meanwhile(
    api, package
):
    echo = Upstream()
    proxy = package(api).create(echo.address, "echo")
    with Peer.connect(proxy.listen) as client:
        client.round_trip()
        with contextlib.suppress(ZeroDivisionError), proxy.down():
            assert client.ending() == "eof"
            assert refused(proxy.listen)
            1 / 0  # noqa: B018 - the block fails; the proxy comes back all the same
    with Peer.connect(proxy.listen) as client:
        client.round_trip()
    echo.close()


# --- clients in Ruby and for Node, call by call ----------------------------------------------------

# What the Ruby gem 2.0.2 sends in the course of a test, behind the status it must be told: an address
# to listen at, `nil` as null, PATCH to a server that says 2.6.0 or more, POST to one that says less.
CALLS = """
    200 GET /version
    200 GET /proxies
    201 POST /proxies {"upstream":"localhost:6379","name":"a","listen":"localhost:0","enabled":null}
    409 POST /proxies {"upstream":"localhost:6379","name":"a","listen":"localhost:0","enabled":null}
    400 POST /proxies {"upstream":null,"name":"b","listen":"localhost:0","enabled":null}
    200 GET /proxies
    200 PATCH /proxies/a {"enabled":false}
    200 PATCH /proxies/a {"enabled":true}
    200 POST /proxies/a {"enabled":false}
    200 POST /proxies/a {"enabled":true}
    404 PATCH /proxies/b {"enabled":false}
    200 POST /proxies/a/toxics {"name":"l","type":"latency","stream":"upstream","toxicity":1.0,"attributes":{"latency":9}}
    409 POST /proxies/a/toxics {"name":"l","type":"latency","stream":"upstream","toxicity":1.0,"attributes":{"latency":9}}
    200 POST /proxies/a/toxics {"name":"timeout_downstream","type":"timeout","stream":"downstream","toxicity":0.5,"attributes":{}}
    400 POST /proxies/a/toxics {"name":"x_downstream","type":"x","stream":"downstream","toxicity":1.0,"attributes":{}}
    200 GET /proxies/a/toxics
    204 DELETE /proxies/a/toxics/l
    404 DELETE /proxies/a/toxics/l
    201 POST /populate [{"name":"b","upstream":"localhost:3306","listen":"localhost:0"},{"name":"c","upstream":"x:1"}]
    204 POST /reset
    200 GET /proxies
    204 DELETE /proxies/a
    404 DELETE /proxies/a
"""

# As Ruby's Net::HTTP and Node's fetch send them; the latter names a mode that browsers use.
RUBY = {
    "Accept-Encoding": "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
    "Accept": "*/*",
    "User-Agent": "Ruby",
    "Connection": "close",
}
NODE = {
    "Connection": "keep-alive",
    "Accept": "*/*",
    "Accept-Language": "*",
    "Sec-Fetch-Mode": "cors",
    "User-Agent": "node",
    "Accept-Encoding": "gzip, deflate",
}


def replies(api, headers):
    """Each call with its answer, as text, without the key `Logger`, an accident that no client reads."""
    for call in lines(CALLS):
        status, method, path, *body = call.split(maxsplit=3)
        payload = "".join(body).encode() or None
        more = {"Content-Type": "application/json"} if method in {"POST", "PATCH"} else {}
        reply = api.call(method, path, payload, headers={**headers, **more})
        assert reply.status == int(status), (call, reply)
        said = (
            reply.body.decode().replace('"Logger":{},', "").replace('"git"', f'"{COMPATIBLE_WITH}"')
        )
        yield call, on_free_ports(said)


@pytest.mark.parametrize("headers", [RUBY, NODE], ids=["ruby", "node"])
def test_calls_of_a_client_when_sent_to_both_then_are_answered_with_the_same_bytes(both, headers):
    original, ours = (list(replies(api, headers)) for api in both)
    assert ours == original
