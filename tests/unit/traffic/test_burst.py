"""The order in which a burst's operations leave: interleaved, each in its turn."""

from hypothesis import given
from hypothesis import strategies as st

from harness.model.plan import BurstPart
from harness.traffic.burst import release_order

sizes = st.lists(st.integers(1, 30), min_size=1, max_size=4)


def order(*sizes_of_parts: int) -> list[tuple[int, int]]:
    return release_order(
        tuple(BurstPart(operation=f"o{at}", concurrency=n) for at, n in enumerate(sizes_of_parts))
    )


def test_parts_when_of_two_sizes_then_interleaved() -> None:
    assert [part for part, _ in order(4, 2)] == [0, 1, 0, 0, 1, 0]


@given(sizes)
def test_every_request_when_ordered_then_is_there_once_and_in_its_parts_turn(
    concurrencies: list[int],
) -> None:
    ordered = order(*concurrencies)
    assert len(ordered) == sum(concurrencies)
    for part, concurrency in enumerate(concurrencies):
        assert [turn for p, turn in ordered if p == part] == list(range(concurrency))


@given(st.integers(2, 30))
def test_two_equal_parts_when_ordered_then_never_more_than_one_apart(concurrency: int) -> None:
    ahead = 0
    for part, _ in order(concurrency, concurrency):
        ahead += 1 if part == 0 else -1
        assert abs(ahead) <= 1
