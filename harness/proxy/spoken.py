"""From the units of an experiment file to the whole numbers that the API takes."""

from harness.model.errors import UserError
from harness.model.units import Duration, Rate, Size
from harness.proxy.wire import MOST, MOST_MS, NS_PER_MS

_NS_PER_S = 1_000_000_000
_NS_PER_US = 1_000
_KB = 1_000


def whole_ms(name: str, duration: Duration) -> int:
    """Whole milliseconds.

    Raises:
        UserError: the duration is finer than that, negative, or far too long.
    """
    return _whole(name, duration, NS_PER_MS, "ms", "millisecond", MOST_MS)


def whole_seconds(name: str, duration: Duration) -> int:
    """Whole seconds.

    Raises:
        UserError: the duration is finer than that, negative, or far too long.
    """
    return _whole(name, duration, _NS_PER_S, "s", "second", MOST_MS // 1_000)


def whole_us(name: str, duration: Duration) -> int:
    """Whole microseconds.

    Raises:
        UserError: the duration is finer than that, negative, or far too long.
    """
    return _whole(name, duration, _NS_PER_US, "us", "microsecond", MOST_MS * 1_000)


def whole_bytes(name: str, size: Size) -> int:
    """Bytes.

    Raises:
        UserError: the size is negative or beyond 64 bits.
    """
    if not 0 <= size.bytes <= MOST:
        raise UserError(f"{name}: {size.text()} is out of range, use 0B to {MOST}B.")
    return size.bytes


def whole_kilobytes_per_second(name: str, rate: Rate) -> int:
    """KB/s, 1,000 bytes each.

    Raises:
        UserError: the rate is finer than that, or negative.
    """
    whole, rest = divmod(rate.bytes_per_second, _KB)
    if rest:
        raise UserError(
            f"{name}: {rate.text()} is no whole number of KB/s (1,000 bytes), which is as fine as"
            f" this toxic goes. Write {f'{whole}KB/s or ' if whole > 0 else ''}{whole + 1}KB/s."
        )
    if not 0 <= whole <= MOST:
        raise UserError(f"{name}: {rate.text()} is out of range, use 0KB/s or more.")
    return whole


def _whole(name: str, duration: Duration, grain: int, unit: str, grain_name: str, most: int) -> int:
    whole, rest = divmod(duration.ns, grain)
    if rest:
        raise UserError(
            f"{name}: {duration.text()} is no whole number of {grain_name}s, which is as fine as"
            f" this toxic goes. Write {f'{whole}{unit} or ' if whole > 0 else ''}{whole + 1}{unit}."
        )
    if not 0 <= whole <= most:
        raise UserError(f"{name}: {duration.text()} is out of range, use 0{unit} to {most}{unit}.")
    return whole
