"""Every kind of fault by its word: toxics, and what is no toxic."""

import pytest

from harness.faults import FAULTS, known
from harness.faults.down import Down
from harness.faults.toxic import ToxicFault
from harness.model.errors import UserError
from harness.model.plan import FaultStep, HeaderMatch
from harness.model.units import Duration
from harness.proxy.toxics import TOXICS
from tests.unit.faults.test_toxic import HERE

DOWN = FaultStep(id="down@db", kind="down", on="db", params={}, stream=None)


def a_toxic(kind: str, **params: object) -> FaultStep:
    return FaultStep(id=f"{kind}@db", kind=kind, on="db", params=params)


LATENCY = a_toxic("latency", latency="40ms", jitter="10ms")


def test_kinds_when_listed_then_are_toxics_and_what_is_none():
    assert set(known.kinds()) == {*TOXICS, *FAULTS}
    assert "down" in FAULTS and "down" not in TOXICS


def test_kinds_when_a_toxic_has_the_name_of_a_fault_then_it_is_refused(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(known, "FAULTS", {"latency": Down})
    with pytest.raises(UserError, match="'latency' is the name of a fault"):
        known.kinds()


@pytest.mark.parametrize(("step", "kind"), [(LATENCY, ToxicFault), (DOWN, Down)])
def test_begin_when_a_step_asks_then_the_fault_is_of_its_kind(step: FaultStep, kind: type):
    fault = known.begin(step, HERE, round=3)
    assert isinstance(fault, kind)
    assert (fault.step, fault.round) == (step, 3)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (LATENCY, "40 ms ± 10 ms latency"),
        (a_toxic("bandwidth", rate="100KB/s"), "100KB/s bandwidth"),
        (DOWN, "down"),
        (a_toxic("http_status", status=503), "503 on requests"),
        (
            a_toxic("http_status", status=503, retry_after="1s", forward=True),
            "503 on requests (Retry-After 1 s, the server gets them all the same)",
        ),
        (a_toxic("blackhole_after", requests=1), "nothing answered after 1 request"),
        (
            a_toxic("blackhole_after", requests=0, forward=False, timeout="5s"),
            "nothing answered after 0 requests (the server gets none of it, closed after 5 s)",
        ),
    ],
)
def test_words_when_asked_then_are_the_kinds_own(step: FaultStep, words: str):
    assert known.words(step) == words


@pytest.mark.parametrize(
    ("step", "longest"),
    [
        (LATENCY, Duration.of_ms(50)),
        (a_toxic("bandwidth", rate="100KB/s"), None),
        (a_toxic("slow_close", delay="2s"), Duration.of_s(2)),
        (a_toxic("timeout", timeout="0s"), Duration.ZERO),
        (DOWN, Duration.ZERO),
    ],
    ids=lambda each: each.id if isinstance(each, FaultStep) else str(each),
)
def test_longest_hold_when_a_kind_keeps_back_what_was_sent_then_says_how_long(
    step: FaultStep, longest: Duration | None
):
    assert known.longest_hold(step) == longest


@pytest.mark.parametrize(
    ("step", "needs"),
    [
        pytest.param(LATENCY, (), id="toxiproxys-own"),
        pytest.param(a_toxic("slicer", average_size="64B"), (), id="slicer"),
        pytest.param(DOWN, (), id="no-toxic"),
        pytest.param(
            a_toxic("latency", latency="5ms", distribution="pareto"),
            ("latency's distribution",),
            id="attribute",
        ),
        pytest.param(
            a_toxic("bandwidth", rate="1KB/s", shared=True), ("bandwidth's shared",), id="shared"
        ),
        pytest.param(a_toxic("cut", messages=0), ("the toxic cut",), id="toxic"),
        pytest.param(
            FaultStep(
                id="latency@db",
                kind="latency",
                on="db",
                params={"latency": "5ms"},
                per="request",
                first=2,
                match=HeaderMatch(header="a", values=("b",)),
            ),
            ("first", "match"),
            id="keys",
        ),
        pytest.param(
            FaultStep(
                id="latency@db",
                kind="latency",
                on="db",
                params={"latency": "5ms"},
                per="request",
                codec="http",
                match=HeaderMatch(header="a", values=("b",)),
            ),
            ("match",),
            id="what-follows-from-match",
        ),
        pytest.param(
            FaultStep(
                id="latency@db",
                kind="latency",
                on="db",
                params={"latency": "5ms"},
                per="request",
                codec="http",
            ),
            ("per", "codec"),
            id="written",
        ),
        pytest.param(
            FaultStep(
                id="http_status@db",
                kind="http_status",
                on="db",
                params={"status": 503},
                per="request",
            ),
            ("the toxic http_status",),
            id="what-the-kind-does-anyway",
        ),
        pytest.param(
            FaultStep(
                id="http_status@db",
                kind="http_status",
                on="db",
                params={"status": 503},
                per="connection",
            ),
            ("the toxic http_status", "per"),
            id="against-the-kind",
        ),
    ],
)
def test_extensions_needed_when_a_toxiproxy_would_not_do_it_then_each_is_named(
    step: FaultStep, needs: tuple[str, ...]
):
    assert known.extensions_needed(step) == needs
