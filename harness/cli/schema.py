"""``harness schema``: prints the JSON Schema of the files, for editors."""

import argparse
import json
import sys
from typing import Any

_EXAMPLES = """\
examples:
  harness schema experiment > experiment.schema.json
  harness schema target > target.schema.json

Then begin a file with
  # yaml-language-server: $schema=experiment.schema.json
"""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    parser = subparsers.add_parser(
        "schema",
        help="print the JSON Schema of experiment or target files",
        description="Prints the JSON Schema (draft 2020-12) that editors check and complete by.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "which",
        nargs="?",
        choices=["experiment", "target"],
        default="experiment",
        help="which file",
    )


def run(arguments: argparse.Namespace) -> int:
    from harness.assembly import vocabulary
    from harness.experiment.schema import json_schema

    schema = json_schema(arguments.which, vocabulary())
    sys.stdout.write(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
    return 0
