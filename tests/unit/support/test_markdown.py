"""The documentation is read as it is shown."""

from tests.support.markdown import blocks, headings, links, pages, prose, rows

PAGE = """\
# Title

See [this](other.md#part) and [that](https://example.org).

## One

### first

Write `a/b.yaml`:

```yaml fragment
## no heading
a: 1
```

| a | b |
|---|---|
| `x` | y |
"""


def page(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return path


def test_block_when_read_then_has_its_info_line_and_text(tmp_path):
    (block,) = blocks(page(tmp_path))
    assert (block.info, block.line) == (("yaml", "fragment"), 11)
    assert block.text == "## no heading\na: 1\n"
    assert block.named == "a/b.yaml"


def test_prose_when_read_then_has_no_code(tmp_path):
    assert "a: 1" not in prose(page(tmp_path))


def test_headings_when_read_then_are_nested_and_none_is_from_code(tmp_path):
    assert headings(page(tmp_path)) == {"One": ["first"]}


def test_rows_when_read_then_have_no_rule_line(tmp_path):
    assert rows(page(tmp_path)) == [("a", "b"), ("`x`", "y")]


def test_links_when_read_then_are_those_within_the_checkout(tmp_path):
    assert links(page(tmp_path)) == ["other.md"]


def test_pages_when_listed_then_hold_the_readme_and_the_reference():
    names = {path.name for path in pages()}
    assert {"README.md", "journal.md", "CONTRIBUTING.md"} <= names
