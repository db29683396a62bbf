"""Drafts to plans: defaults, ids, order, and a plan that a journal can carry."""

import msgspec
import pytest

from harness.experiment.load import load
from harness.kinds import to_params
from harness.model.breaker import BreakerPlan, OpenTime
from harness.model.plan import (
    ArrivalsStep,
    BurstStep,
    CommandCall,
    FaultStep,
    HeaderMatch,
    Plan,
)
from harness.model.units import Duration, from_builtin, to_builtin
from tests.unit.experiment import breakers
from tests.unit.experiment.tiny import KINDS, Limits, Run, plans

BURST = "{operation: withdraw, concurrency: 2, vars: {amount: [10, 20]}}"


def test_plan_when_resolved_then_is_this(tmp_path, snapshot, monkeypatch):
    monkeypatch.chdir(tmp_path)
    naive, _ = plans(tmp_path)
    text = msgspec.json.format(msgspec.json.encode(naive, enc_hook=to_builtin)).decode()
    assert text.replace(str(tmp_path), "FOLDER") == snapshot


def test_plan_when_written_and_read_then_is_the_same(tmp_path):
    for plan in plans(tmp_path):
        written = msgspec.json.encode(plan, enc_hook=to_builtin)
        assert msgspec.json.decode(written, type=Plan, dec_hook=from_builtin) == plan


def test_ids_when_steps_repeat_then_are_unique(tmp_path):
    more = "\n  - fault: {on: db, latency: 1ms}\n  - burst: [{operation: withdraw, concurrency: 1}, {operation: login, concurrency: 1}]\n  - burst: {operation: withdraw, concurrency: 2}"
    naive, _ = plans(tmp_path, experiment={BURST: BURST + more})
    assert [step.id for step in naive.method] == [
        "latency@db", "withdraw", "latency@db#2", "withdraw+login", "withdraw#2"
    ]  # fmt: skip


def test_fault_when_everything_is_given_then_everything_is_in_the_plan(tmp_path):
    naive, _ = plans(tmp_path)
    fault, burst = naive.method
    assert fault == FaultStep(
        id="latency@db",
        kind="latency",
        on="db",
        params={"latency": "40ms", "jitter": "10ms"},
        stream="upstream",
        toxicity=0.3,
        lasts=Duration.of_s(10),
    )
    assert isinstance(burst, BurstStep) and burst.hold == Duration.of_ms(100)


FAULT = "latency: 40ms, jitter: 10ms, for: 10s, stream: upstream, toxicity: 30%"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        pytest.param("latency: 40ms", {}, id="nothing"),
        pytest.param("latency: 40ms, per: connection, codec: turn, skip: 0", {}, id="defaults"),
        pytest.param(
            "latency: 40ms, per: request, codec: postgres, skip: 3, first: 2, seed: 7",
            {"per": "request", "codec": "postgres", "skip": 3, "first": 2, "seed": 7},
            id="all",
        ),
        pytest.param("latency: 40ms, seed: 0", {"seed": 0}, id="zero-is-a-seed"),
        pytest.param(
            "latency: 40ms, match: {header: X-Request-Id, values: [a, b]}",
            {
                "per": "request",
                "codec": "http",
                "match": HeaderMatch(header="X-Request-Id", values=("a", "b")),
            },
            id="match-reads-requests",
        ),
        pytest.param("status: 503", {"per": "request"}, id="requests-by-its-kind"),
        pytest.param("status: 503, per: connection", {"per": "connection"}, id="against-its-kind"),
        pytest.param("down: true", {"stream": None}, id="no-toxic"),
    ],
)
def test_fault_when_it_says_whom_it_hits_then_the_plan_has_what_is_no_default(
    tmp_path, fault, told
):
    target = {"postgres: {embedded: postgres}": 'postgres: {url: "tcp://127.0.0.1:1"}'}
    target |= {"reset: {sql: reset.sql, on: postgres}": "reset: {http: POST /reset}"}
    target |= {
        'balance: {sql: "SELECT balance FROM accounts WHERE id = 1", on: postgres}':
        "balance: {http: GET /balance, value: json.value}"
    }  # fmt: skip
    naive, _ = plans(tmp_path, experiment={FAULT: fault}, target=target)
    step, plain = naive.method[0], FaultStep(id="", kind="", on="", params={})
    keys = ("stream", "toxicity", "per", "codec", "skip", "first", "match", "seed", "lasts")
    assert {k: getattr(step, k) for k in keys if getattr(step, k) != getattr(plain, k)} == told


