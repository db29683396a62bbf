"""Files in, plans out; or every problem of every file at once, each at its place."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.experiment.load import load, validate
from harness.model.errors import UserError
from harness.model.units import Duration
from tests.unit.experiment.tiny import HERE, KINDS, file_pair, plans, problems

BAD = sorted((HERE / "bad").glob("*.yaml"))
GOOD = (HERE / "good" / "experiment.yaml").read_text()
NOTHING_SAID = {"seed": None, "rounds": None, "time_limit": None}


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_problems_when_a_file_is_wrong_then_each_is_told_with_place_and_way_out(
    path, snapshot, monkeypatch
):
    monkeypatch.chdir(HERE)
    (checked,) = validate([path.relative_to(HERE)], kinds=KINDS)
    assert checked.problems
    for problem in checked.problems:
        lines = Path(problem.file).read_text().split("\n")
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
    assert "\n".join(map(str, checked.problems)) == snapshot


def test_problems_when_ten_mistakes_stand_in_one_file_then_all_are_told_at_once():
    (checked,) = validate([HERE / "bad" / "ten-mistakes.yaml"], kinds=KINDS)
    assert len(checked.problems) >= 10
    assert [p.line for p in checked.problems] == sorted(p.line for p in checked.problems)


def test_load_when_the_files_are_good_then_one_plan_for_each_variant(tmp_path):
    naive, atomic = plans(tmp_path)
    assert (naive.variant, naive.expected.verdict) == ("naive", "violated")
    assert naive.expected.invariants == ("conserved", "steady-state")
    assert (atomic.variant, atomic.expected.verdict) == ("atomic", "held")


def test_load_when_files_of_the_design_are_read_as_they_stand_then_they_load(tmp_path):
    """The unquoted commas of a title in braces are text."""
    naive, _ = plans(tmp_path)
    assert naive.target.name == "bank"
    (checked,) = validate([tmp_path / "target.yaml"], kinds=KINDS)
    assert checked.problems == ()


@pytest.mark.parametrize(
    ("argument", "in_file", "expected"),
    [(None, "", None), (None, "seed: 5\n", 5), (9, "seed: 5\n", 9), (0, "seed: 5\n", 0)],
    ids=["drawn", "from-the-file", "argument-wins", "argument-zero-wins"],
)
def test_seed_when_given_or_not_then_the_nearest_counts(tmp_path, argument, in_file, expected):
    changed = {"rounds: 3\n": f"rounds: 3\n{in_file}"}
    naive, atomic = plans(tmp_path, experiment=changed, seed=argument)
    assert naive.seed == atomic.seed
    if expected is None:
        assert 0 <= naive.seed < 100_000
    else:
        assert naive.seed == expected


def test_options_when_given_then_win_over_the_file(tmp_path):
    (only,) = plans(tmp_path, variants=["atomic"], rounds=2, time_limit=Duration.of_s(60))
    assert (only.variant, only.rounds, only.time_limit) == ("atomic", 2, Duration.of_s(60))


def test_variant_when_asked_for_and_unknown_then_the_nearest_is_named(tmp_path):
    with pytest.raises(UserError, match=r"unknown variant 'naiv'.*Did you mean naive\?"):
        plans(tmp_path, variants=["naiv"])


def test_target_when_it_has_no_variants_then_one_run_without_one(tmp_path):
    path = tmp_path / "e.yaml"
    path.write_text(
        "experiment: e\n"
        "target:\n"
        "  target: inline\n"
        '  services: {app: {run: "serve {port}"}}\n'
        "  operations: {buy: {http: POST /buy}}\n"
        "  probes: {left: {http: GET /left, value: json.left}}\n"
        "method:\n  - burst: {operation: buy, concurrency: 2}\n"
        "invariants:\n  fits: {at_end: left >= 0}\n"
    )
    (plan,) = load([path], kinds=KINDS, **NOTHING_SAID)
    assert (plan.variant, plan.target.name, plan.target.file) == (None, "inline", str(path))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"rounds": 0}, "--rounds 0"),
        ({"time_limit": Duration.ZERO}, "--time 0s"),
        ({"seed": -1}, "--seed -1"),
    ],
    ids=["rounds", "time", "seed"],
)
def test_option_when_out_of_range_then_is_refused(tmp_path, options, says):
    with pytest.raises(UserError, match=says):
        plans(tmp_path, **options)


def test_host_when_allowed_by_the_caller_then_is_no_problem(tmp_path):
    changed = {"{embedded: postgres}": '{url: "postgresql://db.example/app"}'}
    with pytest.raises(UserError, match=r"db\.example"):
        plans(tmp_path, target=changed)
    assert plans(tmp_path, target=changed, allow_hosts=["db.example"])


def test_load_when_a_target_file_is_given_then_says_so(tmp_path):
    file_pair(tmp_path)
    with pytest.raises(UserError, match="this is a target file"):
        load([tmp_path / "target.yaml"], kinds=KINDS, **NOTHING_SAID)


def test_load_when_no_file_is_given_then_says_so():
    with pytest.raises(UserError, match="No file was named"):
        load([], kinds=KINDS, **NOTHING_SAID)


def test_load_when_two_experiments_share_a_broken_target_then_it_is_told_once(tmp_path):
    first = file_pair(tmp_path, target={"5s": "5"})
    second = tmp_path / "second.yaml"
    second.write_text(first.read_text())
    with pytest.raises(UserError) as raised:
        load([first, second], kinds=KINDS, **NOTHING_SAID)
    assert [p.key for p in raised.value.problems] == ["services.app.ready.within"]


def test_load_when_a_file_is_missing_then_the_others_are_still_told(tmp_path):
    good = file_pair(tmp_path, experiment={"rounds: 3": "rounds: 0"})
    with pytest.raises(UserError) as raised:
        load([tmp_path / "nowhere.yaml", good], kinds=KINDS, **NOTHING_SAID)
    found = {(Path(p.file).name, p.line) for p in raised.value.problems}
    assert found == {("nowhere.yaml", None), ("experiment.yaml", 7)}


def test_problem_when_a_fault_names_no_hop_then_has_the_key(tmp_path):
    assert problems(tmp_path, experiment={"on: db": "on: dbb"}) == [
        "method[0].fault.on: unknown hop 'dbb'"
    ]


MARKS = (
    ": ",
    "\n",
    "  ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "'",
    '"',
    "#",
    "&a ",
    "*a",
    "!x ",
    "|",
    ">",
)
WORDS = ("40", "40ms", "{n}", "{hops.db.url}", "null", "balance", "acknowledged(", "true", "1e999")
ODD = ("\t", "é", "\x00", "\u2028", "\ufeff", "%", "---", "?", "<<: ", "rounds", "-1")
pieces = st.sampled_from([*MARKS, *WORDS, *ODD])
mutations = st.lists(
    st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), pieces), min_size=1, max_size=4
)


@given(mutations)
def test_load_when_good_text_is_mutated_then_raises_nothing_but_problems_inside(
    tmp_path, mutations
):
    text = GOOD
    for at, length, piece in mutations:
        text = text[:at] + piece + text[at + length :]
    looked_at(file_pair(tmp_path), text)


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_load_when_any_text_is_given_then_raises_nothing_but_problems_inside(tmp_path, text):
    looked_at(file_pair(tmp_path), text)


@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from(GOOD.split("\n")))
def test_load_when_lines_are_swapped_then_raises_nothing_but_problems_inside(
    tmp_path, at, other, line
):
    lines = GOOD.split("\n")
    lines.insert(at % len(lines), line)
    lines.pop(other % len(lines))
    looked_at(file_pair(tmp_path), "\n".join(lines))


def looked_at(path, text):
    """Loads ``text`` as the experiment; whatever is wrong must lie inside it."""
    path.write_text(text, encoding="utf-8", newline="")
    try:
        load([path], kinds=KINDS, **NOTHING_SAID)
    except UserError as error:
        lines = re.split("\r\n|\n|\r", text)
        for problem in error.problems:
            if Path(problem.file) == path:
                assert 1 <= problem.line <= len(lines), problem
                assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1, problem
