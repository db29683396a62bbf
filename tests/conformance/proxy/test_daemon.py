"""TX-076 to TX-080: the server as a process: its flags, its file, its end."""

import json
import re
import subprocess

import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import BOTH, case
from tests.support import servers
from tests.support.engines import toxiproxy_server
from tests.support.sockets import refused
from tests.support.timing import SLACK, clock
from tests.support.waiting import until_sync

SOON = Duration.of_s(10)


@pytest.fixture(params=BOTH)
def program(request):
    """The command line of a server, whether it is the original, and a run to its end."""

    class Program:
        real = request.param == "original"
        command = [str(toxiproxy_server())] if real else servers.command()

        def run(self, *flags):
            return subprocess.run(
                [*self.command, *flags],
                cwd=servers.ROOT,
                capture_output=True,
                text=True,
                timeout=20,
            )

    return Program()


@case("TX-076")
def test_daemon_when_its_port_is_taken_then(program, embedded):
    flags = ("-host", "127.0.0.1", "-port", str(embedded.port))
    if program.real:
        with servers.unready([*program.command, *flags]) as (process, log):
            until_sync(
                lambda: "address already in use" in log(), within=SOON, what="it says why", log=log
            )
            assert process.poll() is None, "the original stays alive and does nothing"
        return
    ended = program.run(*flags)
    assert ended.returncode != 0
    assert "address already in use" in ended.stderr
    assert "Traceback" not in ended.stderr


@case("TX-077")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, r"No such file"),
        ('[{"name": "a",\n  "upstream"}]', r"(:2:|line 2)"),
        ('{"name": "a"}', r"list"),
        ('[{"name": "a", "upstream": "x:1"},\n {"name": "b"}]', r"upstream.*proxy 2"),
        ('[{"name": "a", "upstream": "x:1", "listen": "garbage"}]', r"listen"),
    ],
    ids=["missing", "cut", "no list", "second lacks upstream", "no address"],
)
def test_config_when_it_cannot_be_used_then(request, program, tmp_path, text, reason):
    config = tmp_path / "proxies.json"
    if text is not None:
        config.write_text(text)
    if program.real:
        start = request.getfixturevalue("start_original")
        assert start("-config", str(config)).api.get("/proxies").json() == {}
        return
    ended = program.run("-port", "0", "-config", str(config))
    assert ended.returncode != 0
    assert str(config) in ended.stderr
    assert re.search(reason, ended.stderr, re.IGNORECASE), ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.fixture
def start_original():
    with servers.started(servers.original) as start:
        yield start


@case("TX-078")
def test_config_when_good_then_proxies_are_there_before_the_api_answers(daemon, echo, tmp_path):
    config = tmp_path / "proxies.json"
    entry = {"listen": "127.0.0.1:0", "upstream": echo.address}
    config.write_text(
        json.dumps([{"name": "a", **entry}, {"name": "b", "enabled": False, **entry}])
    )
    api = daemon("-config", str(config)).api
    proxies = api.get("/proxies").json()
    assert [(name, proxy["enabled"]) for name, proxy in proxies.items()] == [
        ("a", True),
        ("b", False),
    ]
    with api.connect("a") as client:
        client.round_trip()


@case("TX-079")
@pytest.mark.serial  # bounds real time from above
def test_daemon_when_told_to_end_with_a_connection_open_then(daemon, echo):
    server = daemon()
    listen = server.api.create("a", echo.address)["listen"]
    with server.api.connect("a") as client:
        client.round_trip()
        began = clock()
        server.process.terminate()
        if not server.api.real:
            until_sync(lambda: refused(listen), within=SOON, what="nobody listens any more")
            client.round_trip()  # within its grace of a second
        assert client.ending() == "eof"
        grace = 0 if server.api.real else 1000
        assert grace <= clock() - began <= grace + 2 * SLACK
    assert server.exit_code(SOON) == 0


@case("TX-080")
def test_version_when_asked_for_then_is_printed(program):
    for flag in ("-version", "--version"):
        ended = program.run(flag)
        assert (ended.returncode, ended.stderr) == (0, "")
        words = r"toxiproxy-server version " + (r"\S+" if program.real else r"\d+\.\d+\.\d+\b.*")
        assert re.fullmatch(words + r"\n", ended.stdout), ended.stdout


@case("TX-080")
def test_flag_when_unknown_then_is_refused(program):
    ended = program.run("-nope")
    assert ended.returncode == 2
    assert "nope" in ended.stderr


@case("TX-080")
def test_flags_when_written_with_two_dashes_then_are_the_same(daemon):
    api = daemon("--seed", "3", "--host", "127.0.0.1", "--proxy-metrics").api
    assert api.get("/metrics").status == 200
