"""Units carry their unit: what has none is refused, what is written reads back, instants never add."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.units import Duration, Instant, Size, UnitProblem, from_builtin, to_builtin
from tests.support.strategies import durations, instants, sizes


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("40ms", 40_000_000),
        ("1.5s", 1_500_000_000),
        ("10 s", 10_000_000_000),
        ("250us", 250_000),
        ("250µs", 250_000),
        ("7ns", 7),
        ("2min", 120_000_000_000),
        ("2m", 120_000_000_000),
        ("1h", 3_600_000_000_000),
        ("0s", 0),
        ("-3ms", -3_000_000),
    ],
)
def test_duration_when_it_has_a_unit_then_is_read(text, ns):
    assert Duration.parse(text).ns == ns


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("30", "30 has no unit; write 30ms or 30s"),
        (40, "40 has no unit; write 40ms or 40s"),
        (1.5, "1.5 has no unit; write 1.5ms or 1.5s"),
        ("40KB", "'40KB' has the unit 'KB'; a duration has one of ns, us, µs, ms, s, m, min, h"),
        ("fast", "'fast' is no duration; write 40ms or 10s"),
        ("", "'' is no duration; write 40ms or 10s"),
        (True, "True is no duration; write 40ms or 10s"),
        (None, "None is no duration; write 40ms or 10s"),
        ("0.5ns", "'0.5ns' is finer than one ns"),
    ],
)
def test_duration_when_wrong_then_the_message_says_what_to_write(text, message):
    with pytest.raises(UnitProblem) as problem:
        Duration.parse(text)
    assert str(problem.value) == message


@pytest.mark.parametrize(
    ("text", "count"),
    [("64KiB", 65_536), ("100KB", 100_000), ("12B", 12), ("1.5MiB", 1_572_864), ("2GB", 2 * 10**9)],
)
def test_size_when_it_has_a_unit_then_is_read(text, count):
    assert Size.parse(text).bytes == count


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("64", "64 has no unit; write 64KiB or 64KB"),
        ("64kb", "'64kb' has the unit 'kb'; a size has one of B, KB, KiB, MB, MiB, GB, GiB"),
        ("0.5B", "'0.5B' is finer than one B"),
    ],
)
def test_size_when_wrong_then_the_message_says_what_to_write(text, message):
    with pytest.raises(UnitProblem) as problem:
        Size.parse(text)
    assert str(problem.value) == message


@given(durations)
def test_duration_when_written_then_reads_back_exactly(duration):
    assert Duration.parse(duration.text()) == duration


@given(sizes)
def test_size_when_written_then_reads_back_exactly(size):
    assert Size.parse(size.text()) == size


@given(durations | instants | sizes)
def test_unit_when_turned_into_a_plain_value_then_comes_back(value):
    assert from_builtin(type(value), to_builtin(value)) == value


@given(durations | instants)
def test_unit_when_copied_or_pickled_then_is_equal(value):
    assert copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value


@given(instants, instants, durations)
def test_instants_when_subtracted_then_give_the_duration_between(a, b, d):
    assert b + (a - b) == a
    assert (a + d) - d == a


def test_instants_when_added_then_are_refused():
    with pytest.raises(TypeError):
        Instant.of_ns(1) + Instant.of_ns(2)


@pytest.mark.parametrize(
    ("text", "number"), [("64KiB", "0.1"), ("40ms", 40_000_000)], ids=["size", "number"]
)
def test_unit_when_compared_with_another_type_then_is_neither_equal_nor_ordered(text, number):
    duration = Duration.of_ms(40)
    assert duration != number
    assert duration != Instant.of_ns(40_000_000)
    with pytest.raises(TypeError):
        duration < Instant.of_ns(50_000_000)  # noqa: B015
    with pytest.raises(TypeError):
        duration <= Instant.of_ns(50_000_000)  # noqa: B015


@given(st.integers(), st.integers())
def test_durations_when_compared_then_are_ordered_like_their_numbers(a, b):
    left, right = Duration.of_ns(a), Duration.of_ns(b)
    assert (left < right, left <= right, left > right, left >= right) == (
        a < b,
        a <= b,
        a > b,
        a >= b,
    )
    assert (left == right) == (a == b)


def test_unit_when_assigned_to_then_is_frozen():
    with pytest.raises(AttributeError, match="Duration is frozen"):
        Duration.of_s(1)._value = 2


@pytest.mark.parametrize(
    ("ns", "words"),
    [
        (40_000_000, "40 ms"),
        (460_000, "0.46 ms"),
        (1_500_000_000, "1.5 s"),
        (999_999_999, "1 s"),
        (0, "0 ms"),
        (3_600_000_000_000, "3600 s"),
    ],
)
def test_duration_when_shown_to_people_then_is_short(ns, words):
    assert str(Duration.of_ns(ns)) == words


def test_value_without_written_form_when_written_then_is_refused():
    with pytest.raises(NotImplementedError, match="object has no written form"):
        to_builtin(object())
    with pytest.raises(NotImplementedError, match="str has no written form"):
        from_builtin(str, "x")
