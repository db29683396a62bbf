"""Judging a breaker's history of a million events: how long it takes, and how much memory.

    python -m benchmarks.breaker_judge [--events 1000000] [--rounds 3] [--by-part]

A small breaker of this file's own (5 in a row, open for 1 s, 1 trial, call time-out 300 ms) is run in
virtual time through outages, healing, slowness, bursts of trials and partial faults at 200 calls/s; what a hop and
callers would have seen of it is the history. Each round is a process of its own, because the most
memory that a process ever had cannot be reset. Aim: under 10 s and 600 MiB, the history included.
"""

import argparse
import gc
import heapq
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from benchmarks._measuring import ROOT, machine, summary, versions
from harness.judge.breaker.judge import judge
from harness.judge.breaker.know import know
from harness.judge.breaker.registry import invariants
from harness.model.breaker import BreakerPlan, OpenTime, Rejection, Slow, Trials
from harness.model.breaker_history import Arrival, BreakerHistory, Call, FaultSpan, Phase, Sample
from harness.model.units import Duration

MS = 1_000_000
SECOND = 1000 * MS
MIB = 1 << 20

GAP = 5 * MS
THRESHOLD = 5
OPEN = 1 * SECOND
TIMEOUT = 300 * MS
LATENCY = 4 * MS
BURST_LATENCY = 120 * MS
SLOW = 10 * SECOND


@dataclass(frozen=True, slots=True)
class Part:
    """One phase of the script: its calls come every 5 ms."""

    number: int
    name: str
    seconds: int
    fault: str | None = None
    share: float = 1.0
    """Of the arrivals that the fault hits."""
    callers: int = 0
    """At once, when a trial is due, in the place of a call every 5 ms."""


BASELINE = Part(1, "baseline", 10)
# What is repeated until there are enough events.
ROUND = (
    Part(5, "outage", 20, fault="status"),
    Part(6, "heal", 40),
    Part(12, "slow", 16, fault="latency"),
    Part(6, "heal", 10),
    Part(8, "burst-good", 2, callers=100),
    Part(9, "burst-bad", 2, fault="status", callers=100),
    Part(18, "partial", 10, fault="status", share=0.3),
)


@dataclass(slots=True)
class Breaker:
    failures: int = 0
    opened: int | None = None
    trial: bool = False

    def admits(self, now: int) -> bool:
        if self.opened is None:
            return True
        if now < self.opened + OPEN or self.trial:
            return False
        self.trial = True
        return True

    def settled(self, now: int, admitted: int, *, ok: bool) -> None:
        if self.opened is not None:
            if self.trial and admitted >= self.opened + OPEN:
                self.trial = False
                self.opened, self.failures = (None, 0) if ok else (now, self.failures)
            return
        self.failures = 0 if ok else self.failures + 1
        if self.failures >= THRESHOLD:
            self.opened = now


