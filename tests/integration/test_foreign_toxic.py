"""A toxic of somebody else's package, found by its entry point; its code is the page's own."""

import json
import os
import subprocess
import sys

import pytest

from harness.model.units import Duration
from tests.support.markdown import ROOT, blocks
from tests.support.proxy_api import Api
from tests.support.sockets import Upstream

PAGE = ROOT / "docs" / "own-toxic.md"


@pytest.fixture
def site(tmp_path):
    """A folder of installed packages with one toxic in it."""
    code = next(block.text for block in blocks(PAGE) if block.info == ("python",))
    (tmp_path / "my_toxics.py").write_text(code)
    info = tmp_path / "my_toxics-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-toxics\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[harness.toxics]\nhush = my_toxics:Hush\n")
    return tmp_path


@pytest.fixture
def daemon(site):
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.proxy", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(site)},
    )
    host, port = json.loads(process.stdout.readline())["api"].removeprefix("http://").split(":")
    yield Api(host, int(port), real=False)
    process.terminate()
    assert process.wait(timeout=10) == 0
    process.stdout.close()


def test_toxic_when_of_an_installed_package_then_acts_like_our_own(daemon):
    echo = Upstream()
    try:
        daemon.create("a", echo.address)
        made = daemon.post("/proxies/a/toxics", {"type": "hush", "attributes": {"bytes": 3}})
        assert made.json()["attributes"] == {"bytes": 3}
        refused = daemon.post(
            "/proxies/a/toxics", {"name": "b", "type": "hush", "attributes": {"bytes": -1}}
        )
        assert refused.says(400, "bytes: -1 is out of range, use 0 to 9223372036854775807")
        with daemon.connect("a") as client:
            client.send(b"abcd")
            assert client.receive(3) == b"abc"
            client.send(b"efg")
            assert daemon.delete("/proxies/a/toxics/hush_downstream").status == 204
            assert client.ending() == "eof"
    finally:
        echo.close()


@pytest.mark.parametrize("change", [False, True], ids=["next-message", "larger-limit"])
def test_toxic_when_it_dropped_bytes_of_one_request_then_nothing_passes_behind_the_hole(
    daemon, change
):
    echo = Upstream()
    try:
        daemon.create("a", echo.address)
        body = {"type": "hush", "name": "t", "per": "request", "first": 1}
        made = daemon.post("/proxies/a/toxics", {**body, "attributes": {"bytes": 3}})
        assert made.status == 200
        with daemon.connect("a") as client:
            client.send(b"abcd")
            assert client.receive(3) == b"abc"
            if change:
                raised = daemon.patch("/proxies/a/toxics/t", {"attributes": {"bytes": 1000}})
                assert raised.status == 200
            client.send(b"efg")
            assert client.silent(Duration.of_ms(200))
            assert daemon.delete("/proxies/a/toxics/t").status == 204
            assert client.ending() == "eof"
        with daemon.connect("a") as client:
            client.round_trip()
    finally:
        echo.close()
