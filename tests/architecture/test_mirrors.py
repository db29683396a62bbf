"""Every module has a test of its name, and every unit test a module: where to look is never a question."""

from pathlib import Path

ROOT = Path(__file__).parents[2]

# Modules without a unit test of their own name, each with the tests that hold it.
WITHOUT = {
    "assembly.py": "wiring alone: tests/integration runs it whole",
    "runner/course.py": "order alone: tests/integration/test_run.py and test_interruption.py",
    "runner/round.py": "order alone: tests/integration/test_run.py and test_interruption.py",
}
COVERED_FOLDERS = {
    "cli": "parse, call, exit: tests/integration/test_commands.py runs each, and holds that it does",
}


def modules():
    for path in sorted((ROOT / "harness").rglob("*.py")):
        relative = path.relative_to(ROOT / "harness")
        if path.name not in ("__init__.py", "__main__.py"):
            yield relative


def test_path_of(module):
    return Path("tests/unit") / module.parent / f"test_{module.name.lstrip('_')}"


test_path_of.__test__ = False


def test_module_when_in_a_room_then_has_a_test_of_its_name():
    missing = [
        f"harness/{module} MUST have {test_path_of(module)}"
        for module in modules()
        if str(module) not in WITHOUT
        and module.parts[0] not in COVERED_FOLDERS
        and not (ROOT / test_path_of(module)).exists()
    ]
    assert not missing, "\n".join(missing)


def test_test_when_in_unit_then_has_a_module_of_its_name():
    expected = {str(test_path_of(module)) for module in modules()}
    support = {
        f"tests/unit/support/test_{path.name}"
        for path in (ROOT / "tests/support").glob("*.py")
        if path.name != "__init__.py"
    }
    orphans = [
        relative
        for path in sorted((ROOT / "tests/unit").rglob("test_*.py"))
        if (relative := str(path.relative_to(ROOT))) not in expected | support
    ]
    assert not orphans, f"no module of that name: {orphans}"


def test_exception_when_listed_then_is_needed():
    assert [name for name in WITHOUT if not (ROOT / "harness" / name).exists()] == []
    needless = [name for name in WITHOUT if (ROOT / test_path_of(Path(name))).exists()]
    assert needless == []


def test_command_when_excused_from_a_unit_test_then_is_run_as_a_command():
    tests = "".join(path.read_text() for path in (ROOT / "tests/integration").glob("test_*.py"))
    commands = [p.stem for p in (ROOT / "harness/cli").glob("[a-z]*.py")]
    assert commands
    assert [name for name in commands if f'harness("{name}"' not in tests] == []
