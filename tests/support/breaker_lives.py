"""Lives of breakers, as ``result.json`` has them: one by hand, and any at all for properties."""

from typing import Any

from hypothesis import strategies as st

CLASSES = (
    "forwarded-ok",
    "forwarded-slow",
    "forwarded-ignored",
    "forwarded-failed",
    "timed-out-forwarded",
    "left-forwarded",
    "short-circuited",
    "unknown",
)
STATES = ("closed", "open", "half-open", "unknown")
MIB = 1 << 20


def a_life(**changes: Any) -> dict[str, Any]:
    """Ten seconds from the run's second second on: good, an outage with its open state, good again."""
    life: dict[str, Any] = {
        "start": 2.0,
        "width": 1.0,
        "buckets": 10,
        "front": {
            "forwarded-failed": [0, 0, 2, 1, 0, 0, 0, 0, 0, 0],
            "forwarded-ok": [4, 4, 2, 0, 0, 0, 0, 4, 4, 4],
            "short-circuited": [0, 0, 0, 3, 4, 4, 4, 0, 0, 0],
        },
        "arrivals": [4, 4, 4, 1, 0, 0, 0, 4, 4, 4],
        "in_flight": {
            "front": [1, 1, 2, 3, 1, 1, 1, 1, 1, 1],
            "behind": [1, 1, 2, 3, 0, 0, 0, 1, 1, 1],
        },
        "rss": [None, 30 * MIB, 30 * MIB, 31 * MIB, None, 32 * MIB, 32 * MIB, 32 * MIB, None, None],
        "states": [
            a_state("closed", 2, 5.5),
            a_state("open", 5.5, 8.5),
            a_state("half-open", 8.5, 9),
            a_state("closed", 9, 12),
        ],
        "phases": [
            a_phase("baseline", 1, 2, 4),
            a_phase("outage-status", 5, 4, 9, faults=[("status", 4.0, 8.0)]),
            a_phase("before-heal", 0, 9, 9.1),
            a_phase("heal", 6, 9.1, None),
        ],
    }
    return {**life, **changes}


def a_state(
    state: str, begins: float | None, ends: float | None, *, key: str = "", instance: str = ""
) -> dict[str, Any]:
    """One state of one circuit, its edges known to the moment."""
    circuit = {"key": key, **({"instance": instance} if instance else {})}
    return {**circuit, "state": state, "from": [begins, begins], "to": [ends, ends]}


def a_phase(
    name: str,
    number: int,
    begins: float,
    ends: float | None,
    *,
    faults: list[tuple[str, float, float | None]] | None = None,
) -> dict[str, Any]:
    """One phase, with its faults as ``(kind, from, to)``."""
    listed = [{"kind": kind, "from": since, "to": until} for kind, since, until in faults or []]
    return {
        "id": name,
        "number": number,
        "name": name.partition("-")[0],
        "from": begins,
        "to": ends,
        "faults": listed,
    }


# Names, keys and kinds come from outside: controls, markup and half surrogates among them.
foreign = st.text(max_size=30)
_seconds = st.floats(0, 1e5, allow_nan=False)
_until = st.none() | _seconds


@st.composite
def lives(draw: st.DrawFn) -> dict[str, Any]:
    """Any life that has calls in it."""
    buckets = draw(st.integers(1, 12))
    counts = st.lists(st.integers(0, 5000), min_size=buckets, max_size=buckets)
    memory = st.lists(st.none() | st.integers(0, 1 << 40), min_size=buckets, max_size=buckets)
    edge = st.tuples(_seconds, _until).map(list)
    state = st.fixed_dictionaries(
        {"key": foreign, "state": st.sampled_from(STATES), "from": edge, "to": edge},
        optional={"instance": foreign},
    )
    fault = st.fixed_dictionaries({"kind": foreign, "from": _seconds, "to": _until})
    phase = st.fixed_dictionaries(
        {
            "id": foreign,
            "number": st.integers(0, 19),
            "name": foreign,
            "from": _seconds,
            "to": _until,
            "faults": st.lists(fault, max_size=2),
        }
    )
    return {
        "start": draw(_seconds),
        "width": draw(st.floats(0.001, 5000)),
        "buckets": buckets,
        "front": draw(st.dictionaries(st.sampled_from(CLASSES), counts, max_size=4)),
        "arrivals": draw(counts),
        "in_flight": {"front": draw(counts), "behind": draw(counts)},
        "rss": draw(memory),
        "states": draw(st.lists(state, max_size=12)),
        "phases": draw(st.lists(phase, max_size=4)),
    }
