"""Whom operations, probes and resets ask: the service that ``on`` names, or the only one that fits.

What a kind asks of its service is what its own class says (``speaks``); no kind is known here.
"""

from harness.experiment.checks_services import protocol
from harness.experiment.draft import TargetDraft
from harness.experiment.nodes import Path
from harness.experiment.report import unknown
from harness.experiment.target_parts import STARTED
from harness.experiment.worded import Worded

ANY = "unknown"
NOBODY = ""
PROCESS = "process"


def needs_of(asked: Worded) -> str:
    """What a probe or reset asks of its service; empty where it asks nobody."""
    needs: str = getattr(asked.described, "speaks", ANY)
    # What only the service knows of its own process is asked over HTTP.
    return "http" if needs == PROCESS and asked.given().get("endpoint") else needs


def service_for(target: TargetDraft, at: Path, on: str | None, needs: str) -> str | None:
    """The service that ``on`` names, or the only one that it can be; empty where nobody is asked.

    Problems are reported, and there is none then.
    """
    if needs == NOBODY:
        return _nobody(target, at, on)
    services = target.names("services")
    if on is None:
        return _only_one(target, at, needs)
    if on not in services:
        found, expected, hint = unknown("service", on, services)
        if on in target.names("hops"):
            hint = f"{on} is a hop; name the service behind it."
        target.wrong((*at, "on"), found, expected, hint)
        return None
    if _fits(target, on, needs):
        return on
    found, hint = _what_it_is(target, on, needs)
    target.wrong((*at, "on"), found, f"a service that {_verb(needs)}", hint)
    return None


def _nobody(target: TargetDraft, at: Path, on: str | None) -> str | None:
    if on is None:
        return NOBODY
    target.wrong((*at, "on"), "no service is asked here", "no on:", at_key=True)
    return None


def _only_one(target: TargetDraft, at: Path, needs: str) -> str | None:
    fitting = [name for name in target.services if _fits(target, name, needs)]
    if len(fitting) == 1:
        return fitting[0]
    # With a service left out, the only one may be just that one.
    if len(target.services) == len(target.names("services")):
        what = "services" if needs == ANY else f"services that {_verb(needs, many=True)}"
        listed = f": {', '.join(fitting)}" if fitting else ""
        target.wrong(
            at,
            f"the key 'on' is missing, and there are {len(fitting)} {what}{listed}",
            "on: SERVICE",
        )
    return None


def _fits(target: TargetDraft, name: str, needs: str) -> bool:
    if needs == ANY or name not in target.services:
        return True
    if needs == PROCESS:
        return target.services[name].kind in STARTED
    return protocol(target, name) in (needs, ANY)


def _verb(needs: str, *, many: bool = False) -> str:
    if needs == PROCESS:
        return f"{'are' if many else 'is'} started here by {' or '.join(STARTED)}"
    return f"speak{'' if many else 's'} {needs.upper()}"


def _what_it_is(target: TargetDraft, name: str, needs: str) -> tuple[str, str]:
    """What was found instead, and a hint."""
    if needs == PROCESS:
        return f"{name} is no process that a command of this file starts", ""
    spoken = protocol(target, name)
    if spoken == "nothing":
        return f"{name} speaks nothing", "A command that listens takes its port from {port}."
    return f"{name} speaks {spoken.upper()}", ""
