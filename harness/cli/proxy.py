"""``harness proxy``: runs the embedded proxy in the foreground, for whoever drives it by its API."""

import argparse
from typing import Any

from harness.proxy.flags import add_flags, settings

_EXAMPLE = """example:
  harness proxy --port 8474
  curl -d '{"name": "db", "upstream": "127.0.0.1:5432"}' http://127.0.0.1:8474/proxies
"""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "proxy",
        help="run the embedded proxy as a daemon",
        description="Runs the embedded proxy, with Toxiproxy's HTTP API, until Ctrl-C or SIGTERM.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_flags(parser, port=8474)


def run(args: argparse.Namespace) -> int:
    from harness.proxy.daemon import run as serve

    return serve(settings(args))
