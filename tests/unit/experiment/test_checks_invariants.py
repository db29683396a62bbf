"""Invariants that could not be judged, or that nothing could break."""

import pytest

from harness.model.units import Duration
from tests.unit.experiment.tiny import plans, problems

AT_END = "at_end: 100 - balance == 10 * acknowledged(withdraw)"
KEY = {"    acknowledged: status == 200": '    key: "{rid}"\n    acknowledged: status == 200'}
STOCK = "  stock: {http: GET /stock, value: json.count}"
KEYS = {STOCK: f"{STOCK}\n  keys: {{sql: SELECT key, list: true}}\n  last: {{sql: SELECT key}}"}


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("at_end: balance == 1", 0),
        ("at_end: acknowledged(withdraw) <= 10", 0),
        ("at_end: stock >= balance", 0),
        ("at_end: 1 == 1", 1),
        ("at_end: acknowledged(login) == 1", 1),
        ("always: balance >= 100 - 20 * acknowledged(withdraw)", 0),
        ("always: balance >= stock", 1),
        ("always: acknowledged(withdraw) >= 0", 1),
        ("always: balance >= unknown(withdraw)", 1),
        ("always: balance >= acknowledged(login)", 1),
    ],
)
def test_invariant_when_it_can_not_be_judged_then_is_told(tmp_path, source, wrong):
    assert len(problems(tmp_path, experiment={AT_END: source})) == wrong


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("monotonic: balance", None),
        ("monotonic: balance, direction: down, every: 1s", None),
        ("monotonic: balance + stock", "monotonic: monotonic reads balance and stock, which"),
        ("monotonic: balance - acknowledged(withdraw)", "monotonic: monotonic counts outcomes"),
        ("monotonic: '1'", "monotonic: monotonic reads no probe"),
        ("monotonic: balance >= 0", "monotonic: monotonic looks at a value"),
        ("bounded: balance, least: 0", None),
        ("bounded: balance, most: 2.5", None),
        ("bounded: balance, least: 1, most: 1", None),
        ("bounded: balance, most: 200MiB", None),
        ("bounded: balance", "bounded: has no bound"),
        ("bounded: balance, every: 1s", "bounded: has no bound"),
        ("bounded: balance, lest: 1", "lest: unknown key 'lest'"),
        ("bounded: balance, least: true", "least: found true"),
        ("bounded: not balance, least: 0", "bounded: bounded looks at a value"),
        ("bounded: balance - unknown(withdraw), least: 0", "bounded: bounded counts outcomes"),
        ("unique: keys", None),
        ("unique: stock", None),
        ("unique: last", "unique: the probe last has one value"),
        ("unique: '[1, 1]'", "unique: unique reads no probe"),
        ("unique: keys and last", "unique: unique looks at a value"),
        ("unique: '[rejected(withdraw), last]'", "unique: unique counts outcomes"),
        ("exactly_once: withdraw, keys: keys", None),
        ("exactly_once: withdraw, keys: stock", None),
        ("exactly_once: withdraw, keys: last", "keys: the probe last has one value"),
        ("exactly_once: withdraw, keys: kys", "keys: unknown probe 'kys'"),
        ("exactly_once: withdrawn, keys: keys", "exactly_once: unknown operation 'withdrawn'"),
        ("exactly_once: login, keys: keys", "exactly_once: the invariant is about login, which no"),
    ],
)
def test_invariant_when_it_looks_at_a_value_or_an_operation_then_that_is_what_it_says(
    tmp_path, source, says
):
    experiment = {f"\n    {AT_END}": f" {{{source}}}"}
    found = problems(tmp_path, experiment=experiment, target={**KEY, **KEYS})
    assert len(found) == (says is not None)
    assert says is None or found[0].startswith(f"invariants.conserved.{says}")


def test_exactly_once_when_the_operation_has_no_key_then_one_is_asked_for(tmp_path):
    experiment = {f"\n    {AT_END}": " {exactly_once: withdraw, keys: keys}"}
    assert problems(tmp_path, experiment=experiment, target=KEYS) == [
        "invariants.conserved.exactly_once: withdraw has no key:, so its effects cannot be told apart"
    ]


@pytest.mark.parametrize(
    ("source", "plan"),
    [
        ("always: balance >= 0", ("balance >= 0", ("balance",), Duration.of_ms(20), {})),
        ("at_end: balance >= stock", ("balance >= stock", ("balance", "stock"), None, {})),
        (
            "monotonic: ' balance ', direction: down, every: 1s",
            ("balance", ("balance",), Duration.of_s(1), {"direction": "down"}),
        ),
        (
            "bounded: balance, least: 0",
            ("balance", ("balance",), Duration.of_ms(20), {"least": 0, "most": None}),
        ),
        ("unique: keys", ("keys", ("keys",), None, {})),
        ("exactly_once: withdraw, keys: keys", ("withdraw", ("keys",), None, {"keys": "keys"})),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else "",
)
def test_invariant_when_right_then_the_plan_has_its_word_its_probes_and_its_attributes(
    tmp_path, source, plan
):
    experiment = {f"\n    {AT_END}": f" {{{source}}}"}
    naive, _ = plans(tmp_path, experiment=experiment, target={**KEY, **KEYS})
    one = naive.invariants[1]
    assert (one.expression, one.probes, one.every, one.params) == plan
