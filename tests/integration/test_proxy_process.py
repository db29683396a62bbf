"""The proxy as a process of its own: its life, the turns it tells of, and its client on both servers."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from harness.model.units import Duration, Instant
from harness.proxy.client import ProxyCallFailed, ProxyServer
from tests.support import servers
from tests.support.engines import toxiproxy_server
from tests.support.proxies import foreign_toxiproxy, free_port
from tests.support.proxy_api import Api
from tests.support.sockets import Peer, Upstream, refused
from tests.support.waiting import until_sync


@contextmanager
def daemon(*arguments, module="harness.proxy"):
    """The process and its API's URL; ended if the test has not done it."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process, json.loads(process.stdout.readline())["api"]
    finally:
        process.kill()
        process.wait(timeout=30)
        process.stdout.close()


@pytest.fixture
def proxy():
    with daemon() as (_, url):
        yield ProxyServer(url)


@pytest.fixture
def echo():
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def upstream():
    server = Upstream(echo=False)
    yield server
    server.close()


def add_latency(server, ms, *, name="lag", stream="downstream", proxy="db", toxicity=1.0):
    server.add_toxic(
        proxy,
        name=name,
        type="latency",
        stream=stream,
        toxicity=toxicity,
        attributes={"latency": ms},
    )


def now():
    return Instant.of_ns(time.monotonic_ns())


# Its life


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_daemon_when_asked_to_end_then_exits_with_0(number):
    with daemon() as (process, url):
        listen = ProxyServer(url).create("db", upstream="127.0.0.1:1").listen
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
        assert refused(listen)


def test_daemon_when_asked_to_end_then_answers_on_their_way_arrive(echo):
    """TX-079: no new connections, and a grace for those that are open."""
    with daemon() as (process, url):
        server = ProxyServer(url)
        listen = server.create("db", upstream=echo.address).listen
        add_latency(server, 300)
        with Peer.connect(listen) as client:
            client.send(b"ask")
            until_sync(
                lambda: server.turns("db").bytes_down, within=Duration.of_s(30), what="an answer"
            )
            process.terminate()
            until_sync(lambda: refused(listen), within=Duration.of_s(30), what="it is closed")
            assert client.receive(3) == b"ask"
            began = time.monotonic()
            assert client.ending() == "eof"
            assert process.wait(timeout=30) == 0
            assert time.monotonic() - began < 6  # the grace is one second


def test_daemon_when_its_port_is_given_then_is_there():
    port = free_port()
    with daemon("--port", str(port), "--host", "127.0.0.1", "--seed", "3") as (_, url):
        assert url == f"http://127.0.0.1:{port}"
        assert ProxyServer(url).version() == "2.12.0"


def test_command_when_run_then_is_the_same_daemon():
    with daemon("proxy", "--port", "0", module="harness.cli") as (process, url):
        with pytest.raises(ProxyCallFailed, match="proxy not found"):
            ProxyServer(url).turns("none")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


# What it tells of the wire


def test_turns_when_delayed_then_show_who_did_it_and_when(proxy, echo):
    before = now()
    listen = proxy.create("db", upstream=echo.address).listen
    with Peer.connect(listen) as client:
        client.round_trip()
        add_latency(proxy, 40)
        client.round_trip()
        add_latency(proxy, 0, name="nothing")
        add_latency(proxy, 30, name="up", stream="upstream")
        client.round_trip()
        proxy.remove_toxic("db", "lag")
        proxy.remove_toxic("db", "up")
        client.round_trip()
        page = proxy.turns("db")
    assert [turn.injected for turn in page.turns] == [(), ("lag",), ("up", "lag"), ()]
    assert [turn.seq for turn in page.turns] == [1, 2, 3, 4]
    for turn in page.turns:
        assert turn.end == "answered"
        assert before <= turn.arrived <= turn.upstream <= turn.ended <= now()
    assert page.turns[1].ended - page.turns[1].upstream >= Duration.of_ms(40)
    assert page.turns[2].upstream - page.turns[2].arrived >= Duration.of_ms(30)
    assert (page.next, page.dropped, page.connections) == (4, 0, 1)
    assert (page.bytes_up, page.bytes_down) == (4, 4)


