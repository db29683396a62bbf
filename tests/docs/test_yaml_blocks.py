"""Every YAML block in the documentation is a right file, or says that it is a fragment of one.

The paragraph before a block may name its file in backticks, ``shop/target.yaml``; the blocks of one
page lie beside each other then, so that an experiment finds its target and a target its reset.
"""

import shutil

import pytest

from harness.assembly import vocabulary
from harness.experiment.load import validate
from tests.support.markdown import ROOT, blocks, pages

WHOLE = [
    block
    for page in pages()
    for block in blocks(page)
    if block.info[:1] == ("yaml",) and "fragment" not in block.info
]
FRAGMENTS = [block for page in pages() for block in blocks(page) if "fragment" in block.info]


def write_all(page, folder):
    """Puts the named blocks of a page where they say, and gives the paths of its YAML files."""
    shutil.copytree(ROOT / "targets", folder / "targets")
    files = []
    for number, block in enumerate(blocks(page)):
        whole_yaml = block in WHOLE
        name = block.named or (f"experiments/block{number}.yaml" if whole_yaml else None)
        if name is None or "fragment" in block.info or name.startswith(("/", "..")):
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
        if whole_yaml:
            files.append(path)
    return files


@pytest.mark.parametrize(
    "page", sorted({block.file for block in WHOLE}), ids=lambda page: page.name
)
def test_yaml_when_not_marked_as_fragment_then_is_a_right_file(page, tmp_path):
    files = write_all(page, tmp_path)
    for file in files:
        if not (reset := file.parent / "reset.sql").exists():
            reset.write_text("SELECT 1;")  # the reader's own, told but not shown
    checked = validate(files, kinds=vocabulary())
    assert [str(problem) for each in checked for problem in each.problems] == []
    assert {each.what for each in checked} <= {"experiment", "target"}


@pytest.mark.parametrize("block", FRAGMENTS, ids=lambda block: block.id)
def test_yaml_when_a_fragment_then_is_at_least_yaml(block):
    from ruamel.yaml import YAML

    assert YAML(typ="safe").load(block.text)


@pytest.mark.parametrize("which", ["experiment", "target"])
def test_schema_in_the_reference_when_compared_then_is_the_one_the_command_prints(which):
    """If this fails: make schemas"""
    import json

    from harness.experiment.schema import json_schema

    written = json.loads((ROOT / f"docs/reference/{which}.schema.json").read_text())
    assert written == json.loads(json.dumps(json_schema(which, vocabulary())))


def test_shipped_files_when_validated_then_are_right_and_begin_with_the_editor_hint():
    files = [*(ROOT / "experiments").glob("*.yaml"), *(ROOT / "targets").glob("*/target.yaml")]
    assert files
    checked = validate(files, kinds=vocabulary())
    assert [str(problem) for each in checked for problem in each.problems] == []
    for file in files:
        first = file.read_text().partition("\n")[0]
        hint, _, schema = first.partition("$schema=")
        assert hint == "# yaml-language-server: ", file
        assert (file.parent / schema).exists(), file
