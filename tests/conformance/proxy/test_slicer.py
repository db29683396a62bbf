"""TX-134 to TX-140: the slicer toxic.

A slow reader finds several pieces in one read, so what is asserted holds for any reader: how much
can have come by a time, and where the stream can stand between two reads.
"""

from itertools import accumulate, cycle

import pytest

from tests.conformance.proxy.conftest import case
from tests.support.timing import at_once, clock, within

DELAY = 20  # ms after each piece, unless said
DATA = bytes(range(250)) * 4


def sliced(api, server, average, variation, delay_us, **more):
    """A proxy in front of ``server`` with a slicer ``t``."""
    attributes = {"average_size": average, "size_variation": variation, "delay": delay_us}
    api.create("a", server.address)
    api.toxic("a", "slicer", name="t", attributes=attributes, **more)


def slices(api, upstream):
    """When, in ms, how many of 1000 bytes had come."""
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(DATA)
        return [(at - began, count) for at, count in client.arrivals(len(DATA))]


def never_ahead(arrivals, largest):
    """True if no read had more than whole pieces of ``largest`` bytes, ``DELAY`` apart."""
    return all(count <= largest * (1 + at // DELAY) for at, count in arrivals)


@case("TX-134", effect=True)
def test_pieces_when_sizes_vary_then_are_small_and_apart(api, upstream):
    sliced(api, upstream, 100, 20, DELAY * 1000)
    arrivals = slices(api, upstream)
    assert arrivals[-1][1] == len(DATA)
    assert never_ahead(arrivals, 120)
    assert arrivals[-1][0] >= 7 * DELAY, "eight pieces at least"


@case("TX-135", effect=True)
@pytest.mark.serial  # bounds real time from above
def test_pieces_when_sizes_are_fixed_then_are_by_halving(api, upstream):
    sliced(api, upstream, 100, 0, DELAY * 1000)
    arrivals = slices(api, upstream)
    assert arrivals[-1][1] == len(DATA)
    assert never_ahead(arrivals, 63)
    cuts = set(accumulate(size for size, _ in zip(cycle((62, 63)), range(16), strict=False)))
    assert {count for _, count in arrivals} <= cuts
    assert within(arrivals[-1][0], 300)


@case("TX-136", effect=True)
@pytest.mark.serial  # bounds real time from above
@pytest.mark.parametrize("how", ["removed", "changed"])
def test_chunk_when_the_toxic_goes_in_its_middle_then_its_rest_arrives_at_once(api, upstream, how):
    sliced(api, upstream, 10, 0, 100_000)
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(DATA)
        got = client.receive(30)
        assert clock() - began >= 200
        began = clock()
        if how == "removed":
            assert api.delete("/proxies/a/toxics/t").status == 204
        else:
            assert api.patch("/proxies/a/toxics/t", {"attributes": {"delay": 99_000}}).status == 200
        assert got + client.receive(len(DATA) - len(got)) == DATA
        assert at_once(clock() - began)


@case("TX-137")
@pytest.mark.slow
@pytest.mark.serial  # bounds real time from above
def test_bytes_when_cut_into_single_ones_then_all_arrive(api, upstream):
    sliced(api, upstream, 1, 0, 0)
    data = DATA * 200
    with api.connect("a") as client, upstream.accept() as server:
        began = clock()
        server.send(data)
        assert client.receive(len(data)) == data
        assert clock() - began < 10_000


@case("TX-138")
@pytest.mark.parametrize(
    ("average", "variation", "delay_us"), [(64, 64, 0), (1, 1, 0), (10, -1, 0), (10, 0, -1)]
)
def test_attributes_when_odd_then_all_bytes_arrive(api, upstream, average, variation, delay_us):
    sliced(api, upstream, average, variation, delay_us)
    data = DATA * 5
    with api.connect("a") as client, upstream.accept() as server:
        server.send(data)
        assert client.receive(len(data)) == data


@case("TX-139")
@pytest.mark.parametrize(
    "attributes", [None, {}, {"average_size": 0}, {"average_size": -1}, {"size_variation": 5}]
)
def test_average_when_missing_or_not_positive_then_is_refused(ours, attributes):
    ours.create("a", "127.0.0.1:1")
    reply = ours.post("/proxies/a/toxics", {"type": "slicer", "attributes": attributes})
    assert reply.status == 400
    assert reply.error.startswith("average_size: ")


@case("TX-140")
@pytest.mark.parametrize("variation", [11, 12, 20, 2000, 2**63 - 1])
def test_variation_when_more_than_the_average_then_is_refused(ours, variation):
    ours.create("a", "127.0.0.1:1")
    body = {"type": "slicer", "attributes": {"average_size": 10, "size_variation": variation}}
    reply = ours.post("/proxies/a/toxics", body)
    assert reply.status == 400
    assert reply.error.startswith("size_variation: ")


@case("TX-140")
def test_average_when_lowered_below_the_variation_then_is_refused(ours):
    ours.create("a", "127.0.0.1:1")
    ours.toxic("a", "slicer", name="t", attributes={"average_size": 10, "size_variation": 8})
    assert ours.patch("/proxies/a/toxics/t", {"attributes": {"average_size": 7}}).status == 400
    assert ours.get("/proxies/a/toxics/t").json()["attributes"]["average_size"] == 10
