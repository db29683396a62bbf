"""One broken and one sound variant of each target that we ship, from file to verdict."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import ROOT, harness, left_behind

BROKEN_AND_SOUND = [
    ("bank-tempting.yaml", "read-committed", "violated"),
    ("bank-tempting.yaml", "for-update", "held"),
    ("stats-points.yaml", "naive", "violated"),
    ("stats-points.yaml", "relative", "held"),
    ("reports-night.yaml", "bare", "violated"),
    ("reports-night.yaml", "own-descriptor", "held"),
    ("throttle-thousand.yaml", "unlimited", "violated"),
    ("throttle-thousand.yaml", "semaphore", "held"),
    ("transfer-sent-twice.yaml", "check-then-insert", "violated"),
    ("transfer-sent-twice.yaml", "one-transaction", "held"),
    ("signup-names.yaml", "get-or-create", "violated"),
    ("signup-names.yaml", "unique-name", "held"),
]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy: a run locks its target, and a checkout may be somebody else's."""
    folder = tmp_path_factory.mktemp("ours")
    for name in ("targets", "experiments"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__")
        )
    return folder / "experiments"


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize(("file", "variant", "verdict"), BROKEN_AND_SOUND)
def test_variant_when_run_then_its_verdict_is_as_expected(
    ours: Path, tmp_path: Path, file: str, variant: str, verdict: str
):
    ran = harness("run", ours / file, "--variant", variant, "--json", cwd=tmp_path, within=150)
    assert ran.code == 0, ran
    (run,) = ran.json["runs"]
    assert (run["verdict"], run["as_expected"]) == (verdict, True), run["reason"]
    assert left_behind(ran.folders) == []
