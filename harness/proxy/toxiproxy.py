"""What Toxiproxy itself knows, so that nobody asks it for what it would refuse or ignore."""

from collections.abc import Iterable, Mapping

# The toxics of Toxiproxy 2.12, with their attributes.
TOXIPROXY: Mapping[str, tuple[str, ...]] = {
    "latency": ("latency", "jitter"),
    "bandwidth": ("rate",),
    "slow_close": ("delay",),
    "timeout": ("timeout",),
    "reset_peer": ("timeout",),
    "slicer": ("average_size", "size_variation", "delay"),
    "limit_data": ("bytes",),
    "noop": (),
}


def beyond_toxiproxy(
    kind: str, attributes: Iterable[str], keys: Iterable[str] = ()
) -> tuple[str, ...]:
    """What of a toxic is unknown to Toxiproxy 2.12, in words.

    It refuses a type it does not know, and ignores everything else: the toxic would be another one.
    """
    known = TOXIPROXY.get(kind)
    if known is None:
        return (f"the toxic {kind}", *keys)
    return (*(f"{kind}'s {name}" for name in attributes if name not in known), *keys)
