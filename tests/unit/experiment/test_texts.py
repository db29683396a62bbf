"""Expressions and templates in the files: names and columns, nothing evaluated."""

import pytest

from harness.experiment.draft import Draft
from harness.experiment.report import Report
from harness.experiment.source import parse
from harness.experiment.texts import (
    COMMAND_NAMES,
    Known,
    StateNames,
    answer_expression,
    expression,
    placeholders,
    sentence,
    state_expression,
    unknown_placeholder,
)

NAMES = StateNames(probes=["balance"], operations=["withdraw"])
KNOWN = Known(names=["amount", "token"], hops=["my-db"], services=["app"])


def draft(text):
    report = Report()
    return Draft(file="f", root=parse(f"a: {text}", "f", report), at=(), report=report)


def told(one):
    return [f"{p.column} {p.found}. {p.hint}" for p in one.report.problems]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("balance = 1", ["12 '=' is no operator here. Write '=='."]),
        ("balance >= wthdraw", ["15 unknown probe 'wthdraw'. To count the operation withdraw, write acknowledged(withdraw)."]),
        ("balance >= withdraw", ["15 unknown probe 'withdraw'. To count an operation, write acknowledged(withdraw)."]),
        ("balanc >= rejected(withdrew)", ["4 unknown probe 'balanc'. Did you mean balance?", "14 unknown operation 'withdrew'. Did you mean withdraw?"]),
        ("balance >= unknown(withdraw)", []),
    ],
)  # fmt: skip
def test_state_expression_when_it_names_what_is_not_there_then_column_and_nearest_are_told(
    source, says
):
    one = draft(source)
    state_expression(one, ("a",), source, NAMES)
    assert told(one) == says


def test_expression_when_it_does_not_parse_then_there_is_none():
    one = draft("(1")
    assert expression(one, ("a",), "(1") is None
    assert len(told(one)) == 1


def test_answer_expression_when_it_names_a_probe_or_counts_then_is_told():
    one = draft("balance == 1 and acknowledged(withdraw) == 1")
    answer_expression(one, ("a",), "balance == 1 and acknowledged(withdraw) == 1")
    assert len(told(one)) == 2
    answer_expression(
        one, ("a",), "status == 200 and json.a[0] == headers['x'] or body == '' and elapsed < 1s"
    )
    answer_expression(one, ("a",), None)
    assert len(told(one)) == 2


def test_answer_expression_when_of_a_command_then_has_other_names():
    source = "exit_code == 0 and status == 200"
    one = draft(source)
    answer_expression(one, ("a",), source, COMMAND_NAMES)
    assert told(one) == ["23 unknown name 'status'. Only an answer over HTTP has status."]
    one = draft(source)
    answer_expression(one, ("a",), source)
    assert told(one) == ["4 unknown name 'exit_code'. Only a command has exit_code."]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "{amount} {env:A} {file:b.txt} {{n}} {token.id} {hops.my-db.url} {services.app.port}",
            None,
        ),
        ("{amont}", "unknown placeholder 'amont'"),
        ("{hops.db.url}", "unknown hop 'db'"),
        ("{hops.my-db}", "names no address"),
        ("{hops.my-db.prt}", "unknown part of my-db 'prt'"),
        ("{services.ap.url}", "unknown service 'ap'"),
        ("{amount", "never closed"),
        ("}", "closes nothing"),
        ("{}", "names nothing"),
    ],
)
def test_template_when_it_names_what_is_not_there_then_is_told(text, says):
    one = draft(f'"{text}"')
    for found in placeholders(one, ("a",), text):
        unknown_placeholder(one, found, KNOWN)
    assert len(told(one)) == (says is not None)
    assert says is None or says in told(one)[0]


def test_placeholders_when_in_lists_and_mappings_then_each_has_its_place():
    one = draft("1")
    found = list(placeholders(one, ("a",), {"x": ["{p}", 3, None], "y": "{q.r}"}))
    assert [(each.path, each.root) for each in found] == [(("a", "x", 0), "p"), (("a", "y"), "q")]


def test_sentence_when_given_a_hint_then_ends_it():
    assert sentence("write ==") == "Write ==."
    assert sentence("") == ""
