"""Journals as lists of events: a whole run that held, put together from rounds, to change one thing in.

The run is the bank's: withdrawals of 10 from an account of 100, behind a hop ``db`` with latency.
Every round has the same course and its own 10 s; nothing is random.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import msgspec

from harness.model.events import (
    AnyEvent,
    ArrivalsFinished,
    ArrivalsStarted,
    BurstReleased,
    BurstWritten,
    FaultApplied,
    FaultIntended,
    FaultSeen,
    FaultUndone,
    HopCounted,
    HopRequestArrived,
    HopRequestEnded,
    OperationReturned,
    OperationSent,
    ProbeRead,
    Purpose,
    ResetDone,
    RoundFinished,
    RoundStarted,
    RunFinished,
    RunStarted,
    Settled,
    SteadyStateJudged,
)
from harness.model.outcomes import Acknowledged, Outcome, OutcomeWord, Rejected, Unknown
from harness.model.plan import (
    ArrivalsStep,
    BurstPart,
    BurstStep,
    Expected,
    FaultStep,
    HopPlan,
    HttpCall,
    InvariantPlan,
    OperationPlan,
    Plan,
    ProbePlan,
    ResetPlan,
    ServicePlan,
    SettlePlan,
    Step,
    TargetPlan,
)
from harness.model.units import Duration, Instant

FAULT = "latency@db"
BURST = "burst"

MS = 1_000_000
_ROUND = 10_000 * MS

NEVER_OVERDRAWN = InvariantPlan(
    name="never-overdrawn",
    kind="always",
    expression="balance >= 0",
    probes=("balance",),
    every=Duration.parse("20ms"),
)
MONEY_CONSERVED = InvariantPlan(
    name="money-conserved",
    kind="at_end",
    expression="100 - balance == 10 * acknowledged(withdraw)",
    probes=("balance",),
)
LATENCY = FaultStep(id=FAULT, kind="latency", on="db", params={"latency": "40ms", "jitter": "10ms"})


def at(ms: float) -> Instant:
    """A moment of the run, in milliseconds from its start."""
    return Instant.of_ns(round(ms * MS))


def a_burst(concurrency: int = 5) -> BurstStep:
    """The burst of the method."""
    return BurstStep(
        id=BURST,
        parts=(BurstPart(operation="withdraw", concurrency=concurrency),),
        hold=Duration.parse("100ms"),
    )


def an_arrivals_step(rate: float = 10_000, requests: int = 5) -> ArrivalsStep:
    """The open loop that ``arriving`` makes of the bank's burst."""
    lasts = Duration.of_s(requests / rate)
    return ArrivalsStep(id=BURST, operation="withdraw", rate=rate, lasts=lasts, cap=30)


def a_plan(
    *,
    rounds: int = 3,
    invariants: Sequence[InvariantPlan] = (NEVER_OVERDRAWN, MONEY_CONSERVED),
    method: Sequence[Step] | None = None,
    expected: Expected | None = None,
    steady_state: Sequence[str] = ("balance == 100",),
    variant: str | None = "atomic",
) -> Plan:
    """The plan of the bank's run."""
    return Plan(
        experiment="bank-overdraft",
        title="Withdrawals at once never pay out more than there was",
        file="experiments/bank-overdraft.yaml",
        target=_target(),
        variant=variant,
        expected=expected or Expected(),
        seed=28474,
        rounds=rounds,
        time_limit=Duration.parse("5m"),
        steady_state=tuple(steady_state),
        recovers_within=Duration.parse("10s"),
        method=tuple(method) if method is not None else (LATENCY, a_burst()),
        invariants=tuple(invariants),
        settle=SettlePlan(gap=Duration.parse("100ms"), limit=Duration.parse("10s")),
    )


def _target() -> TargetPlan:
    call = HttpCall(method="POST", path="/accounts/1/withdraw", json={"amount": 10}, has_json=True)
    return TargetPlan(
        name="bank",
        title="Accounts service",
        file="targets/bank/target.yaml",
        folder="/targets/bank",
        services=(
            ServicePlan(name="postgres", kind="embedded-postgres", params={}),
            ServicePlan(name="app", kind="run", params={"run": "serve"}),
        ),
        hops=(HopPlan(name="db", source="app", to="postgres"),),
        resets=(ResetPlan(kind="sql", on="postgres", params={"file": "/targets/bank/reset.sql"}),),
        operations=(
            OperationPlan(name="withdraw", on="app", http=call, timeout=Duration.parse("30s")),
        ),
        probes=(ProbePlan(name="balance", kind="sql", on="postgres", params={"sql": "SELECT …"}),),
    )


def an_outcome(word: OutcomeWord) -> Outcome:
    """The outcome that a word names."""
    match word:
        case "acknowledged":
            return Acknowledged()
        case "rejected":
            return Rejected()
        case "unknown":
            return Unknown(because="the connection was cut")


