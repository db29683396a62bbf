"""Drafts to plans: defaults, ids, order, and a plan that a journal can carry."""

import msgspec
import pytest

from harness.model.plan import BurstStep, FaultStep, HeaderMatch, Plan
from harness.model.units import Duration, from_builtin, to_builtin
from tests.unit.experiment.tiny import plans

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
