"""What is judged: steady state, invariants, variants and their expectations."""

import pytest

from tests.unit.experiment.tiny import plans, problems


def test_steady_state_when_it_counts_or_reads_nothing_then_is_told(tmp_path):
    changed = {"- balance == 100": "- balance == 100\n  - unknown(withdraw) == 0\n  - 1 == 1"}
    assert [line.partition(":")[0] for line in problems(tmp_path, experiment=changed)] == [
        "steady_state[1]", "steady_state[2]"
    ]  # fmt: skip


VARIANTS = "{naive: {violated: [conserved, steady-state]}, atomic: held}"


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("[atomic]", 0),
        ("{atomic: violated}", 0),
        ("[atomic, atomic]", 1),
        ("[atom]", 1),
        ("{atom: held}", 1),
        ("{naive: {violated: [conserve]}}", 1),
        ("{naive: {violated: [never-overdrawn, steady-state]}}", 0),
    ],
)
def test_variants_when_they_name_what_is_not_there_then_that_is_told(tmp_path, said, wrong):
    assert len(problems(tmp_path, experiment={VARIANTS: said})) == wrong


def test_variants_when_left_out_then_all_are_expected_to_hold(tmp_path):
    found = plans(tmp_path, experiment={f"variants: {VARIANTS}\n": ""})
    assert [(p.variant, p.expected.verdict) for p in found] == [
        ("naive", "held"),
        ("atomic", "held"),
    ]
