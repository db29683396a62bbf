"""The picture of a breaker's life: well formed and harmless whatever came in, and to be told by everybody."""

import itertools
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given

from harness.outputs.breaker_rows import MOST_ROWS
from harness.outputs.breaker_svg import BEHIND, CLASSES, FRONT, MEMORY, STATES, breaker_svg
from tests.support.breaker_lives import MIB, a_life, a_phase, a_state, foreign, lives

SVG = "{http://www.w3.org/2000/svg}"
WIDTH, LEFT, RIGHT = 1080, 150, 1064


def drawn(life=None, *, title="checkout", caption="held"):
    return ET.fromstring(
        breaker_svg(a_life() if life is None else life, title=title, caption=caption).encode()
    )


def row(tree, label):
    """The elements of the row with this label."""
    for group in tree.findall(f"{SVG}g"):
        name = group.find(f"{SVG}text")
        if name is not None and name.text == label:
            return group
    raise AssertionError(f"no row {label!r}")


def bars(tree, label, colour):
    found = row(tree, label).findall(f"{SVG}rect")
    return [each for each in found if each.get("fill") == colour]


def texts(tree):
    return [each.text or "" for each in tree.iter(f"{SVG}text")]


def x_of(second, life=None):
    life = life or a_life()
    share = (second - life["start"]) / (life["width"] * life["buckets"])
    return pytest.approx(LEFT + share * (RIGHT - LEFT), abs=0.1)


@given(life=lives(), title=foreign, caption=foreign)
def test_picture_when_of_any_life_then_is_well_formed_and_stays_within_its_frame(
    life, title, caption
):
    tree = drawn(life, title=title, caption=caption)
    for rect in tree.iter(f"{SVG}rect"):
        x, wide, high = (float(rect.get(name, 0)) for name in ("x", "width", "height"))
        assert 0 <= x <= WIDTH + 0.1 and wide > 0 and high >= 0
        assert x + wide <= WIDTH + 1.1
    assert "nan" not in "".join(rect.get("y", "") for rect in tree.iter(f"{SVG}rect"))


@given(life=lives(), title=foreign, caption=foreign)
def test_picture_when_drawn_then_has_nothing_that_runs_or_is_fetched(life, title, caption):
    tree = drawn(life, title=title, caption=caption)
    tags = {each.tag.removeprefix(SVG) for each in tree.iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "text", "g", "line", "polyline"}
    names = {name for each in tree.iter() for name in each.attrib}
    assert not [name for name in names if name.startswith("on") or "href" in name]
    style = "".join(each.text or "" for each in tree.iter(f"{SVG}style"))
    assert "url" not in style and "@" not in style


HOSTILE = "</text><script>alert(1)</script>&\"'\x00\x1b[31m\ud800\uffff"


@pytest.mark.parametrize(
    "life",
    [
        pytest.param({}, id="title"),
        pytest.param({"states": [a_state("open", 2, 9, key=HOSTILE)]}, id="key"),
        pytest.param({"states": [a_state("open", 2, 9, instance=HOSTILE)]}, id="instance"),
        pytest.param({"phases": [a_phase(HOSTILE, 5, 2, 9)]}, id="phase"),
        pytest.param({"phases": [a_phase("o", 5, 2, 9, faults=[(HOSTILE, 2, 9)])]}, id="fault"),
    ],
)
def test_text_when_foreign_then_is_text_and_nothing_else(life):
    written = breaker_svg(a_life(**life), title=HOSTILE, caption=HOSTILE)
    assert "<script" not in written
    tree = ET.fromstring(written.encode())
    shown = [each.text or "" for each in tree.iter()]
    assert any("</text><script>alert(1)" in text for text in shown)


def test_picture_when_there_was_no_call_then_is_none():
    assert breaker_svg({}, title="checkout") == ""


def test_picture_when_drawn_again_then_is_the_same():
    assert breaker_svg(a_life(), title="a") == breaker_svg(a_life(), title="a")


