"""The model of a breaker is a second opinion: it knows nothing of the judge, not even through others."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "tests/support/breaker_model"
JUDGE = "harness.judge"


def imported(source):
    """Names of all modules that a module's text imports, with what is taken from each.

    Imports inside functions and under ``TYPE_CHECKING`` count; ours are never relative (ruff).
    """
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not followed here"
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def within(name, package):
    return name == package or name.startswith(package + ".")


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files_of(name):
    """Of a module, and of the packages around it: importing it runs theirs first."""
    parts = name.split(".")
    paths = [ROOT.joinpath(*parts[: end + 1]) for end in range(len(parts))]
    candidates = [path / "__init__.py" for path in paths] + [paths[-1].with_suffix(".py")]
    return [path for path in candidates if path.exists()]


def ways_to_the_judge(starts, read=lambda path: path.read_text()):
    """From each start on: the modules on the way to one of the judge's. Rooms of ours are walked through."""
    found, seen = [], set()
    left = [(path, (module_of(path),)) for path in starts]
    while left:
        path, way = left.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in sorted(imported(read(path))):
            if within(name, JUDGE):
                found.append(" > ".join((*way, name)))
            elif within(name, "harness") or within(name, "tests"):
                left += [(target, (*way, name)) for target in files_of(name)]
    return found


def test_model_when_walked_then_reaches_no_module_of_the_judge():
    modules = sorted(MODEL.rglob("*.py"))
    assert len(modules) > 10
    assert ways_to_the_judge(modules) == []


@pytest.mark.parametrize(
    "line",
    [
        "import harness.judge.breaker.replay",
        "from harness.judge.breaker import replay",
        "from harness import judge",
        "from tests.support.breaker_scenes import tripped",
        "def late():\n    from tests.support.breaker_histories import Story",
    ],
)
def test_walk_when_a_module_imports_the_judge_in_some_way_then_finds_it(line):
    module = MODEL / "window.py"

    def read(path):
        return line if path == module else path.read_text()

    assert ways_to_the_judge([module], read) != []
