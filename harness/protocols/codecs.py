"""The codecs by name."""

from collections.abc import Callable

from harness.protocols.exchange import Exchange
from harness.protocols.turn_exchange import TurnExchange

CODECS: dict[str, Callable[[], Exchange]] = {"turn": TurnExchange}
