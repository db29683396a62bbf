"""The files of a run that is over, beside its journal: the result, and of a breaker its picture and calls."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from harness.model.verdicts import Result
from harness.outputs.breaker_svg import breaker_svg
from harness.outputs.result_json import result_bytes

PICTURE = "breaker.svg"
_FIELDS = (
    "rid",
    "key",
    "phase",
    "due",
    "sent",
    "answered",
    "end",
    "status",
    "class",
    "flags",
    "arrivals",
    "arrived",
    "ended",
    "arrival_end",
    "arrival_status",
    "injected",
)


def run_files(result: Result, cases: Iterable[Mapping[str, Any]]) -> dict[str, bytes]:
    """By name. ``cases`` are the joined calls of a breaker's run, none of any other."""
    files = {"result.json": result_bytes(result)}
    breaker = result.breaker
    if breaker is not None:
        if picture := breaker_svg(breaker.life, title=_title(result), caption=_caption(result)):
            files[PICTURE] = picture.encode()
        if breaker.cases is not None:
            files[breaker.cases] = _table(cases)
    return files


def _title(result: Result) -> str:
    named = filter(None, [result.experiment, result.variant])
    return " · ".join(named)


def _caption(result: Result) -> str:
    if result.reason.startswith(result.verdict):
        return result.reason
    return f"{result.verdict}: {result.reason}" if result.reason else result.verdict


def _table(cases: Iterable[Mapping[str, Any]]) -> bytes:
    """One line a call; of several arrivals the last one's columns, and how many there were."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_FIELDS)
    for case in cases:
        arrivals = case["arrivals"]
        last = arrivals[-1] if arrivals else {}
        writer.writerow(
            [
                *(case[field] for field in _FIELDS[:9]),
                " ".join(case["flags"]),
                len(arrivals),
                *(last.get(field) for field in ("arrived", "ended", "end", "status")),
                " ".join(last.get("injected", ())),
            ]
        )
    return text.getvalue().encode()
