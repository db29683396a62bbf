"""A breaker's life in a terminal: as wide as asked for, whatever the labels are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.outputs.breaker_picture import breaker_lines, legend
from harness.outputs.breaker_rows import MOST_ROWS
from harness.outputs.paragraphs import cells, safe
from tests.support.breaker_lives import a_life, a_state, lives

BLOCKS = " ▁▂▃▄▅▆▇█"


def rows(life, columns=10):
    """Label to what stands behind it."""
    lines = breaker_lines(life, columns=columns)
    width = cells(lines[-1]) - cells(lines[-1].lstrip())
    return {line[:width].strip(): line[width:] for line in lines}


def test_picture_when_drawn_then_is_this():
    assert breaker_lines(a_life(), columns=10) == [
        "state      ────██▒───",
        "good       ██▄    ███  4",
        "failed       █▄        2",
        "rejected      ▆███     4",
        "arrived    ███▂   ███  4",
        "in flight  ▃▃▅█▃▃▃▃▃▃  3",
        "memory      ███ ███    32 MiB",
        "           2 s   12 s",
    ]


def test_picture_when_there_was_no_call_then_is_none():
    assert breaker_lines({}) == []


@given(life=lives(), columns=st.integers(8, 90))
def test_picture_when_of_any_life_then_no_row_is_wider_than_asked_and_all_begin_alike(
    life, columns
):
    lines = breaker_lines(life, columns=columns)
    label = 20
    for line in lines:
        assert safe(line) == line
        assert cells(line) <= label + columns + 2 + len("1048576 MiB")
    states = [line for line in lines if line.startswith("state")]
    assert len(states) <= MOST_ROWS
    begins = {cells(line) - cells(line.lstrip()) for line in lines if line.startswith(" ")}
    assert len(begins) <= 1


def test_picture_when_nobody_says_how_wide_then_fits_a_screen_of_80_beside_a_name():
    spans = [a_state("open", 2, 12, key="a-rather-long-key-of-a-customer")]
    assert max(cells(line) for line in breaker_lines(a_life(states=spans))) <= 80


def test_label_when_its_characters_are_wide_then_the_rows_begin_below_one_another():
    spans = [a_state("open", 2, 12, key="店"), a_state("closed", 2, 12, key="a")]
    lines = breaker_lines(a_life(states=spans), columns=10)
    begins = {cells(line.partition("█")[0]) for line in lines[:1]}
    begins |= {cells(line.partition("─")[0]) for line in lines[1:2]}
    begins |= {cells(line.partition("▃")[0]) for line in lines if line.startswith("in flight")}
    assert len(begins) == 1


@pytest.mark.parametrize("key", ["\x1b[2J", "\u202e", "a\nb", "\ud800"], ids=ascii)
def test_label_when_it_could_act_on_a_terminal_then_is_escaped(key):
    lines = breaker_lines(a_life(states=[a_state("open", 2, 12, key=key)]))
    assert key not in "".join(lines)
    assert lines[0].startswith("state ")


def test_label_when_long_then_is_cut_and_says_so():
    label = breaker_lines(a_life(states=[a_state("open", 2, 12, key="店" * 30)]))[0].partition("█")[
        0
    ]
    assert label.rstrip() == "state 店店店店店…"
    assert cells(label.rstrip()) <= 18


def test_circuits_when_there_are_many_then_the_rest_is_counted():
    spans = [a_state("open", 2, 12, key=f"k{n}") for n in range(MOST_ROWS + 4)]
    found = rows(a_life(states=spans))
    assert sum(label.startswith("state") for label in found) == MOST_ROWS
    assert "4 more" in found


@pytest.mark.parametrize(
    ("spans", "drawn"),
    [
        ([("closed", 2, 12)], "─" * 10),
        ([("closed", 2, 7), ("open", 7, 12)], "─────█████"),
        ([("open", 2, 12), ("closed", 4.1, 4.4)], "█" * 10),
        ([("open", 2, 4.5), ("half-open", 4.5, 4.9), ("open", 4.9, 12)], "██▒███████"),
        ([("open", 2, 4.5), ("half-open", 4.5, 4.6), ("open", 4.6, 12)], "██████████"),
        ([("open", None, None)], "█" * 10),
        ([("unknown", 2, 6), ("a-new-one", 6, 12)], "·" * 10),
        ([("closed", 4, 6)], "  ──      "),
    ],
    ids=["whole", "halves", "longest", "trial", "moment", "no-edges", "unknown", "part"],
)
def test_column_when_it_saw_several_states_then_shows_the_longest_and_trials_sooner(spans, drawn):
    states = [a_state(*span) for span in spans]
    assert rows(a_life(states=states))["state"] == drawn.rstrip()


def test_column_when_it_holds_several_buckets_then_shows_the_most():
    counts = [0, 1, 0, 8, 2, 2, 0, 0, 4, 0]
    assert rows(a_life(arrivals=counts), columns=5)["arrived"] == "▁█▂ ▄  8"


@given(st.lists(st.integers(0, 500), min_size=1, max_size=300), st.integers(1, 90))
def test_columns_when_fewer_or_more_than_buckets_then_none_is_lost(counts, columns):
    """A single call, or a spike of one bucket, is always to be seen."""
    if not any(counts):
        return
    life = a_life(buckets=len(counts), arrivals=counts)
    drawn = rows(life, columns=columns)["arrived"]
    assert drawn.endswith(f"  {max(counts)}")
    assert len(drawn) == columns + 2 + len(str(max(counts)))
    assert "█" in drawn[:columns]
    assert set(drawn[:columns]) <= set(BLOCKS)


def test_call_when_single_beside_thousands_then_is_seen():
    assert rows(a_life(arrivals=[1, 0, *[5000] * 8]))["arrived"].startswith("▁ █")


def test_row_when_nothing_of_it_occurred_then_is_left_out():
    life = a_life(front={"forwarded-ok": [1] * 10}, rss=[None] * 10)
    assert {"rejected", "failed", "memory"}.isdisjoint(rows(life))


def test_outcomes_when_they_share_a_row_then_are_added_up():
    front = {
        "forwarded-failed": [1] * 10,
        "timed-out-forwarded": [2] * 10,
        "forwarded-ok": [3] * 10,
        "forwarded-slow": [4] * 10,
    }
    found = rows(a_life(front=front))
    assert found["failed"].endswith("  3") and found["good"].endswith("  7")


def test_legend_when_read_then_has_every_sign_of_a_state_line():
    assert legend() == "─ closed  █ open  ▒ half-open  · unknown"
