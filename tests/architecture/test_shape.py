"""Names that say something, signs on every room, and sizes that a reader can hold."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "harness"
MODULES = sorted(PACKAGE.rglob("*.py"))

# If it has no better name it has no home yet.
BANNED_MODULES = {
    "utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "service", "core"
}  # fmt: skip
BANNED_PREFIX = re.compile(r"_*(handle|process|do)_(?!not_)")

LOOK_AGAIN = 300
LINES = 400
FUNCTION_LINES = 40


def name(path):
    return str(path.relative_to(ROOT))


def tree(path):
    return ast.parse(path.read_text())


def functions(path):
    return [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def code_lines(function):
    """Lines of the body without its docstring, which may be as long as it needs."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def is_table(function):
    """One ``match`` over a union, short cases: as long as the union, and read line by line."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return len(body) == 1 and isinstance(body[0], ast.Match)


def test_module_when_named_then_says_what_it_is_for():
    assert [name(path) for path in MODULES if path.stem in BANNED_MODULES] == []


def test_function_when_named_then_says_what_it_does():
    found = [
        f"{name(path)}:{function.lineno} {function.name}"
        for path in MODULES
        for function in functions(path)
        if BANNED_PREFIX.match(function.name)
    ]
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_module_when_read_then_its_first_line_is_its_sign(path):
    docstring = ast.get_docstring(tree(path))
    assert docstring, f"{name(path)} says nowhere what it is for"
    first = docstring.splitlines()[0]
    assert len(first) > 15, f"{name(path)}: {first!r} does not say what it is for"


def test_module_when_long_then_is_reported_and_beyond_400_lines_refused(record_property):
    sizes = {name(path): len(path.read_text().splitlines()) for path in MODULES}
    record_property("modules to look at again", {n: s for n, s in sizes.items() if s > LOOK_AGAIN})
    too_long = {n: s for n, s in sizes.items() if s > LINES}
    assert too_long == {}


def test_function_when_long_then_is_refused():
    found = [
        f"{name(path)}:{function.lineno} {function.name} has {code_lines(function)} lines"
        for path in MODULES
        for function in functions(path)
        if code_lines(function) > FUNCTION_LINES and not is_table(function)
    ]
    assert found == []


def test_rule_when_ignored_on_a_line_then_the_line_says_why():
    """``# type: ignore[code]`` and ``# noqa: CODE`` say why they stand there."""
    found = [
        f"{name(path)}:{number} {line.strip()}"
        for path in [*MODULES, *sorted((ROOT / "tests/support").glob("*.py"))]
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if any(word in line for word in ("# type: ignore", "# noqa")) and not reasoned(line)
    ]
    assert found == []


def reasoned(line):
    """Something stands behind the codes: ``# type: ignore[code]  # why`` or ``# noqa: CODE - why``."""
    _, _, rest = line.partition("# type: ignore")
    if rest:
        return "#" in rest or " - " in rest
    _, _, rest = line.partition("# noqa")
    return " - " in rest or "#" in rest
