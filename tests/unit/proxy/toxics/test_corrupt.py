"""Corrupt: how many bytes differ, where, and that the same seed changes the same ones."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.model.units import Size
from harness.protocols.exchange import Part
from harness.proxy.items import Chunk, Close, Injected
from harness.proxy.toxic import Trace
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.corrupt import Corrupt
from harness.proxy.wire import WireProblem, completed
from tests.support.playbook import at, play, t


def corrupt(seed=1, **given):
    return Corrupt(completed(Corrupt.wire, given), Random(seed), {})


def through(toxic, *pieces):
    out = b""
    for piece in pieces:
        (chunk,) = (a for a in toxic.feed(Chunk(piece, t(0)), t(0)) if isinstance(a, Chunk))
        out += chunk.data
    return out


def differing(one, other):
    return [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]


def in_pieces(data, sizes):
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [piece for piece in [*pieces, data] if piece]


def test_chunk_when_changed_then_is_said_and_keeps_stamp_and_turn():
    data = bytes(10)
    injected, chunk = corrupt(every=10).feed(Chunk(data, t(3), 7), t(9))
    assert injected == Injected(7)
    assert (chunk.stamp, chunk.turn, len(differing(chunk.data, data))) == (t(3), 7, 1)


def test_chunk_when_the_place_of_the_run_is_elsewhere_then_is_the_one_that_came():
    toxic, data = corrupt(every=1000), bytes(1000)
    place = differing(through(corrupt(every=1000), data), data)[0]
    chunk = Chunk(data[:place], t(0))
    assert toxic.feed(chunk, t(0)) == (chunk,)
    assert toxic.feed(Chunk(b"\0", t(0)), t(0))[0] == Injected(0)
    assert toxic.feed(chunk, t(0)) == (chunk,)


def test_close_when_it_comes_then_passes():
    assert play(corrupt()) >> at(0, Close("eof")) << Close("eof")


@pytest.mark.parametrize("how", ["flip", "random"])
def test_bytes_when_ten_thousand_and_every_hundredth_then_exactly_a_hundred_differ(how):
    data = Random(5).randbytes(10_000)
    out = through(corrupt(every=100, how=how), data)
    places = differing(out, data)
    assert [place // 100 for place in places] == list(range(100))
    assert len({place % 100 for place in places}) > 30, "places are drawn"


def test_flip_when_it_changes_a_byte_then_it_is_one_bit():
    data = Random(5).randbytes(2000)
    out = through(corrupt(every=1), data)
    assert {(a ^ b).bit_count() for a, b in zip(out, data, strict=True)} == {1}
    assert {a ^ b for a, b in zip(out, data, strict=True)} == {1 << bit for bit in range(8)}


def test_random_when_it_changes_bytes_then_any_value_but_the_old_one_comes():
    data = b"a" * 5000
    out = through(corrupt(every=1, how="random"), data)
    assert set(out) == set(range(256)) - {ord("a")}


def test_zero_when_the_byte_is_zero_already_then_it_stays_and_nothing_is_said():
    toxic = corrupt(every=2, how="zero")
    assert through(toxic, b"\xff" * 100).count(0) == 50
    chunk = Chunk(bytes(10), t(0))
    assert toxic.feed(chunk, t(0)) == (chunk,)


def test_update_when_the_run_gets_longer_then_a_new_one_begins():
    toxic, data = corrupt(every=1000), bytes(100)
    through(toxic, data)
    toxic.update(completed(Corrupt.wire, {"every": 10}), t(0))
    assert [place // 10 for place in differing(through(toxic, data), data)] == list(range(10))


def test_update_when_only_how_changes_then_the_run_and_its_place_stay():
    data = b"\xff" * 1000
    place = differing(through(corrupt(), data), data)[0]
    toxic = corrupt()
    through(toxic, data[:place])
    toxic.update(completed(Corrupt.wire, {"how": "zero"}), t(0))
    assert through(toxic, b"\xff") == b"\0"


def test_removal_when_it_comes_again_then_begins_a_run():
    toxic, data = corrupt(every=100), bytes(2000)
    through(toxic, data[:30])
    assert toxic.remove(t(0)) == ()
    assert [place // 100 for place in differing(through(toxic, data), data)] == list(range(20))


def test_message_when_it_begins_then_so_does_a_run():
    """So what is done to a request does not depend on those before it."""

    def second(before):
        toxic, found = corrupt(every=50), []
        for number, data in ((1, before), (2, bytes(200))):
            toxic.draws.seed(number)
            actions = toxic.feed(Chunk(data, t(0), 1, Part(data, number, first=True)), t(0))
            found = differing(actions[-1].data, data)
        return found

    assert second(bytes(10)) == second(bytes(199))
    assert len(second(bytes(10))) == 4


@given(
    data=st.binary(max_size=400),
    every=st.integers(1, 80),
    how=st.sampled_from(["flip", "zero", "random"]),
    seed=st.integers(),
    sizes=st.lists(st.integers(1, 90), max_size=20),
)
def test_bytes_when_split_anyhow_then_the_same_ones_change(data, every, how, seed, sizes):
    whole = through(corrupt(seed, every=every, how=how), *in_pieces(data, []))
    assert through(corrupt(seed, every=every, how=how), *in_pieces(data, sizes)) == whole
    places = differing(whole, data)
    runs = [place // every for place in places]
    assert len(runs) == len(set(runs))
    if how != "zero":
        assert set(range(len(data) // every)) <= set(runs)


def test_seed_when_another_then_others_change():
    data = bytes(10_000)
    assert through(corrupt(1), data) == through(corrupt(1), data) != through(corrupt(2), data)


def test_values_when_out_of_range_then_are_refused():
    for bad in ({"every": 0}, {"how": "melt"}):
        with pytest.raises(WireProblem, match=f"^{next(iter(bad))}: "):
            completed(Corrupt.wire, bad)


def test_params_when_said_for_the_wire_then_are_bytes():
    assert Corrupt.attributes(Corrupt.Params()) == {"every": 1000, "how": "flip"}
    params = to_params(Corrupt.Params, {"every": "1KiB", "how": "zero"})
    assert Corrupt.attributes(params) == {"every": 1024, "how": "zero"}
    with pytest.raises(UserError, match=r"^every: 0B is out of range, use 1B or more\.$"):
        Corrupt.attributes(Corrupt.Params(every=Size(0)))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("flip", "one bit flipped in every 1KB"),
        ("zero", "one byte zeroed in every 1KB"),
        ("random", "one byte replaced in every 1KB"),
    ],
)
def test_kind_when_described_then_says_that_the_wire_shows_nothing(how, words):
    params = Corrupt.Params(how=how)
    assert Corrupt.trace(params) == Trace(effect="unseen")
    assert Corrupt.words(params) == words
    assert TOXICS["corrupt"] is Corrupt
