"""Sending last bytes: stamped before each, undisturbed by one that fails or by the collector."""

import gc
import time

import pytest

from harness.traffic.last_byte import _send_all


def test_last_bytes_when_sent_then_stamped_before_each_in_order() -> None:
    seen: list[tuple[bytes, int]] = []

    def send(byte: bytes) -> int:
        seen.append((byte, time.monotonic_ns()))
        return 1

    stamps, lost = _send_all([(send, b"a"), (send, b"b"), (send, b"c")])
    assert [byte for byte, _ in seen] == [b"a", b"b", b"c"]
    assert lost == []
    moments = [
        moment for stamp, (_, when) in zip(stamps, seen, strict=True) for moment in (stamp, when)
    ]
    assert moments == sorted(moments)


def test_last_bytes_when_one_cannot_be_sent_then_the_others_are() -> None:
    sent: list[bytes] = []

    def send(byte: bytes) -> int:
        if byte == b"b":
            raise BrokenPipeError
        sent.append(byte)
        return 1

    stamps, lost = _send_all([(send, b"a"), (send, b"b"), (send, b"c")])
    assert (sent, lost) == ([b"a", b"c"], [1])
    assert all(stamps)


def test_last_bytes_when_one_goes_out_in_part_then_is_lost_for_nobody_writes_the_rest() -> None:
    def half(held: bytes) -> int:
        return len(held) // 2

    _, lost = _send_all([(len, b"held back"), (half, b"held back"), (lambda held: None, b"x")])
    assert lost == [1]


def test_the_collector_when_last_bytes_are_sent_then_is_off_and_afterwards_as_before() -> None:
    states: list[bool] = []

    def send(byte: bytes) -> int:
        states.append(gc.isenabled())
        return 1

    def fail(byte: bytes) -> int:
        raise ZeroDivisionError

    _send_all([(send, b"a")])
    assert (states, gc.isenabled()) == ([False], True)
    with pytest.raises(ZeroDivisionError):
        _send_all([(fail, b"a")])
    assert gc.isenabled()
    gc.disable()
    try:
        _send_all([(send, b"a")])
        assert not gc.isenabled()
    finally:
        gc.enable()