def a_reading(
    value: Any,
    *,
    purpose: Purpose,
    round: int | None,
    asked: Instant,
    answered: Instant | None = None,
    probe: str = "balance",
    exact: bool = False,
) -> ProbeRead:
    """One reading that took a millisecond."""
    return ProbeRead(
        probe=probe,
        purpose=purpose,
        round=round,
        asked=asked,
        answered=answered or asked + Duration.of_ns(MS),
        value=value,
        exact=exact,
    )


def a_round(
    number: int,
    *,
    outcomes: Sequence[OutcomeWord] = ("acknowledged",) * 5,
    balance: Any = None,
    during: Sequence[Any] = (100, 70),
    overlapping: bool = True,
    fault: bool = True,
) -> list[AnyEvent]:
    """One round in the order of a journal.

    ``balance`` is what is left at its end (by default what the acknowledged ones leave), ``during``
    are the readings while requests are in flight. Without ``outcomes`` nothing is sent. Without ``overlapping`` one request follows the other.
    """
    start = number * _ROUND // MS
    if balance is None:
        balance = 100 - 10 * sum(word == "acknowledged" for word in outcomes)
    intended, undone, seen = _fault(number, start) if fault else ([], [], [])
    sent, returned = _traffic(number, start, outcomes, overlapping)
    reads: list[AnyEvent] = [
        a_reading(value, purpose="always", round=number, asked=at(start + 215 + 20 * i))
        for i, value in enumerate(during)
    ]
    still: tuple[tuple[Purpose, int], ...] = (("always", 2050), ("settle", 2100), ("settle", 2201))
    quiet = [
        a_reading(balance, purpose=purpose, round=number, asked=at(start + after))
        for purpose, after in still
    ]
    return [
        ResetDone(round=number),
        RoundStarted(round=number),
        *intended,
        *sent,
        *reads,
        *returned,
        *quiet,
        Settled(round=number, after=Duration.parse("200ms")),
        a_reading(balance, purpose="at-end", round=number, asked=at(start + 2300)),
        *undone,
        *_wire(number, start, len(outcomes), overlapping),
        *seen,
        RoundFinished(round=number),
    ]


