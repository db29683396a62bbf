"""What a request shows of a fault that somebody else's proxy behind our hop has done to it. Pure.

Nobody names the toxic there. A request that took nearly as long as it was to take, was cut, or got no
answer bears its trace; a service that does so by itself looks the same, which is why this counts for
faults of all requests alone.
"""

from harness.model.plan import FaultStep
from harness.model.units import Duration, Instant
from harness.proxy.request_log import Request

# From the head of a request to its answer's last byte it is the toxic's time and more, but for its timer.
_NEARLY = 0.9
# What is open when the fault ends has met it if it waited for so long.
_WAITED = Duration.of_ms(100)
_CUT = ("cut", "downstream-cut")


def bears(step: FaultStep, request: Request, *, until: Instant) -> bool:
    """Whether a request bears the trace of ``step``, whose end was asked for at ``until``."""
    if request.arrived > until:
        return False
    match step.outage:
        case "latency":
            latency = Duration.parse(step.params["latency"])
            least = min(latency * _NEARLY, _WAITED)
            return _waited(request, until) >= (latency * _NEARLY if _answered(request) else least)
        case "blackhole":
            return _silent(request, until)
        case _:
            return request.end in _CUT


def _silent(request: Request, until: Instant) -> bool:
    """It ended without an answer, or had waited for one when the fault ended."""
    if request.ended is not None and request.ended <= until:
        return not _answered(request)
    return until - request.arrived >= _WAITED


def _answered(request: Request) -> bool:
    return request.end == "answered"


def _waited(request: Request, until: Instant) -> Duration:
    return (request.ended or until) - request.arrived
