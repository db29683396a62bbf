"""What a breaker names is there, its ids have a place, and its script has the time it needs."""

import pytest

from harness.model.errors import UserError
from harness.model.units import Duration
from tests.unit.experiment.breakers import BREAKER, block, plans, problems, told


def test_breaker_when_only_what_it_guards_is_told_then_is_right(tmp_path):
    assert problems(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (block("threshold: 5", calls="chekout"), "breaker.calls: unknown operation 'chekout'"),
        (block("threshold: 5", behind="payment"), "breaker.behind: unknown hop 'payment'"),
        (
            block("threshold: 5", calls="night"),
            "breaker.calls: night is a command, and a breaker is called over HTTP",
        ),
        (
            block("threshold: 5", calls="entry"),
            "breaker.behind: entry calls gate, and the hop payments is dialled by app",
        ),
        (block("process: ap"), "breaker.process: unknown service 'ap'"),
        (
            block("process: store"),
            "breaker.process: store is no process that a command of the target file starts",
        ),
        (block("call_timeout: 5s"), "breaker.call_timeout: the service gives up after 5s"),
        (
            block("id: path", calls="plain"),
            "breaker.id: the path of plain is /plain, where no segment is the request's id",
        ),
        (
            block("id: {query: cart}"),
            "breaker.id.query: checkout has a parameter cart already",
        ),
        (
            block("id: {header: x-trace}"),
            "breaker.id: checkout sets the header X-Trace itself, to 't-{rid}'",
        ),
        (
            block('isolation: key, key: "{acount}"'),
            "breaker.key: unknown variable of checkout 'acount'",
        ),
        (
            block("isolation: key, key: all"),
            "breaker.key: 'all' is one circuit for all calls",
        ),
        (
            block('isolation: key, key: "{rid}"'),
            "breaker.key: {rid} differs from call to call, so each would have a circuit of its own",
        ),
        (block("phases: [trips]"), "breaker.phases[0]: unknown phase 'trips'"),
        (
            block("phases: [burst, memory]"),
            "breaker.phases[1]: memory is no phase of the quick script",
        ),
    ],
)
def test_breaker_when_it_names_what_does_not_fit_then_that_is_told(tmp_path, change, says):
    found = problems(tmp_path, change)
    assert len(found) == 1
    assert found[0].startswith(says)


def test_operation_when_it_sets_the_default_header_itself_then_another_is_asked_for(tmp_path):
    own = ("X-Trace:", "X-Request-ID:")
    (line,) = told(tmp_path, own)
    assert "breaker.calls: checkout sets the header X-Request-ID itself, to 't-{rid}'" in line
    assert problems(tmp_path, own, ("t-{rid}", "{rid}")) == []
    assert problems(tmp_path, own, block("id: {header: x-own}")) == []


@pytest.mark.parametrize(
    "keys",
    ["id: path", "id: {query: id}", "id: traceparent", "id: {header: x-own}", "process: app"],
)
def test_breaker_when_its_ids_have_a_place_then_is_right(tmp_path, keys):
    assert problems(tmp_path, block(keys)) == []


@pytest.mark.parametrize(
    ("values", "wrong"), [("[ann, ben]", 0), ("[ann]", 0), ("ann", 0), ("[ann, ann, ben]", 1)]
)
def test_key_when_it_is_of_a_list_then_its_first_two_values_differ(tmp_path, values, wrong):
    keyed = block('isolation: key, key: "shop-{account}"')
    assert len(problems(tmp_path, ("account: [ann, ben]", f"account: {values}"), keyed)) == wrong


def test_traceparent_when_the_operation_sets_it_then_is_told(tmp_path):
    (line,) = problems(tmp_path, ("X-Trace:", "Traceparent:"), block("id: traceparent"))
    assert line.startswith("breaker.id: checkout sets the header Traceparent itself")


@pytest.mark.parametrize(("calls", "behind"), [("checkout", "free"), ("checkout", "store")])
def test_hop_when_nobody_is_said_to_dial_it_or_it_speaks_no_http_then_is_right(
    tmp_path, calls, behind
):
    """What the hop shows decides; a store's is judged by counts, if at all."""
    assert problems(tmp_path, block("threshold: 5", calls=calls, behind=behind)) == []


