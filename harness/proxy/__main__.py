"""``python -m harness.proxy``: the proxy as a process of its own. Only arguments are read here."""

import argparse
import sys

from harness.model.errors import UserError
from harness.proxy.daemon import run


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m harness.proxy",
        description="The embedded proxy, with Toxiproxy's HTTP API.",
    )
    parser.add_argument("--host", "-host", default="127.0.0.1", help="where the API listens")
    parser.add_argument("--port", "-port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", "-seed", type=int, default=0, help="of all draws of toxics")
    asked = parser.parse_args(arguments)
    try:
        return run(host=asked.host, port=asked.port, seed=asked.seed)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
