"""The contracts in pyproject.toml hold, and name the rooms that there are."""

import tomllib
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "harness"
CONTRACTS = {
    contract["name"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}
LAYERS = next(contract for contract in CONTRACTS.values() if contract["type"] == "layers")["layers"]

PURE = ("model", "expressions", "protocols", "steering", "judge", "proxy.toxics", "proxy.chain")


def there_is(room):
    path = PACKAGE.joinpath(*room.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def placed():
    """Rooms of the layers; true for those in parentheses, which need not be there."""
    words = [word.strip() for layer in LAYERS for word in layer.split("|")]
    return {word.strip("()"): word.startswith("(") for word in words}


def test_imports_when_linted_then_every_contract_is_kept(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True, no_logo=True) == 0, capsys.readouterr().out


@pytest.mark.parametrize("room", sorted(placed()))
def test_room_when_placed_then_is_in_parentheses_exactly_while_it_is_missing(room):
    assert placed()[room] == (not there_is(room))


def test_pure_rooms_when_there_then_are_all_under_the_contract():
    contract = CONTRACTS["Pure rooms get time, bytes and randomness as arguments"]
    there = [f"harness.{room}" for room in PURE if there_is(room)]
    assert contract["source_modules"] == there


def test_pydantic_when_asked_for_by_any_room_but_experiment_then_a_contract_refuses():
    """The entry points may import it through experiment/; every other room is named."""
    named = {
        room
        for contract in CONTRACTS.values()
        if "pydantic" in contract.get("forbidden_modules", ())
        for room in contract["source_modules"]
    }
    free = {"experiment", "assembly", "cli", "pytest_plugin", "schedule"}
    rooms = {f"harness.{room}" for room in placed() if there_is(room) and room not in free}
    assert named == rooms


def test_folder_when_in_the_package_then_is_a_package():
    """Import-linter does not see a folder without ``__init__.py``."""
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []
