"""Items: what holding one costs."""

from harness.proxy.items import CHUNK_OVERHEAD, Chunk, weight
from tests.support.playbook import t


def test_weight_when_a_chunk_is_tiny_then_counts_what_it_really_takes():
    assert weight(Chunk(b"", t(0))) == CHUNK_OVERHEAD
    assert weight(Chunk(b"abc", t(0))) == CHUNK_OVERHEAD + 3