def test_head_when_drawn_then_has_title_and_verdict_and_cuts_what_is_too_long():
    tree = drawn(title="checkout · conforming", caption="held on 14 of 26")
    assert texts(tree)[:2] == ["checkout · conforming", "held on 14 of 26"]
    long = drawn(caption="violated: " + "word " * 100)
    assert len(texts(long)[1]) <= 165 and texts(long)[1].endswith("…")
    assert len(long.find(f"{SVG}desc").text) > 400


def test_rows_when_drawn_then_stand_in_the_order_of_cause_and_effect():
    labels = [
        "phase",
        "state",
        "calls, by outcome",
        "arrivals behind",
        "in flight",
        "memory",
    ]
    assert [text for text in texts(drawn()) if text in labels][: len(labels)] == labels


def test_times_when_drawn_then_are_the_runs_own_and_not_the_pictures():
    """A counterexample at 8.5 s is to be found under 8 s to 9 s."""
    tree = drawn()
    times = {each.text: float(each.get("x")) for each in tree.iter(f"{SVG}text") if each.get("x")}
    assert times["2 s"] == x_of(2)
    assert times["9 s"] == x_of(9)
    assert "0 s" not in times


def test_states_when_they_change_then_do_so_where_the_result_says():
    tree = drawn()
    (opened,) = bars(tree, "state", STATES["open"][1])
    left, wide = float(opened.get("x")), float(opened.get("width"))
    assert left == x_of(5.5) and left + wide == x_of(8.5)
    assert opened.find(f"{SVG}title").text == "open"


def test_state_when_its_edge_is_an_interval_then_is_drawn_in_its_middle():
    spans = [{"key": "", "state": "open", "from": [4.0, 6.0], "to": [8.0, None]}]
    (opened,) = bars(drawn(a_life(states=spans)), "state", STATES["open"][1])
    left, wide = float(opened.get("x")), float(opened.get("width"))
    assert left == x_of(5) and left + wide == x_of(8)


def test_circuits_when_there_are_several_then_each_has_a_row_and_the_rest_is_counted():
    spans = [a_state("closed", 2, 12, key=f"shop-{n}") for n in range(MOST_ROWS + 3)]
    spans.append(a_state("open", 4, 5, key="market"))
    spans += [a_state("open", 4, 5, key="", instance=pid) for pid in ("11", "12")]
    said = texts(drawn(a_life(states=spans)))
    circuits = [text for text in said if text.startswith("state ")]
    assert circuits[:3] == ["state market", "state @11", "state @12"]
    assert len(circuits) == MOST_ROWS
    assert "6 more circuits" in said


def test_key_when_long_then_is_cut_and_told_whole_on_demand():
    tree = drawn(a_life(states=[a_state("open", 3, 4, key="k" * 60)]))
    (label,) = [text for text in texts(tree) if text.startswith("state k")]
    assert len(label) <= 22
    assert f"state {'k' * 60}" in [each.text for each in tree.iter(f"{SVG}title")]


def test_phases_when_a_fault_lasted_then_its_mark_is_as_long_as_it():
    tree = drawn()
    (mark,) = bars(tree, "phase", "#d64900")
    left, wide = float(mark.get("x")), float(mark.get("width"))
    assert left == x_of(4) and left + wide == x_of(8)
    told = [each.text for each in row(tree, "phase").iter(f"{SVG}title")]
    assert "outage-status: status" in told
    named = [each.text for each in row(tree, "phase").findall(f"{SVG}text")]
    assert "before-heal" not in named and "outage-status" in named


def test_phase_when_it_has_no_end_on_record_then_lasts_to_the_edge():
    last = row(drawn(), "phase").findall(f"{SVG}rect")[-1]
    assert float(last.get("x")) + float(last.get("width")) + 1 == pytest.approx(RIGHT, abs=0.2)


def test_outcomes_when_stacked_then_are_as_high_as_they_are_many():
    tree = drawn()
    failed = bars(tree, "calls, by outcome", CLASSES["forwarded-failed"][1])
    rejected = bars(tree, "calls, by outcome", CLASSES["short-circuited"][1])
    assert [float(bar.get("height")) for bar in failed] == [38.0, 19.0]
    assert [float(bar.get("height")) for bar in rejected] == [57.0, 76.0, 76.0, 76.0]
    assert float(rejected[0].get("y")) + 57 == float(failed[1].get("y"))