def test_hop_when_its_service_is_named_instead_then_the_hop_is_told(tmp_path):
    renamed = ("payments: {from: app", "pay: {from: app"), ("hops.payments.url", "hops.pay.url")
    free = ("\n    free: {to: payments}", "")
    (line,) = told(tmp_path, *renamed, free, block("threshold: 5"))
    assert line.endswith("payments is a service; the hop to it is pay.")


def test_variants_when_invariants_are_named_by_number_then_those_of_a_breaker(tmp_path):
    named = "variants: {bad: {violated: [BRK-01, BRK-26, steady-state]}, good: held}\n"
    assert problems(tmp_path, (BREAKER, named + BREAKER)) == []
    wrong = named.replace("BRK-26", "BRK-27")
    (line,) = problems(tmp_path, (BREAKER, wrong + BREAKER))
    assert line == "variants.bad.violated[1]: unknown invariant 'BRK-27'"
    (line,) = told(tmp_path, (BREAKER, named.replace("BRK-01", "brk-1") + BREAKER))
    assert line.endswith("Expected BRK-01 to BRK-26, or steady-state. Did you mean BRK-01?")


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ("method: [{burst: {operation: checkout, concurrency: 2}}]", "method"),
        ("invariants: {fits: {at_end: left == 0}}", "invariants"),
    ],
)
def test_breaker_when_a_method_or_invariants_stand_beside_it_then_is_refused(tmp_path, more, where):
    (line,) = problems(tmp_path, (BREAKER, f"{more}\n{BREAKER}"))
    assert line == f"{where}: {where} stands beside breaker"


def test_breaker_when_what_else_an_experiment_has_stands_beside_it_then_is_right(tmp_path):
    beside = "steady_state: [left == 0]\nprepare: [{operation: plain}]\nseed: 7\nrounds: 20\n"
    assert problems(tmp_path, (BREAKER, beside + BREAKER)) == []


def test_breaker_when_it_is_wrong_itself_then_no_method_is_asked_for(tmp_path):
    assert problems(tmp_path, (BREAKER, "breaker: {calls: checkout}")) == [
        "breaker: the key 'behind' is missing"
    ]
    (line,) = problems(tmp_path, (BREAKER, "breaker:"))
    assert line == "breaker: there is nothing behind the colon"


MINUTE = block("threshold: 5, open: 60s, call_timeout: 1s")


def test_time_when_the_script_needs_more_then_is_refused_before_it_starts(tmp_path):
    timed = (MINUTE[0], f"time: 5min\n{MINUTE[1]}")
    (line,) = told(tmp_path, timed)
    said = "breaker.open: with 60s open the quick script takes 16 min, and the run may take 300s."
    assert said in line
    assert "Expected time: 16min, or --time 16min." in line
    assert line.endswith("Or configure a shorter open time in the service for the test.")
    with pytest.raises(UserError, match="the run may take 60s"):
        plans(tmp_path, MINUTE, time_limit=Duration.of_s(60))
    assert problems(tmp_path, (MINUTE[0], f"time: 16min\n{MINUTE[1]}")) == []


def test_time_when_nothing_limits_it_then_grows_with_the_script(tmp_path):
    short, _ = plans(tmp_path, block("threshold: 5, open: 2s"))
    assert short.time_limit == Duration.of_s(600)
    long, _ = plans(tmp_path, MINUTE)
    assert long.time_limit > Duration.of_s(2 * 15 * 60)
    full, _ = plans(tmp_path, block("threshold: 5, open: 60s, call_timeout: 1s, script: full"))
    assert full.time_limit > Duration.of_s(2 * 3600)


def test_time_when_the_open_time_is_not_declared_then_nothing_is_refused(tmp_path):
    assert problems(tmp_path, (BREAKER, f"time: 30s\n{BREAKER}")) == []


def test_rounds_when_far_too_many_then_are_refused(tmp_path):
    (line,) = problems(tmp_path, (BREAKER, f"rounds: 1001\n{BREAKER}"))
    assert line == "rounds: each burst of trials is repeated 1001 times"
