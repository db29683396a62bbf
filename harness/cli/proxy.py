"""``harness proxy``: runs the embedded proxy in the foreground, for whoever drives it by its API."""

import argparse
from typing import Any

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
    )
    parser.add_argument("--host", default="127.0.0.1", help="where the API listens")
    parser.add_argument("--port", type=_port, default=8474, help="0 takes a free one (8474)")
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="let --host be more than loopback: the API has no password",
    )
    parser.add_argument("--seed", type=int, default=0, help="of all draws of toxics (0)")


def run(args: argparse.Namespace) -> int:
    from harness.model.address import Address
    from harness.model.errors import UserError
    from harness.proxy.daemon import run as serve

    if not (args.allow_remote or Address(args.host, args.port).is_loopback):
        raise UserError(
            f"--host {args.host}: whoever reaches it could redirect connections of this machine, "
            "for the API has no password.",
            hint="Leave --host out, or add --allow-remote if you mean it.",
        )
    return serve(host=args.host, port=args.port, seed=args.seed)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; write 0 to 65535")
    return port


_port.__name__ = "port"  # what argparse calls it when the text is no number