def test_burst_when_it_towers_over_all_else_then_is_cut_off_and_says_how_high_it_was():
    calls = [4] * 39 + [100]
    life = a_life(buckets=40, front={"short-circuited": calls}, arrivals=calls, rss=[None] * 40)
    life["in_flight"] = {"front": calls, "behind": calls}
    tree = drawn(life)
    rejected = bars(tree, "calls, by outcome", CLASSES["short-circuited"][1])
    assert float(rejected[0].get("height")) > 40
    assert float(rejected[-1].get("height")) == 76
    assert "100↑" in [each.text for each in row(tree, "calls, by outcome").findall(f"{SVG}text")]
    assert "most 100, cut at 6" in texts(tree)


def test_numbers_of_towers_when_they_are_neighbours_then_only_the_highest_is_told():
    calls = [4] * 200
    calls[10], calls[12], calls[100] = 300, 400, 500
    life = a_life(buckets=200, front={"forwarded-ok": calls}, arrivals=calls, rss=[None] * 200)
    life["in_flight"] = {"front": calls, "behind": calls}
    told = [text for text in texts(drawn(life)) if text.endswith("↑")]
    assert told == ["400↑", "500↑"] * 2


def test_in_flight_when_front_and_back_are_as_one_then_both_are_seen():
    front, behind = row(drawn(), "in flight").findall(f"{SVG}polyline")
    assert (front.get("stroke"), behind.get("stroke")) == (FRONT[1], BEHIND[1])
    assert float(front.get("stroke-width")) > 2 * float(behind.get("stroke-width"))


def test_memory_when_nothing_was_sampled_then_has_no_row_else_says_the_most():
    assert "memory" not in texts(drawn(a_life(rss=[None] * 10)))
    (line,) = row(drawn(), "memory").findall(f"{SVG}polyline")
    assert len(line.get("points").split()) == 6
    assert f"{32 * MIB // MIB} MiB at most" in texts(drawn())


def test_legend_when_drawn_then_names_what_occurs_and_nothing_else():
    said = texts(drawn())
    assert {"good", "failed", "rejected", "closed", "open", "half-open"} <= set(said)
    assert not {"slow", "timed out", "left", "ignored", "unknown"} & set(said)


# Colours, to be told from one another by those who see two kinds of light instead of three. The matrices
# are those of Machado, Oliveira and Fernandes (2009) for a full loss, over linear RGB.
SEEN = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
ALL_COLOURS = dict([*CLASSES.values(), *STATES.values(), FRONT, BEHIND, MEMORY])


def lab(colour, matrix):
    """A colour as it is seen, in CIELAB under D65."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    red, green, blue = (
        min(max(sum(m * c for m, c in zip(line, linear, strict=True)), 0), 1) for line in matrix
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def apart(one, other, matrix):
    return (
        sum((a - b) ** 2 for a, b in zip(lab(one, matrix), lab(other, matrix), strict=True)) ** 0.5
    )


@pytest.mark.parametrize("kind", SEEN)
def test_colours_when_seen_by_anybody_then_no_two_are_alike(kind):
    """A difference of 2.3 is just seen side by side; these are to be told across a page."""
    for (one, first), (other, second) in itertools.combinations(ALL_COLOURS.items(), 2):
        assert apart(first, second, SEEN[kind]) > 12, (one, other)


@pytest.mark.parametrize("kind", SEEN)
@pytest.mark.parametrize(
    "together",
    [
        [colour for _, colour in CLASSES.values()],
        [colour for _, colour in STATES.values()],
        [FRONT[1], BEHIND[1]],
    ],
    ids=["outcomes", "states", "in flight"],
)
def test_colours_when_of_one_row_then_are_far_apart_for_everybody(kind, together):
    for first, second in itertools.combinations(together, 2):
        assert apart(first, second, SEEN[kind]) > 20, (first, second)


def test_colours_when_one_stands_twice_then_means_the_same():
    meanings = {}
    for said, colour in [*CLASSES.values(), *STATES.values(), FRONT, BEHIND, MEMORY]:
        meanings.setdefault(colour, set()).add(said)
    assert all(len(said) == 1 for said in meanings.values()), meanings
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in meanings)
