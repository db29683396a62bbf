"""``python -m tests.support.ignoring_proxy``: our proxy, whose toxics are shown and never applied.

Each conformance case with an effect on bytes or time must fail against it; one that passes would
hold nothing. Takes the arguments of ``python -m harness.proxy``.
"""

import sys
from unittest.mock import patch

from harness.proxy.__main__ import main
from harness.proxy.applied import AppliedToxics
from harness.proxy.states import ToxicState
from harness.proxy.trigger import Shared


class Ignored(AppliedToxics):
    """The toxics of a connection, none of which sits in its chains."""

    def add(self, state: ToxicState, shared: Shared) -> None:
        pass

    def change(self, before: ToxicState, after: ToxicState, shared: Shared) -> None:
        pass

    def remove(self, state: ToxicState) -> None:
        pass


if __name__ == "__main__":
    with patch("harness.proxy.proxy.AppliedToxics", Ignored):
        sys.exit(main())
