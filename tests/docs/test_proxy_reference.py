"""The page about the proxy names each toxic, attribute, key, flag, call and metric, and none that is not there."""

import argparse
import json
import re
from typing import get_args, get_type_hints

import pytest

from harness.model.breaker import IdCarrier
from harness.proxy.api.routes import _ROUTES
from harness.proxy.extensions import TOXIC_KEYS, observe, observe_shown
from harness.proxy.flags import add_flags
from harness.proxy.metrics import Metrics
from harness.proxy.request_log import Request, RequestPage
from harness.proxy.states import ToxicSpec
from harness.proxy.toxics import TOXICS
from tests.support.markdown import ROOT, headings
from tests.support.virtual_server import virtual_server

PAGE = ROOT / "docs/reference/proxy.md"
KEYS = "Keys of every toxic"


def section(heading):
    """The text below a heading, up to the next one."""
    found = PAGE.read_text().partition(f"# {heading}\n")[2]
    assert found, heading
    return re.split(r"^#+ ", found, flags=re.MULTILINE)[0]


def words(heading, column=0):
    """What stands in backticks in one column of the tables of a section."""
    rows = [line.split(" | ") for line in section(heading).splitlines() if line.startswith("| `")]
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row[column])]


def test_toxic_when_registered_then_has_its_heading():
    assert sorted(headings(PAGE)["Toxics"]) == sorted([*TOXICS, KEYS])


@pytest.mark.parametrize("kind", TOXICS)
def test_toxic_when_it_has_attributes_then_its_section_has_their_rows(kind):
    named = words(kind) if TOXICS[kind].wire else []
    assert sorted(named) == sorted(attribute.name for attribute in TOXICS[kind].wire)
    for attribute in TOXICS[kind].wire:
        for choice in getattr(attribute, "choices", ()):
            assert f"`{choice}`" in section(kind)
    assert ("Downstream only" in section(kind)) is (TOXICS[kind].streams == ("downstream",))


def test_key_when_every_toxic_has_it_then_has_its_row_in_order():
    assert words(KEYS) == [*TOXIC_KEYS, "hit", "expires_in"]


def test_flag_when_there_is_one_then_has_its_row():
    parser = argparse.ArgumentParser(add_help=False)
    add_flags(parser, port=8474)
    taken = {option for action in parser._actions for option in action.option_strings}
    documented = {word.split()[0] for word in words("Flags")}
    assert documented == {option for option in taken if option.startswith("--")}


def test_call_when_there_is_one_then_has_its_row():
    documented = set()
    for line in section("Calls").splitlines():
        methods = []
        for code in re.findall(r"`([^`]+)`", line.split(" | ")[0]):
            methods += re.findall(r"\b[A-Z]{3,}\b", code)
            for path in re.findall(r"/[\w/{}]+", code):
                documented |= {(method, path) for method in methods}
                methods = []
    there = {
        (method, "/" + "/".join("{}" if part is None else part for part in pattern))
        for pattern, calls in _ROUTES
        for method in calls
    }
    assert {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in documented} == there


def test_metric_when_shown_then_has_its_row():
    with virtual_server() as server:
        server.make("/proxies", {"name": "a", "upstream": "x:1"})
        server.server.add_toxic("a", ToxicSpec(type="noop"))
        text = Metrics(server.server, proxy_bytes=True, runtime=False).text().decode()
    shown = set(re.findall(r"^(\w+)", text, re.MULTILINE))
    documented = {word for word in words("Metrics") if word.startswith("toxiproxy_")}
    assert documented == shown


def test_lease_when_the_page_shows_one_then_it_has_the_keys_in_order():
    with virtual_server() as server:
        made = server.make("/leases", {"ttl": 5000, "owner": "run 12"})
    (shown,) = re.findall(r"```json\n(.+)\n```", section("Leases"))
    assert re.findall(r'"(\w+)":', shown) == list(made)


def test_request_when_observed_then_each_key_and_carrier_has_its_row_in_order():
    told = words("Requests")
    carriers = [json.loads(word) for word in told if word.startswith("{")]
    assert [word for word in told if not word.startswith("{")] == list(Request.__struct_fields__)
    assert [observe_shown(observe({"observe": carrier})) for carrier in carriers] == carriers
    known = get_args(get_type_hints(IdCarrier)["where"])
    assert [where for carrier in carriers for where in carrier] == list(known)


def test_page_of_requests_when_read_then_each_of_its_counts_is_explained():
    text = section("Requests")
    assert [key for key in RequestPage.__struct_fields__[1:] if f"`{key}`" not in text] == []
