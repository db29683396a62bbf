"""The cases against a proxy that forwards everything and ignores its toxics: those with an effect fail.

A case that passes there would hold nothing of what a toxic does to bytes or time.
"""

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.conformance.proxy.test_coverage import TESTS
from tests.support import servers
from tests.support.leftovers import SESSION_MARK
from tests.support.sockets import Upstream

HERE = Path(__file__).parent
NUMBER = re.compile(r"((?:TX|E)-\d+)\]$")
WORKERS = 4  # they wait nearly all the time
ENVIRONMENT = {
    "HARNESS_IGNORING_PROXY": "1",
    "HARNESS_PEER_PATIENCE": "2",  # what is waited for does not come
}


def environment():
    """A session of its own: what this one has running is not for that one to end."""
    own = {name: value for name, value in os.environ.items() if name != SESSION_MARK}
    return own | ENVIRONMENT


def outcomes(report):
    """The tests by name, each with what the report has of it: failure, error, skipped, or nothing."""
    found = defaultdict(set)
    for case in ET.parse(report).iter("testcase"):
        found[case.get("name")] |= {child.tag for child in case}
    return found


@pytest.mark.slow
@pytest.mark.serial  # many waits at once
@pytest.mark.timeout(300)
def test_cases_with_an_effect_when_toxics_are_ignored_then_all_fail(tmp_path):
    report = tmp_path / "report.xml"
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(HERE), "-m", "effect"),
            *("-p", "no:cacheprovider", "-q", "--no-header", "--tb=line", "--timeout=30"),
            *("-n", str(WORKERS), "--dist=worksteal", f"--junitxml={report}"),
        ],
        cwd=servers.ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout[-3000:] + run.stderr[-3000:]
    found = outcomes(report)
    spared = {name: ends for name, ends in found.items() if "failure" not in ends}
    assert spared == {}, "these hold nothing, or could not be run"
    assert {NUMBER.search(name)[1] for name in found} == {t.number for t in TESTS if t.effect}
    assert len(found) >= 80


def test_proxy_when_it_ignores_toxics_then_shows_them_all_the_same(monkeypatch):
    monkeypatch.setattr(servers, "MODULE", "tests.support.ignoring_proxy")
    echo = Upstream()
    with servers.ours() as daemon:
        api = daemon.api
        api.create("a", echo.address)
        toxic = api.toxic("a", "limit_data", name="t", attributes={"bytes": 1})
        with api.connect("a") as client:
            client.round_trip(b"12345")
            assert api.patch("/proxies/a/toxics/t", {"attributes": {"bytes": 0}}).status == 200
            client.round_trip(b"12345")
            assert api.get("/proxies/a").json()["toxics"] == [{**toxic, "attributes": {"bytes": 0}}]
            assert api.delete("/proxies/a/toxics/t").status == 204
            client.round_trip(b"12345")
    echo.close()
