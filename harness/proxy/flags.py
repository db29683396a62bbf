"""The flags of the daemon, for ``python -m harness.proxy`` and ``harness proxy`` alike.

Each is taken with one dash, as Toxiproxy writes it, and with two. Nothing heavy is imported: the
parser of every command is built to show the help of one.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.model.address import Address
from harness.model.errors import UserError
from harness.proxy import version


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a daemon is started. ``allowed_hosts`` are names that callers may use for its API."""

    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 0
    config: Path | None = None
    max_connections: int | None = None
    proxy_metrics: bool = False
    runtime_metrics: bool = False
    allowed_hosts: tuple[str, ...] = ()


def add_flags(parser: argparse.ArgumentParser, *, port: int) -> None:
    """``port`` is where the API listens unless said."""

    def flag(name: str, **more: Any) -> None:
        parser.add_argument(f"--{name}", f"-{name}", **more)

    flag("host", default="127.0.0.1", help="where the API listens (127.0.0.1)")
    flag("port", type=_port, default=port, help=f"0 takes a free one ({port})")
    flag("seed", type=int, default=0, help="of all draws of toxics (0)")
    flag("config", type=Path, metavar="FILE", help="proxies to begin with, as POST /populate")
    flag(
        "max-connections",
        type=_connections,
        metavar="N",
        help="of all proxies together (10000, or what the open files allow)",
    )
    flag("proxy-metrics", action="store_true", help="serve /metrics, with bytes of each proxy")
    flag("runtime-metrics", action="store_true", help="serve /metrics, with those of the process")
    flag(
        "allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a Host, beside loopback, by which the API may be called; may be repeated",
    )
    flag(
        "allow-remote",
        action="store_true",
        help="let --host be more than loopback: the API has no password",
    )
    flag("version", action="version", version=version.line())


def settings(asked: argparse.Namespace) -> Settings:
    """The settings of parsed flags.

    Raises:
        UserError: the API would be open to other machines, and that was not allowed.
    """
    if not (asked.allow_remote or Address(asked.host, asked.port).is_loopback):
        raise UserError(
            f"--host {asked.host}: whoever reaches it could redirect connections of this machine, "
            "for the API has no password.",
            hint="Leave --host out, or add --allow-remote if you mean it.",
        )
    return Settings(
        host=asked.host,
        port=asked.port,
        seed=asked.seed,
        config=asked.config,
        max_connections=asked.max_connections,
        proxy_metrics=asked.proxy_metrics,
        runtime_metrics=asked.runtime_metrics,
        allowed_hosts=tuple(asked.allow_host),
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; write 0 to 65535")
    return port


def _connections(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no bound; write 1 or more")
    return number


_port.__name__ = "port"  # what argparse calls it when the text is no number
_connections.__name__ = "whole number"
