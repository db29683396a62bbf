"""``harness validate``: says of each file that it is right, or everything that is wrong with it."""

import argparse
import sys
from pathlib import Path
from typing import Any

_EXAMPLES = """\
examples:
  harness validate experiments/bank-overdraft.yaml
  harness validate experiments/ targets/
"""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    parser = subparsers.add_parser(
        "validate",
        help="check experiment and target files, start nothing",
        description="Checks experiment and target files with everything they use; starts nothing.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="file or folder")
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="HOST", help="a host beside loopback"
    )


def run(arguments: argparse.Namespace) -> int:
    from harness.assembly import vocabulary
    from harness.experiment.load import validate

    checked = validate(arguments.files, kinds=vocabulary(), allow_hosts=arguments.allow_host)
    for each in checked:
        if not each.problems:
            sys.stdout.write(f"{each.file}: ok ({each.what})\n")
    # A target that several experiments use is wrong once.
    wrong = dict.fromkeys(str(problem) for each in checked for problem in each.problems)
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    if wrong:
        bad = sum(bool(each.problems) for each in checked)
        problems = f"{len(wrong)} problem{'s' if len(wrong) != 1 else ''}"
        sys.stderr.write(f"{problems} in {bad} of {len(checked)} files\n")
    return 2 if wrong else 0
