"""The lock names versions and hashes, no place to download from, and covers what pyproject.toml asks."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
LOCKED = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", LOCK, re.MULTILINE)
}


def asked():
    project = PYPROJECT["project"]
    yield from project["dependencies"]
    for extra in project["optional-dependencies"].values():
        yield from extra
    for group in PYPROJECT["dependency-groups"].values():
        yield from group
    yield from PYPROJECT["build-system"]["requires"]


def test_lock_when_read_then_names_no_place_to_download_from():
    assert (
        re.findall(r"(?i)https?:|://|--index|--find-links|--extra|file:|^#.*", LOCK, re.MULTILINE)
        == []
    )


def test_lock_when_read_then_has_hashes_for_every_version():
    entries = [entry for entry in re.split(r"\n(?=\S)", LOCK.strip()) if entry]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert len(entries) == len(LOCKED)


def test_requirement_when_asked_for_then_is_locked_within_its_bounds():
    """If this fails: make lock"""
    for text in asked():
        requirement = Requirement(text)
        version = LOCKED.get(canonicalize_name(requirement.name))
        assert version is not None, f"{text} is not in requirements.lock"
        assert requirement.specifier.contains(version), f"{text} is locked at {version}"


def test_dependency_when_listed_then_has_its_reason_beside_it():
    section = (ROOT / "pyproject.toml").read_text().partition("\ndependencies = [\n")[2]
    lines = section.partition("\n]")[0].splitlines()
    assert [line for line in lines if "#" not in line] == []