def test_turns_when_asked_right_after_an_answer_then_are_truthful(proxy, echo):
    listen = proxy.create("db", upstream=echo.address).listen
    after = 0
    with Peer.connect(listen) as client:
        for _ in range(30):
            client.round_trip()
            page = proxy.turns("db", after)
            assert [turn.end for turn in page.turns] == ["answered"]
            after = page.next


def test_turns_when_open_abandoned_or_cut_then_say_so(proxy, upstream):
    listen = proxy.create("db", upstream=upstream.address).listen

    def ends():
        return sorted(turn.end for turn in proxy.turns("db").turns)

    def become(*expected):
        until_sync(
            lambda: ends() == sorted(expected), within=Duration.of_s(30), what=f"ends {expected}"
        )

    leaving, staying, last = (Peer.connect(listen) for _ in range(3))
    servers = [upstream.accept() for _ in range(3)]
    for client in (leaving, staying, last):
        client.send(b"ask")
    become("open", "open", "open")
    leaving.reset()
    become("abandoned", "open", "open")
    for server in servers:
        server.receive(3)
    proxy.delete("db")
    with pytest.raises(ProxyCallFailed, match="proxy not found"):
        proxy.turns("db")
    for peer in (staying, last, *servers):
        peer.close()


def test_turns_when_the_server_leaves_then_are_cut(proxy, upstream):
    listen = proxy.create("db", upstream=upstream.address).listen
    with Peer.connect(listen) as client:
        server = upstream.accept()
        client.send(b"ask")
        server.receive(3)
        server.close()
        assert client.ending() == "eof"
        assert [turn.end for turn in proxy.turns("db").turns] == ["cut"]


def test_turns_when_nobody_answers_the_dial_then_are_cut(proxy):
    listen = proxy.create("db", upstream=f"127.0.0.1:{free_port()}").listen

    def asked():
        with Peer.connect(listen) as client, suppress(BrokenPipeError, ConnectionResetError):
            client.send(b"ask")
            client.ending()
        return proxy.turns("db").turns

    # Hung up on before its request was read, a client has asked nothing.
    turns = until_sync(asked, within=Duration.of_s(30), what="a request is read before the refusal")
    assert [(turn.end, turn.upstream) for turn in turns] == [("cut", None)]


def test_greeting_when_the_server_speaks_first_then_is_no_turn(proxy, upstream):
    listen = proxy.create("db", upstream=upstream.address).listen
    with Peer.connect(listen) as client, upstream.accept() as server:
        server.send(b"220 hello")
        client.receive(9)
        page = proxy.turns("db")
        assert (page.turns, page.bytes_down) == ((), 9)


# Its client, on both servers


@pytest.fixture(
    params=[
        pytest.param("embedded", id="embedded"),
        pytest.param("original", id="toxiproxy-2.12", marks=pytest.mark.engine("toxiproxy")),
    ]
)
def any_server(request):
    if request.param == "embedded":
        yield request.getfixturevalue("proxy")
    else:
        with foreign_toxiproxy(toxiproxy_server()) as url:
            yield ProxyServer(url)


def test_client_when_it_drives_a_server_then_every_call_does_what_it_says(any_server, echo):
    server = any_server
    made = server.create("db", upstream=echo.address)
    assert server.proxies() == {"db": made}
    with Peer.connect(made.listen) as client:
        add_latency(server, 60)
        assert client.round_trip().in_ms >= 60
        (toxic,) = server.toxics("db")
        assert (toxic.name, toxic.attributes) == ("lag", {"latency": 60, "jitter": 0})
        assert server.remove_toxic("db", "lag") is True
        assert server.toxics("db") == ()
        client.round_trip()
    assert server.remove_toxic("db", "lag") is False
    assert server.remove_toxic("none", "lag") is False
    assert server.delete("db") is True
    assert server.delete("db") is False
    assert server.proxies() == {}


def test_client_when_a_call_is_in_vain_then_fails_with_the_servers_words(any_server):
    server = any_server
    taken = server.create("db", upstream="x:1").listen
    for name, listen, status, words in (
        ("db", "127.0.0.1:0", 409, "proxy already exists"),
        ("other", taken, 500, "address already in use"),
    ):
        with pytest.raises(ProxyCallFailed, match=words) as failed:
            server.create(name, upstream="x:1", listen=listen)
        assert failed.value.status == status
    with pytest.raises(ProxyCallFailed, match="proxy not found"):
        add_latency(server, 1, proxy="none")
    add_latency(server, 1)
    with pytest.raises(ProxyCallFailed, match="toxic already exists"):
        add_latency(server, 1)


@pytest.mark.engine("toxiproxy")
def test_client_when_the_server_is_foreign_then_knows_that_it_has_no_turns():
    with foreign_toxiproxy(toxiproxy_server()) as url:
        server = ProxyServer(url)
        assert server.version() == "git" or server.version().startswith("2.")
        with pytest.raises(ProxyCallFailed, match="404 page not found"):
            server.turns("none")


# What it is started with


MODULES = [
    pytest.param(("harness.proxy",), id="module"),
    pytest.param(("harness.cli", "proxy"), id="command"),
]


def api(url):
    parts = urlsplit(url)
    return Api(parts.hostname, parts.port, real=False)


def ended(*arguments, module=("harness.proxy",)):
    """Exit code and standard error of a daemon that does not start."""
    ran = subprocess.run(
        [sys.executable, "-m", *module, *arguments], capture_output=True, text=True, timeout=30
    )
    assert ran.stdout == ""
    return ran.returncode, ran.stderr


def listed(path, *proxies):
    path.write_text(json.dumps(proxies))
    return str(path)


def test_daemon_when_killed_then_the_next_one_is_clean_or_as_its_file_says(tmp_path, echo):
    where = ("--port", str(free_port()))
    listen = f"127.0.0.1:{free_port()}"
    toxic = {"type": "latency", "attributes": {"latency": 1}}
    file = listed(
        tmp_path / "proxies.json",
        {"name": "db", "listen": listen, "upstream": echo.address, "toxics": [toxic]},
        {"name": "off", "upstream": echo.address, "enabled": False},
    )
    with daemon(*where, "--config", file) as (process, url):
        before = api(url).get("/proxies").json()
        assert [before[name]["enabled"] for name in ("db", "off")] == [True, False]
        assert [found["type"] for found in before["db"]["toxics"]] == ["latency"]
        lease = api(url).post("/leases", {"ttl": 60_000}).json()["id"]
        api(url).toxic("db", name="more", lease=lease)
        api(url).create("made", echo.address)
        with Peer.connect(listen) as client:
            client.round_trip()
            process.kill()
            process.wait(timeout=10)
    with daemon(*where, "--config", file) as (process, url):
        assert api(url).get("/proxies").json() == before
        assert api(url).get("/leases").json() == {}
        with Peer.connect(listen) as client:
            client.round_trip()
        process.kill()
        process.wait(timeout=10)
    with daemon(*where) as (_, url):
        assert api(url).get("/proxies").json() == {}
        assert refused(listen)


@pytest.mark.parametrize("module", MODULES)
def test_daemon_when_what_it_is_started_with_is_wrong_then_exit_2_with_the_reason(tmp_path, module):
    broken = tmp_path / "broken.json"
    broken.write_text('[\n  {"name": "a" "upstream": "x:1"}\n]')
    for flags, says in (
        (("-config", str(tmp_path / "none.json")), "none.json: cannot be read: No such file"),
        (("-config", str(broken)), "broken.json:2:16 no JSON"),
        (("-max-connections", "2000000000"), "--max-connections 2000000000: needs 4000000128"),
        (("-nope",), "-nope"),
    ):
        code, said = ended(*flags, module=module)
        assert code == 2, said
        assert says in said
        assert "Traceback" not in said


@pytest.mark.parametrize("module", MODULES)
def test_daemon_when_it_has_flags_then_does_what_they_say(tmp_path, module, echo):
    file = listed(tmp_path / "p.json", {"name": "a", "upstream": echo.address})
    flags = ("-port", "0", "-config", file, "-runtime-metrics", "-allow-host", "box.example")
    with daemon(*module[1:], *flags, module=module[0]) as (_, url):
        server = api(url)
        assert list(server.get("/proxies").json()) == ["a"]
        assert b"process_open_fds" in server.get("/metrics").body
        assert b"received_bytes" not in server.get("/metrics").body
        for host, status in (("box.example", 200), ("other.example", 403)):
            assert server.call("GET", "/version", headers={"Host": host}).status == status


