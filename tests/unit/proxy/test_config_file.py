"""The file with proxies: each mistake has its line and column, and a good file makes proxies."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.errors import UserError
from harness.proxy.config_file import read
from harness.proxy.states import ProxySpec, Refused

GOOD = """[
  {"name": "db", "upstream": "127.0.0.1:5432",
   "toxics": [{"type": "latency", "attributes": {"latency": 40}}]},
  {"Name": "cache", "upstream": "127.0.0.1:6379", "enabled": false}
]
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "proxies.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_file_when_good_then_asks_for_its_proxies(written):
    found = read(written(GOOD))
    assert [spec.name for spec in found.specs] == ["db", "cache"]
    assert found.specs[0].toxics[0].attributes == {"latency": 40}
    assert [GOOD[offset] for offset in found.offsets] == ["{", "{"]


@pytest.mark.parametrize("text", ["[]", " [ ]\n", "null", "\tnull "])
def test_file_when_it_lists_none_then_asks_for_none(written, text):
    assert read(written(text)).specs == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "1:1 the file ends. Expected a JSON list of proxies"),
        ("{}", "1:1 found '{}'. Expected a JSON list of proxies"),
        ('[\n  {},\n  {"name": }\n]', "3:12 no JSON: expecting value."),
        ("[\n {}\n {}\n]", "3:2 found '{}'. Expected a comma or the end of the list."),
        ("[{}", "1:4 the file ends. Expected a comma or the end of the list."),
        ("[{},]", "1:5 no JSON: expecting value."),
        ("[{}]\n[]", "2:1 found '[]' behind the list. Expected the end of the file."),
        ("[{},\n 7]", "2:2 cannot unmarshal number into an object."),
        ('[{},\n\n  {"name": 7}]', "3:3 cannot unmarshal number into name, a text."),
        ('[{"name": "\\ud800"}]', "1:2 a text holds half a surrogate pair."),
        ('[{"x": NaN}]', "1:2 no JSON: NaN is no JSON value."),
        (b'[{},\n {"name": "\xff"}]', "2:12 no UTF-8: invalid start byte."),
        ("[" * 100_000, "1:2 no JSON: "),
    ],
)  # fmt: skip
def test_file_when_broken_then_says_where_and_what_was_expected(written, text, says):
    path = written(text)
    with pytest.raises(UserError) as refused:
        read(path)
    assert str(refused.value).startswith(f"{path}:{says}")


def test_file_when_it_is_not_there_then_says_so(tmp_path):
    with pytest.raises(UserError, match=r"none\.json: cannot be read: No such file") as refused:
        read(tmp_path / "none.json")
    assert "a JSON list of proxies" in str(refused.value)


@pytest.mark.parametrize(("place", "where"), [(None, "1:1"), (1, "2:3"), (2, "4:3")])
def test_proxies_when_they_cannot_be_had_then_says_which(written, place, where):
    async def populate(specs):
        assert [spec.name for spec in specs] == ["db", "cache"]
        refused = Refused(500, "listen tcp: in use")
        refused.place = place
        raise refused

    path = written(GOOD)
    with pytest.raises(UserError) as refused:
        asyncio.run(read(path).enter(populate))
    assert str(refused.value) == f"{path}:{where} listen tcp: in use."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "upstream", "toxics", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON, st.sampled_from([None, 0, 3]), st.integers(0, 60), st.booleans())
def test_file_when_arbitrary_then_is_read_as_the_decoder_reads_it_or_refused(
    tmp_path_factory, value, indent, cut, whole
):
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    text = text if whole else text[:cut]
    path = tmp_path_factory.mktemp("file") / "x.json"
    path.write_text(text)
    try:
        found = read(path)
    except UserError:
        return
    parsed = json.loads(text) or []
    assert len(found.specs) == len(parsed)
    assert all(isinstance(spec, ProxySpec) for spec in found.specs)
