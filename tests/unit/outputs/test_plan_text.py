"""The dry run says what would happen, in words, with every template as it is written."""

from typing import Any

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from harness.model.breaker import BreakerPlan, OpenTime
from harness.model.plan import (
    BurstPart,
    BurstStep,
    Expected,
    FaultStep,
    HeaderMatch,
    HopPlan,
    HttpCall,
    Plan,
    PreparePlan,
    ReadyPlan,
    ServicePlan,
)
from harness.model.units import Duration
from harness.outputs.plan_text import WIDTH, plan_text
from tests.support.journals import LATENCY, a_plan, an_arrivals_step

replace = msgspec.structs.replace


def words(step: FaultStep) -> str:
    return f"{step.params['latency']} {step.kind}"


def with_service(plan: Plan, service: ServicePlan) -> Plan:
    return replace(plan, target=replace(plan.target, services=(service,)))


def a_known_bug() -> Plan:
    expected = Expected(verdict="violated", invariants=("money-conserved",))
    return a_plan(variant="naive", expected=expected, rounds=20)


def test_plan_text_when_two_variants_differ_in_nothing_else_then_they_are_told_once(
    snapshot: SnapshotAssertion,
) -> None:
    text = plan_text([a_known_bug(), a_plan(rounds=20)], describe=words)
    assert text.count("in each of 20 rounds") == 1
    assert text == snapshot


def test_plan_text_when_everything_is_used_then_everything_is_told(
    snapshot: SnapshotAssertion,
) -> None:
    plan = a_plan(
        rounds=1,
        variant=None,
        method=(
            FaultStep(
                id="latency@db",
                kind="latency",
                on="db",
                params={"latency": "40ms"},
                stream="upstream",
                toxicity=0.3,
                lasts=Duration.of_s(5),
            ),
            BurstStep(
                id="burst",
                parts=(
                    BurstPart(
                        operation="withdraw", concurrency=50, vars={"amount": 10, "who": "Ann"}
                    ),
                    BurstPart(operation="unknown-here", concurrency=2),
                ),
                hold=Duration.of_ms(100),
            ),
        ),
    )
    app = ServicePlan(
        name="app",
        kind="run",
        params={"run": "uvicorn bank.app:app --port {port}"},
        env={"DATABASE_URL": "{hops.db.url}", "TOKEN": "{env:TOKEN}"},
        ready=ReadyPlan(http=HttpCall(method="GET", path="/healthz"), limit=Duration.of_s(30)),
    )
    base = ServicePlan(
        name="postgres",
        kind="url",
        params={"url": "postgresql://{env:DB_USER}:{env:DB_PASSWORD}@127.0.0.1/app"},
    )
    target = replace(
        plan.target,
        services=(base, app),
        hops=(HopPlan(name="db", source=None, to="postgres", listen="127.0.0.1:15432"),),
    )
    plan = replace(
        plan,
        target=target,
        prepare=(PreparePlan(operation="login", capture={"token": "json.token"}),),
    )
    text = plan_text([plan], describe=words)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text == snapshot


def test_plan_text_when_a_password_stands_in_a_url_then_it_is_not_repeated() -> None:
    service = ServicePlan(
        name="db", kind="url", params={"url": "postgresql://me:hunter2@127.0.0.1/app"}
    )
    text = plan_text([with_service(a_plan(), service)], describe=words)
    assert "postgresql://me:•••@127.0.0.1/app" in text
    assert "hunter2" not in text


def test_plan_text_when_variants_start_different_services_then_each_is_told() -> None:
    other = with_service(
        a_known_bug(), ServicePlan(name="app", kind="run", params={"run": "other"})
    )
    text = plan_text([other, a_plan(rounds=20)], describe=words)
    assert text.count("in each of 20 rounds") == 2


def test_plan_text_when_a_file_speaks_to_the_terminal_then_nothing_acts_on_it() -> None:
    evil = replace(a_plan(), title="\x1b[2J")
    assert "\x1b" not in plan_text([evil], describe=words)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        pytest.param({}, "downstream, until the end", id="all"),
        pytest.param({"toxicity": 0.3}, "on 30 % of connections", id="share"),
        pytest.param({"toxicity": 0.3, "per": "request"}, "on 30 % of requests", id="per-request"),
        pytest.param({"per": "request"}, "downstream, on each request, until", id="each"),
        pytest.param(
            {"skip": 3, "first": 2, "per": "request"},
            "lets 3 requests pass, hits 2 requests and then none, until",
            id="window",
        ),
        pytest.param({"skip": 1}, "lets 1 connection pass, until", id="skip-one"),
        pytest.param({"first": 1}, "hits 1 connection and then none", id="first-one"),
        pytest.param(
            {
                "per": "request",
                "codec": "http",
                "match": HeaderMatch(header="x-request-id", values=("a", "b")),
                "first": 2,
            },
            "on requests whose x-request-id is a or b, hits 2 requests and then none, until",
            id="match",
        ),
        pytest.param({"codec": "redis", "seed": 7}, "read as redis, seed 7", id="codec"),
        pytest.param({"stream": None}, "on hop db (app → postgres), until the end", id="no-toxic"),
        pytest.param({"lasts": Duration.of_s(5)}, "downstream, for 5 s", id="for"),
    ],
)
def test_plan_text_when_a_fault_says_whom_it_hits_then_so_do_its_words(
    changed: dict[str, Any], says: str
) -> None:
    text = plan_text([a_plan(method=[replace(LATENCY, **changed)])], describe=words)
    assert says in " ".join(text.split())


def test_plan_text_when_a_breaker_is_judged_then_its_script_stands_in_the_place_of_rounds(
    snapshot: SnapshotAssertion,
) -> None:
    declared = BreakerPlan(
        calls="withdraw",
        behind="db",
        threshold=5,
        open=OpenTime(first=Duration.of_s(2)),
        call_timeout=Duration.of_s(1),
    )
    plan = replace(a_plan(rounds=1, method=(), invariants=()), breaker=declared)
    text = plan_text([plan], describe=words)
    assert "the rounds" not in text and "one round" not in text
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text == snapshot


def test_plan_text_when_requests_arrive_at_a_rate_then_says_how_many_how_fast_and_the_cap() -> None:
    step = replace(an_arrivals_step(rate=50, requests=500), vars={"amount": 20})
    text = " ".join(plan_text([a_plan(method=[LATENCY, step])], describe=words).split())
    assert (
        "arrivals 500 × withdraw (POST /accounts/1/withdraw on app with amount=20), 50 a second for "
        "10 s whatever became of those before; at most 30 in flight, then until all have ended"
    ) in text
    unknown = replace(step, operation="nowhere")
    assert "arrivals 500 × nowhere, 50 a second" in " ".join(
        plan_text([a_plan(method=[unknown])], describe=words).split()
    )