@dataclass(slots=True)
class Maker:
    """Writes phases one after the other, until there are enough events."""

    rng: Random
    now: int = 0
    events: int = 0
    breaker: Breaker = field(default_factory=Breaker)
    calls: list[Call] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    faults: list[FaultSpan] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    settling: list[tuple[int, int, bool]] = field(default_factory=list)

    def history(self, events: int) -> BreakerHistory:
        self.write(BASELINE)
        while self.events < events:
            for part in ROUND:
                self.write(part)
        return BreakerHistory(
            declared=BreakerPlan(
                calls="fetch",
                behind="downstream",
                kind="consecutive",
                threshold=THRESHOLD,
                open=OpenTime(first=Duration.of_ns(OPEN)),
                trials=Trials(permits=1, to_close=1),
                call_timeout=Duration.of_ns(TIMEOUT),
                slow=Slow(over=Duration.of_ns(TIMEOUT // 2)),
                rejection=Rejection(status=503, within=Duration.of_ms(50)),
                process="app",
                script="full",
            ),
            phases=tuple(self.phases),
            calls=tuple(self.calls),
            faults=tuple(self.faults),
            samples=tuple(self.samples),
        )

    def write(self, part: Part) -> None:
        entered, planned = self.now, part.seconds * SECOND // GAP
        name = f"{part.name}#{len(self.phases)}"
        hit = 0
        for index, sent in enumerate(self.instants(part, entered)):
            hit += self.call(name, part, sent, latency=BURST_LATENCY if index > 9 else LATENCY)
            if index % 100 == 0:
                self.samples.append(Sample(at=sent, phase=name, pid=1, rss=MIB))
        self.now = entered + planned * GAP
        # Healing goes on at once; else whatever is under way ends within the call time-out.
        left = self.now if part.fault and not part.callers else self.now + 2 * TIMEOUT
        if part.callers or part.name == "heal":
            # Each phase begins closed; what the next one needs for that is no part of the history.
            self.breaker, self.settling = Breaker(), []
        self.phases.append(
            Phase(
                id=name,
                number=part.number,
                name=part.name,
                entered=entered,
                left=left,
                rate=None if part.callers else SECOND / GAP,
                planned=None if part.callers else planned,
                callers=part.callers or None,
                fault=part.fault,
                latency=SLOW if part.fault == "latency" else 0,
                given={"spread": 10 * MS} if part.callers else {},
            )
        )
        if part.fault:
            self.faults.append(
                FaultSpan(
                    phase=name,
                    kind=part.fault,
                    params={},
                    applied=(entered, entered),
                    undone=(self.now, self.now),
                    injected=hit,
                )
            )
        self.now = left

    def instants(self, part: Part, entered: int) -> Iterator[int]:
        """When its calls are sent; those of a burst once ten have opened it and a trial is due."""
        if not part.callers:
            yield from range(entered, entered + part.seconds * SECOND, GAP)
            return
        yield from range(entered, entered + 10 * 2 * GAP, 2 * GAP)
        due = entered + OPEN * 13 // 10
        yield from range(due, due + 10 * MS, 10 * MS // part.callers)

    def call(self, phase: str, part: Part, sent: int, *, latency: int) -> int:
        """One call; 1 if its arrival was hit by the fault."""
        while self.settling and self.settling[0][0] <= sent:
            settled, admitted, ok = heapq.heappop(self.settling)
            self.breaker.settled(settled, admitted, ok=ok)
        rid = f"r{len(self.calls):07d}"
        if not self.breaker.admits(sent):
            self.events += 2
            self.calls.append(
                Call(
                    rid=rid,
                    phase=phase,
                    due=sent,
                    sent=sent,
                    ended=sent + MS,
                    end="answered",
                    status=503,
                    answer="rejection",
                )
            )
            return 0
        self.events += 4
        tripping = part.callers > 0 and latency == LATENCY
        hit = tripping or (
            part.fault is not None and (part.share == 1 or self.rng.random() < part.share)
        )
        slow = hit and part.fault == "latency"
        ended = sent + (TIMEOUT if slow else latency if part.callers else LATENCY)
        status = None if slow else (500 if hit else 200)
        heapq.heappush(self.settling, (ended, sent, not hit))
        arrival = Arrival(
            conn=len(self.calls) % 64,
            seq=len(self.calls) // 64,
            arrived=sent + MS // 2,
            rid=rid,
            ended=ended,
            end="abandoned" if slow else "answered",
            status=status,
            began=not slow,
            injected=(part.fault,) if hit and part.fault else (),
        )
        self.calls.append(
            Call(
                rid=rid,
                phase=phase,
                due=sent,
                sent=sent,
                ended=ended + MS // 2,
                end="answered",
                status=status or 504,
                answer="other" if hit else "success",
                arrivals=(arrival,),
            )
        )
        return int(hit)


def peak() -> float:
    """The most memory that this process ever had, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / MIB if sys.platform == "darwin" else most / 1024


def measured(events: int, *, by_part: bool) -> dict[str, object]:
    """One round, in the process that asks."""
    maker = Maker(Random(1))
    history = maker.history(events)
    del maker.settling
    gc.collect()
    before = peak()
    if by_part:
        return {"parts": dict(parts(history))}
    began, worked = time.perf_counter(), time.process_time()
    result = judge(history)
    took, worked = time.perf_counter() - began, time.process_time() - worked
    return {
        "events": maker.events,
        "calls": len(history.calls),
        "seconds": took,
        "cpu": worked,
        "before": before,
        "peak": peak(),
        "verdicts": {finding.id: finding.verdict for finding in result.invariants},
    }


def parts(history: BreakerHistory) -> Iterator[tuple[str, float]]:
    """Seconds of the joining and folding, and of each invariant after it."""
    began = time.perf_counter()
    known = know(history)
    yield "know", time.perf_counter() - began
    for invariant in invariants():
        began = time.perf_counter()
        invariant.judge(known)
        yield invariant.subject.id, time.perf_counter() - began


def in_a_process(events: int, *more: str) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.breaker_judge", "--once", "--events", str(events)]
    done = subprocess.run(
        [*command, *more], check=True, capture_output=True, text=True, cwd=ROOT, timeout=600
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--by-part", action="store_true", help="seconds of each invariant")
    options.add_argument("--once", action="store_true", help="measure here and print JSON")
    chosen = options.parse_args()
    if chosen.once:
        print(json.dumps(measured(chosen.events, by_part=chosen.by_part)))
        return
    if chosen.by_part:
        found = in_a_process(chosen.events, "--by-part")["parts"]
        assert isinstance(found, dict)
        for name, seconds in sorted(found.items(), key=lambda pair: -pair[1]):
            print(f"  {name:<8} {seconds:6.2f} s")
        return
    rounds = [in_a_process(chosen.events) for _ in range(chosen.rounds)]
    first = rounds[0]
    print(f"judging {first['events']:,} events of {first['calls']:,} calls, all 26 invariants")
    print(f"  time              {summary([float(str(r['seconds'])) for r in rounds], 's')}")
    print(f"  CPU of it         {summary([float(str(r['cpu'])) for r in rounds], 's')}")
    print(f"  most memory       {summary([float(str(r['peak'])) for r in rounds], 'MiB')}")
    print(f"  the history alone {summary([float(str(r['before'])) for r in rounds], 'MiB')}")
    print("  aim               under 10 s and 600 MiB")
    print(f"  verdicts          {first['verdicts']}")
    print(f"  {machine()}; {versions('harness', 'msgspec')}")


if __name__ == "__main__":
    main()
