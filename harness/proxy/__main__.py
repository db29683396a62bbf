"""``python -m harness.proxy``: the proxy as a process of its own. Only arguments are read here."""

import argparse
import sys

from harness.model.errors import UserError
from harness.proxy.flags import add_flags, settings


def main(arguments: list[str] | None = None) -> int:
    from harness.proxy.daemon import run

    parser = argparse.ArgumentParser(
        prog="python -m harness.proxy",
        description="The embedded proxy, with Toxiproxy's HTTP API.",
        allow_abbrev=False,
    )
    add_flags(parser, port=0)
    asked = parser.parse_args(arguments)
    try:
        return run(settings(asked))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
