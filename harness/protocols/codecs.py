"""The codecs by the words of the wire. A new one is a file beside this one and a line below."""

from collections.abc import Callable, Mapping

from harness.protocols.exchange import Exchange
from harness.protocols.http_exchange import HttpExchange
from harness.protocols.postgres_exchange import PostgresExchange
from harness.protocols.redis_exchange import RedisExchange
from harness.protocols.turn_exchange import TurnExchange

CODECS: Mapping[str, Callable[[], Exchange]] = {
    "turn": TurnExchange,
    "http": HttpExchange,
    "postgres": PostgresExchange,
    "redis": RedisExchange,
}