def test_limit_when_not_given_then_is_ten_minutes_or_what_the_rounds_may_take(tmp_path):
    few, _ = plans(tmp_path)
    assert few.time_limit == Duration.of_s(600)
    many, _ = plans(tmp_path, rounds=100)
    assert many.time_limit > Duration.of_s(100 * (30 + 10))
    told, _ = plans(tmp_path, experiment={"rounds: 3": "rounds: 3\ntime: 90s"})
    assert told.time_limit == Duration.of_s(90)


def test_reset_when_it_names_a_file_then_the_plan_has_its_whole_path(tmp_path):
    naive, _ = plans(tmp_path)
    (reset,) = naive.target.resets
    assert reset.params == {"file": str((tmp_path / "reset.sql").resolve())}


def test_variants_when_asked_for_and_not_in_the_file_then_are_expected_to_hold(tmp_path):
    changed = {
        "variants: {naive: {violated: [conserved, steady-state]}, atomic: held}": "variants: {atomic: violated}"
    }
    asked = plans(tmp_path, experiment=changed, variants=["naive", "atomic"])
    assert [(p.variant, p.expected.verdict) for p in asked] == [
        ("atomic", "violated"),
        ("naive", "held"),
    ]


@pytest.mark.parametrize(
    ("rounds", "full", "enough"),
    [
        pytest.param(6, False, 5, id="more-than-enough"),
        pytest.param(5, False, None, id="just-enough"),
        pytest.param(6, True, None, id="all-asked-for"),
    ],
)
def test_plan_when_a_violation_is_expected_then_five_rounds_of_it_are_enough(
    tmp_path, rounds, full, enough
):
    naive, atomic = plans(tmp_path, rounds=rounds, full=full)
    assert (naive.rounds, naive.stop_after) == (rounds, enough)
    assert (atomic.rounds, atomic.stop_after) == (rounds, None)


def test_plan_when_all_is_done_by_commands_then_there_is_no_service(tmp_path):
    path = tmp_path / "e.yaml"
    path.write_text(
        "experiment: e\n"
        "target:\n"
        "  target: reports\n"
        "  variants: {bare: {env: {FORM: bare}}}\n"
        '  reset: {command: "rm -f {folder}/a.log"}\n'
        '  operations: {night: {command: "bash night.sh {folder}/a.log {n}", key: "{n}"}}\n'
        '  probes: {torn: {file: "{folder}/a.log", record: "a{2}", count: torn}}\n'
        "method:\n  - burst: {operation: night, concurrency: 2}\n"
        "invariants:\n  whole: {at_end: torn == 0}\n"
    )
    (plan,) = load([path], kinds=KINDS, seed=1, rounds=None, time_limit=None)
    assert plan.target.services == ()
    (night,) = plan.target.operations
    assert night.http is None and night.on == "" and night.key == "{n}"
    command = CommandCall(command="bash night.sh {folder}/a.log {n}", env={"FORM": "bare"})
    assert night.command == command
    (reset,), (probe,) = plan.target.resets, plan.target.probes
    assert (reset.on, probe.on, probe.params["record"]) == ("", "", "a{2}")


