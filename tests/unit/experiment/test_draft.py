"""Piece by piece: what is wrong is told and left out, what is right stays, names stay known."""

from harness.experiment.draft import Reader, is_inline
from harness.experiment.report import Report
from harness.experiment.source import parse
from tests.unit.experiment.tiny import HERE, KINDS

READER = Reader.of(KINDS)
TARGET = (HERE / "good" / "target.yaml").read_text()
EXPERIMENT = (HERE / "good" / "experiment.yaml").read_text()


def target(text):
    report = Report()
    return READER.target(parse(text, "t.yaml", report), (), "t.yaml", report), report


def experiment(text):
    report = Report()
    return READER.experiment(parse(text, "e.yaml", report), "e.yaml", report), report


def test_target_when_good_then_all_its_parts_are_there():
    draft, report = target(TARGET)
    assert not report
    assert (draft.name, list(draft.services), list(draft.hops)) == (
        "bank",
        ["postgres", "app"],
        ["db"],
    )
    assert [path for path, _ in draft.resets] == [("reset",)]


def test_piece_when_wrong_then_is_left_out_and_its_name_stays_known():
    draft, report = target(TARGET.replace("http: POST /login", "http: login"))
    assert list(draft.operations) == ["withdraw"]
    assert draft.names("operations") == ["login", "withdraw"]
    assert len(report) == 1


def test_piece_when_only_a_key_of_it_is_wrong_then_stays():
    draft, report = target(TARGET.replace("within: 5s", "within: 5"))
    assert list(draft.services) == ["postgres", "app"]
    assert len(report) == 1


def test_name_when_wrong_then_is_told_at_the_key():
    draft, report = target(TARGET.replace("  balance: {sql", "  ba-lance: {sql"))
    (problem,) = report.problems
    assert (problem.key, problem.column) == ("probes.ba-lance", 3)
    assert list(draft.probes) == ["stock"]


def test_resets_when_several_then_each_has_its_place():
    draft, _ = target(
        TARGET.replace("{sql: reset.sql, on: postgres}", "[{sql: a}, {http: POST /r}]")
    )
    assert [path for path, _ in draft.resets] == [("reset", 0), ("reset", 1)]


def test_steps_when_one_is_wrong_then_the_others_keep_their_numbers():
    draft, report = experiment(
        EXPERIMENT.replace("{on: db, latency: 40ms", "{on: db, latancy: 40ms")
    )
    assert list(draft.method) == [1]
    assert list(draft.faults()) == []
    assert report


def test_experiment_when_only_its_name_is_there_then_defaults_stand_for_the_rest():
    draft, report = experiment("experiment: e\n")
    assert (draft.rounds, draft.steady_state, draft.variants, draft.use) == (1, {}, None, None)
    assert {p.found for p in report.problems} == {
        f"the key '{key}' is missing" for key in ("target", "method", "invariants")
    }


def test_is_inline_when_the_target_is_described_in_place_then_is_true():
    for text, inline in (
        ("target: {use: a}", False),
        ("target: {target: a, services: {}}", True),
        ("target: {us: a}", False),
        ("target: a", False),
        ("a: 1", False),
    ):
        assert is_inline(parse(text, "f", Report())) is inline, text