# A toxic of somebody else's making

PLUGIN = """
from harness.proxy.toxic import Toxic

class Broken(Toxic):
    kind = "broken"
    summary = "Cannot be made."

    def __init__(self, *given):
        raise ZeroDivisionError("broken by intent")
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A distribution that brings the toxic ``broken``, for processes that start from now on."""
    (tmp_path / "broken_toxic.py").write_text(PLUGIN)
    info = tmp_path / "broken_toxic-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-toxic\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[harness.toxics]\nbroken = broken_toxic:Broken\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)


def test_foreign_toxic_when_it_always_raises_then_clients_are_reset_and_the_daemon_lives(
    plugin, echo, capfd
):
    with daemon() as (process, url):
        server = api(url)
        listen = server.create("db", echo.address, max_connections=2)["listen"]
        with Peer.connect(listen) as client:
            client.round_trip()
            server.toxic("db", type="broken", name="ours")
            assert client.ending() == "reset"
        for _ in range(4):
            # The reset may be there before connecting has returned.
            with suppress(ConnectionResetError), Peer.connect(listen) as client:
                assert client.ending() == "reset"
        until_sync(
            lambda: server.get("/proxies/db/turns").json()["open"] == 0,
            within=Duration.of_s(30),
            what="no connection is counted",
        )
        assert server.delete("/proxies/db/toxics/ours").status == 204
        with Peer.connect(listen) as client:
            client.round_trip()
        process.terminate()
        assert process.wait(timeout=30) == 0
    assert capfd.readouterr().err.count("Toxic ours of proxy db: raised on connection") == 5


# Not more than it can bear


def test_loop_of_proxies_when_entered_then_ends_at_the_bound_and_all_is_well(echo):
    with daemon("-max-connections", "40", "-proxy-metrics") as (_, url):
        server = api(url)
        there = server.create("there", echo.address)["listen"]
        back = server.create("back", there)["listen"]
        assert server.patch("/proxies/there", {"upstream": back}).status == 200
        with Peer.connect(there) as client:
            assert client.ending() == "eof"
        until_sync(
            lambda: total(server, "toxiproxy_proxy_connections") == 0,
            within=Duration.of_s(10),
            what="no connection of the loop is open",
        )
        assert total(server, "toxiproxy_proxy_refused_total") >= 1
        server.patch("/proxies/there", {"upstream": echo.address})
        with Peer.connect(there) as client:
            client.round_trip()


def total(server, metric):
    """The sum over all proxies."""
    lines = server.get("/metrics").body.decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{metric}{{"))


@pytest.mark.serial  # counts descriptors and processor time
@pytest.mark.slow
def test_dial_when_no_descriptor_is_left_then_that_client_is_closed_and_no_other(echo):
    with servers.ours(files=64) as running:
        listen = running.api.create("a", echo.address)["listen"]
        process, idle = running.api.process(), []
        with running.api.connect("a") as lives:
            lives.round_trip()
            # Idle callers of the API take all descriptors but one, which is for the accept.
            while running.open_files() < 63:
                before = running.open_files()
                idle.append(Peer.connect(f"{running.api.host}:{running.api.port}"))
                until_sync(
                    lambda before=before: running.open_files() > before,
                    within=Duration.of_s(5),
                    what="the caller is accepted",
                )
            with Peer.connect(listen) as third:
                assert third.ending() == "eof"
            spent = sum(process.cpu_times()[:2])
            lives.round_trip()
            assert lives.silent(Duration.of_s(1))
            assert sum(process.cpu_times()[:2]) - spent < 0.5, "it does not spin"
            for peer in idle:
                peer.close()
            until_sync(
                lambda: running.open_files() < 60, within=Duration.of_s(30), what="there is room"
            )
            with running.api.connect("a") as client:
                client.round_trip()
            lives.round_trip()