def arriving(
    events: Iterable[AnyEvent], *, rate: float = 10_000, dropped: int = 0, late: float = 0.0
) -> list[AnyEvent]:
    """The same rounds with arrivals in the place of their burst, all ``late`` milliseconds behind.

    With the rate left as it is, due times are those at which the burst's requests went out.
    """
    made: list[AnyEvent] = []
    for event in events:
        match event:
            case BurstWritten(round=number, requests=requests):
                planned = requests + dropped
                first = at(number * _ROUND // MS + 200)
                made.append(
                    ArrivalsStarted(
                        round=number, step=BURST, planned=planned, rate=rate, first=first
                    )
                )
            case OperationSent(sent=sent):
                made.append(msgspec.structs.replace(event, due=sent - Duration.of_ms(late)))
            case BurstReleased(round=number, requests=requests):
                made.append(
                    ArrivalsFinished(
                        round=number,
                        step=BURST,
                        sent=requests,
                        dropped=dropped,
                        late_p99=Duration.of_ms(late),
                        late_max=Duration.of_ms(late),
                        most=requests,
                        cap=30,
                    )
                )
            case _:
                made.append(event)
    return made


def _fault(number: int, start: int) -> tuple[list[AnyEvent], list[AnyEvent], list[AnyEvent]]:
    intended: list[AnyEvent] = [
        FaultIntended(
            fault=FAULT,
            kind="latency",
            on="db",
            round=number,
            params={"latency": "40ms", "jitter": "10ms"},
            undo={"admin": "http://127.0.0.1:8474", "proxy": "db", "toxic": FAULT},
        ),
        FaultApplied(fault=FAULT, round=number, asked=at(start + 10), confirmed=at(start + 11)),
    ]
    undone: list[AnyEvent] = [
        FaultUndone(
            fault=FAULT,
            round=number,
            asked=at(start + 2400),
            confirmed=at(start + 2401),
            found=True,
        )
    ]
    seen: list[AnyEvent] = [
        FaultSeen(
            fault=FAULT,
            round=number,
            messages=12,
            hit=12,
            missed=0,
            median=Duration.parse("41ms"),
            summary="41 ms on 12 messages",
        )
    ]
    return intended, undone, seen


def _traffic(
    number: int, start: int, outcomes: Sequence[OutcomeWord], overlapping: bool
) -> tuple[list[AnyEvent], list[AnyEvent]]:
    count = len(outcomes)
    if not count:
        return [], []
    first_op = number * 1_000
    sent_at = [start + 200 + (i * 0.1 if overlapping else i * 200) for i in range(count)]
    sent: list[AnyEvent] = [
        BurstWritten(round=number, burst=BURST, requests=count, warmed=count),
        *(
            OperationSent(
                op=first_op + i,
                operation="withdraw",
                round=number,
                burst=BURST,
                rid=f"{number}-{i}",
                request=i,
                sent=at(sent_at[i]),
            )
            for i in range(count)
        ),
        BurstReleased(
            round=number, burst=BURST, requests=count, first=at(sent_at[0]), last=at(sent_at[-1])
        ),
    ]
    returned: list[AnyEvent] = [
        OperationReturned(
            op=first_op + i,
            operation="withdraw",
            round=number,
            status={"acknowledged": 200, "rejected": 409, "unknown": None}[word],
            outcome=an_outcome(word),
            first=None if word == "unknown" else at(sent_at[i] + 100),
            last=at(sent_at[i] + 101),
        )
        for i, word in enumerate(outcomes)
    ]
    return sent, returned


def _wire(number: int, start: int, requests: int, overlapping: bool) -> list[AnyEvent]:
    gap = 0.1 if overlapping else 200
    turns: list[AnyEvent] = []
    for i in range(requests):
        arrived = start + 202 + i * gap
        turns += [
            HopRequestArrived(hop="db", conn=i, seq=number, arrived=at(arrived)),
            HopRequestEnded(
                hop="db",
                conn=i,
                seq=number,
                end="answered",
                ended=at(arrived + 41),
                injected=("latency",),
            ),
        ]
    counted = HopCounted(
        hop="db",
        round=number,
        connections=requests,
        bytes_up=900,
        bytes_down=700,
        turns=requests,
        dropped=0,
    )
    return [*turns, counted]


def a_run(
    rounds: int | Sequence[Sequence[AnyEvent]] = 3,
    *,
    plan: Plan | None = None,
    steady_after: Literal["held", "not held", "not judged"] = "held",
    finished: bool = True,
) -> list[AnyEvent]:
    """A complete run, numbered as a journal numbers it. With a number of rounds, all of them hold."""
    parts = [a_round(n + 1) for n in range(rounds)] if isinstance(rounds, int) else rounds
    plan = plan or a_plan(rounds=len(parts))
    events: list[AnyEvent] = [
        RunStarted(
            run="2026-11-25T10-12-31-bank-overdraft-atomic",
            mark="m1",
            pid=4711,
            plan=plan,
            environment={"python": "3.11.2", "cpus": 2},
        ),
        *(_steady("before", 1, held=True) if plan.steady_state else []),
    ]
    for part in parts:
        events += part
    if plan.steady_state and steady_after != "not judged":
        events += _steady("after", (len(parts) + 1) * _ROUND // MS, held=steady_after == "held")
    if finished:
        events.append(RunFinished())
    return numbered(events)


def _steady(when: Literal["before", "after"], start: int, *, held: bool) -> list[AnyEvent]:
    balance = 100 if held else 80
    return [
        ResetDone(round=None),
        a_reading(
            balance,
            purpose="steady-before" if when == "before" else "steady-after",
            round=None,
            asked=at(start),
        ),
        SteadyStateJudged(
            when=when,
            held=held,
            failing=() if held else ("balance == 100",),
            values={"balance": balance},
            final=True,
        ),
    ]


def numbered(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """The events with ``n``, ``t`` and ``at`` as a journal would set them."""
    return [
        msgspec.structs.replace(
            event, n=n, t=n * MS, at=f"2026-11-25T10:{n // 60 % 60:02d}:{n % 60:02d}.000000Z"
        )
        for n, event in enumerate(events, start=1)
    ]


def changed(
    events: Iterable[AnyEvent], which: Callable[[AnyEvent], bool], **fields: Any
) -> list[AnyEvent]:
    """The events, with the fields of those that ``which`` picks replaced. At least one must be."""
    before = list(events)
    picked = [which(event) for event in before]
    if not any(picked):
        raise AssertionError("no event was picked: the test would change nothing")
    return [
        msgspec.structs.replace(event, **fields) if pick else event
        for event, pick in zip(before, picked, strict=True)
    ]


def without(events: Iterable[AnyEvent], which: Callable[[AnyEvent], bool]) -> list[AnyEvent]:
    """The events that ``which`` does not pick. At least one must be."""
    before = list(events)
    kept = [event for event in before if not which(event)]
    if len(kept) == len(before):
        raise AssertionError("no event was picked: the test would change nothing")
    return kept


def a(kind: type, **fields: Any) -> Callable[[AnyEvent], bool]:
    """Picks the events of one kind whose fields have these values."""

    def which(event: AnyEvent) -> bool:
        return isinstance(event, kind) and all(
            getattr(event, name) == value for name, value in fields.items()
        )

    return which