def test_plan_when_a_service_has_limits_then_they_are_plain_values(tmp_path):
    ready = "    ready: {http: GET /healthz, within: 5s}"
    naive, _ = plans(tmp_path, target={ready: f"{ready}\n    limits: {{files: 256}}"})
    assert naive.target.services[1].params["limits"] == {"files": 256}
    assert to_params(Run.Params, naive.target.services[1].params).limits == Limits(files=256)


ARRIVALS = "{operation: login, rate: 50/s, for: 10s}"


@pytest.mark.parametrize(
    ("arrivals", "cap"),
    [
        pytest.param(ARRIVALS, 500, id="as-many-as-are-planned"),
        pytest.param("{operation: login, rate: 100/s, for: 60s}", 3001, id="rate-by-timeout"),
        pytest.param("{operation: login, rate: 1000/s, for: 60s}", 10_000, id="no-more-than-that"),
        pytest.param("{operation: login, rate: 1/s, for: 600s}", 500, id="no-less-than-that"),
        pytest.param("{operation: login, rate: 50/s, for: 10s, cap: 7}", 7, id="its-own"),
    ],
)
def test_arrivals_when_no_cap_is_told_then_there_is_room_for_all_that_may_hang(
    tmp_path, arrivals, cap
):
    naive, _ = plans(tmp_path, experiment={BURST: f"{BURST}\n  - arrivals: {arrivals}"})
    step = naive.arrivals[0]
    assert step.cap == cap and step.requests >= 500


def test_arrivals_when_resolved_then_are_a_step_with_an_id_of_its_own(tmp_path):
    both = f"{BURST}\n  - arrivals: {{operation: withdraw, rate: 3000/min, for: 2s, vars: {{amount: 1}}}}"
    naive, _ = plans(tmp_path, experiment={BURST: both})
    assert naive.method[-1] == ArrivalsStep(
        id="withdraw#2",
        operation="withdraw",
        rate=50.0,
        lasts=Duration.of_s(2),
        cap=100,
        vars={"amount": 1},
    )
    (burst,) = naive.bursts
    assert burst.id == "withdraw"


def test_limit_when_arrivals_last_then_grows_with_them(tmp_path):
    long = f"{BURST}\n  - arrivals: {{operation: login, rate: 1/s, for: 10min}}"
    naive, _ = plans(tmp_path, experiment={BURST: long})
    assert naive.time_limit > Duration.of_s(3 * 600)


def test_breaker_when_resolved_then_stands_in_the_place_of_rounds(tmp_path):
    keys = "threshold: 5, open: 2s"
    good, bad = breakers.plans(tmp_path, breakers.block(keys))
    assert good.breaker == BreakerPlan(
        calls="checkout", behind="payments", threshold=5, open=OpenTime(first=Duration.of_s(2))
    )
    assert (good.rounds, good.stop_after, good.method, good.invariants) == (1, None, (), ())
    assert bad.breaker == good.breaker


@pytest.mark.parametrize(
    ("file", "asked", "bursts"), [("", None, None), ("rounds: 20\n", None, 20), ("", 1, 1)]
)
def test_breaker_when_rounds_are_told_then_so_often_is_each_burst_repeated(
    tmp_path, file, asked, bursts
):
    changed = (breakers.BREAKER, f"{file}variants: {{bad: violated}}\n{breakers.BREAKER}")
    (plan,) = breakers.plans(tmp_path, changed, rounds=asked)
    assert plan.breaker.bursts == bursts
    assert (plan.rounds, plan.stop_after) == (1, None)


def test_breaker_when_written_and_read_then_is_the_same(tmp_path):
    keys = (
        "threshold: 50%, kind: time-window, window: 10s, open: {first: 2s, factor: 2, jitter: 10%}, "
        "call_timeout: none, fallback: {json: null}, phases: [burst]"
    )
    for plan in breakers.plans(tmp_path, breakers.block(keys)):
        written = msgspec.json.encode(plan, enc_hook=to_builtin)
        assert msgspec.json.decode(written, type=Plan, dec_hook=from_builtin) == plan
