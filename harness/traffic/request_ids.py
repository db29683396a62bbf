"""Request ids that no service makes by itself, and where a request carries one. Pure."""

import hashlib
from urllib.parse import quote

from msgspec.structs import replace

from harness.model.breaker import IdCarrier
from harness.model.errors import UserError
from harness.model.plan import HttpCall, OperationPlan

# Names of what an id gives its request, beside ``{rid}`` itself. A dot keeps them from variables.
_TRACE, _SPAN = "rid.trace", "rid.span"


class RequestIds:
    """``r00001-9f3c21aa``: prefix, counter, and eight digits that only this run has."""

    def __init__(self, run: str) -> None:
        self._run = hashlib.sha256(run.encode()).hexdigest()[:8]
        self._count = 0

    def next(self) -> str:
        self._count += 1
        return f"r{self._count:05d}-{self._run}"


def trace_id_of(rid: str) -> str:
    """The trace id (W3C Trace Context: 32 hexadecimal digits) that a request with this id bears."""
    return hashlib.sha256(rid.encode()).hexdigest()[:32]


def carried(rid: str, carrier: IdCarrier) -> str:
    """What whoever receives the request finds where the carrier is."""
    return trace_id_of(rid) if carrier.where == "traceparent" else rid


def values_of(rid: str) -> dict[str, str]:
    """What templates made by ``carrying`` ask for."""
    digits = hashlib.sha256(rid.encode()).hexdigest()
    return {"rid": rid, _TRACE: digits[:32], _SPAN: digits[32:48]}


def carrying(operation: OperationPlan, carrier: IdCarrier) -> OperationPlan:
    """The operation with its request's id in the carrier; its request must leave that place free.

    Raises:
        UserError: it is a command, has no ``{rid}`` in its path, or sets that header to something else.
    """
    call = operation.http
    if call is None:
        raise UserError(f"Operation {operation.name} is a command, and carries no request id.")
    match carrier.where:
        case "header":
            changed = _with_header(operation.name, call, carrier.name, "{rid}")
        case "traceparent":
            trace = f"00-{{{_TRACE}}}-{{{_SPAN}}}-01"
            changed = _with_header(operation.name, call, "traceparent", trace)
        case "query":
            sign = "&" if "?" in call.path else "?"
            changed = replace(call, path=f"{call.path}{sign}{quote(carrier.name, safe='')}={{rid}}")
        case "path":
            changed = _with_id_in_path(operation.name, call)
    return replace(operation, http=changed)


def _with_header(operation: str, call: HttpCall, name: str, template: str) -> HttpCall:
    own = next((value for key, value in call.headers.items() if key.lower() == name.lower()), None)
    if own is None:
        return replace(call, headers={**call.headers, name: template})
    if own != template:
        raise UserError(
            f"Operation {operation} sets the header {name} to {own!r}, which carries no request id.",
            hint=f"Leave the header out or write {name}: {template!r}; "
            "or name another carrier under breaker: id:.",
        )
    return call


def _with_id_in_path(operation: str, call: HttpCall) -> HttpCall:
    if "{rid}" not in call.path.partition("?")[0]:
        raise UserError(
            f"Operation {operation} has the path {call.path}, which has no place for a request id.",
            hint="Write {rid} as one of its segments, or name another carrier under breaker: id:.",
        )
    return call
