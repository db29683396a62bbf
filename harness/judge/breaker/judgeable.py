"""Whether there is anything for an invariant to judge, asked before it looks at a call.

Its phases must have been run, ids must join, and what judges an open or half-open state must have
seen one. A service without a breaker breaks BRK-01 and no promise about states that it never had.
"""

from collections.abc import Sequence
from typing import get_args

from harness.judge.breaker.finding import Draft
from harness.judge.breaker.known import Known
from harness.model.breaker_findings import BreakerFinding
from harness.model.breaker_script import PhaseName

# Nobody declared a threshold: so many failures without a rejection are a service that does not open.
_MOST_FAILURES = 200

_NAMES: Sequence[str] = get_args(PhaseName)


def not_judgeable(
    draft: Draft, known: Known, *numbers: int, opens: bool = True
) -> BreakerFinding | None:
    """The finding, if nothing can be judged; None if the invariant has to look.

    ``numbers``: the phases it looks at, one of which is enough. ``opens``: it judges a state that
    only a breaker which was seen to open has.
    """
    if not known.phases_of(*numbers):
        return draft.not_applicable(not_run(*numbers))
    if known.barred:
        return draft.inconclusive(known.barred)
    if not opens or _opened(known):
        return None
    failures = sum(joined.outcome == "failure" for joined in known.calls)
    if known.outages or failures >= _MOST_FAILURES:
        return draft.not_applicable(
            f"never seen to open (BRK-01): {_phases(numbers)} had no open state to judge, "
            f"{failures} calls failed and none was short-circuited"
        )
    return draft.inconclusive(
        f"the breaker was never made to open: {failures} failing calls, none short-circuited"
    )


def not_run(*numbers: int) -> str:
    """``phase 10 (hung-trial) was not run``."""
    return f"{_phases(numbers)} {'was' if len(numbers) == 1 else 'were'} not run"


def _phases(numbers: Sequence[int]) -> str:
    named = [f"{number} ({_NAMES[number]})" for number in numbers]
    if len(named) == 1:
        return f"phase {named[0]}"
    return f"phases {', '.join(named[:-1])} and {named[-1]}"


def _opened(known: Known) -> bool:
    """Something was short-circuited, whether or not it is known why."""
    if any(life.first_rejection is not None for life in known.outages):
        return True
    return any(joined.rejected for joined in known.calls)
