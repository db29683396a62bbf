"""Operations: filled requests and commands, and answers sorted by rule or by status."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.connections.answer import Headers
from harness.model.address import Address
from harness.model.errors import UserError
from harness.model.outcomes import Acknowledged, Outcome, Rejected, Unknown
from harness.model.plan import CommandCall, HttpCall, OperationPlan
from harness.model.units import Duration, Instant
from harness.traffic.answer import Answer, Ended, Failure
from harness.traffic.operation import Operation
from tests.support.sources import sources_at

APP = Address("127.0.0.1", 8000)


def operation(folder: Path = Path(), **changes: Any) -> Operation:
    plan: dict[str, Any] = {
        "name": "withdraw",
        "on": "app",
        "http": HttpCall(
            method="POST",
            path="/accounts/{account}/withdraw",
            headers={"Authorization": "Bearer {token}"},
            json={"amount": "{amount}", "key": "{rid}"},
            has_json=True,
        ),
        "vars": {"account": 1, "amount": [10, 20], "token": "t0p"},
        "timeout": Duration.of_s(30),
    }
    return Operation.compile(OperationPlan(**{**plan, **changes}), sources=sources_at(folder))


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Answer:
    kept = Headers()
    for name, value in headers.items():
        kept.append(name.replace("_", "-"), value)
    moments = {
        name: Instant.of_ns(ns) for name, ns in (("sent", 0), ("first", 1), ("last", 2_000_000))
    }
    return Answer(status=status, headers=kept, body=body, **moments)


def sort(came: Answer | Failure, **rules: str) -> Outcome:
    return operation(**rules).classify(came)


def body_of(request: bytes) -> bytes:
    return request.partition(b"\r\n\r\n")[2]


def test_a_request_when_filled_then_variables_keep_their_type() -> None:
    request = operation().request({"rid": "r-1", "n": 2}, APP)
    assert request.startswith(b"POST /accounts/1/withdraw HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n")
    assert b"\r\nAuthorization: Bearer t0p\r\n" in request
    assert b"\r\nContent-Type: application/json\r\n" in request
    assert body_of(request) == b'{"amount": 20, "key": "r-1"}'


def test_a_request_when_given_a_turn_then_lists_follow_it() -> None:
    bodies = [body_of(operation().request({"rid": "r", "n": 9}, APP, turn=t)) for t in range(3)]
    assert [b'"amount": 10' in body for body in bodies] == [True, False, True]


def test_a_request_when_values_are_given_then_they_come_before_its_own_variables() -> None:
    request = operation().request({"rid": "r", "amount": 7, "token": "captured"}, APP)
    assert b"Bearer captured" in request
    assert b'"amount": 7' in request


def test_a_request_when_a_value_is_missing_then_the_operation_is_named() -> None:
    with pytest.raises(UserError, match="operation withdraw: 'rid' has no value"):
        operation().request({}, APP)


def test_a_request_when_a_value_would_leave_its_place_then_cannot() -> None:
    request = operation().request({"rid": "r", "account": "../x?y=1 HTTP/1.1\r\nA: b"}, APP)
    assert request.startswith(
        b"POST /accounts/..%2Fx%3Fy%3D1%20HTTP%2F1.1%0D%0AA%3A%20b/withdraw HTTP"
    )
    with pytest.raises(UserError, match="line break"):
        operation().request({"rid": "r", "token": "x\r\nA: b"}, APP)


def test_a_request_when_it_asks_environment_and_files_then_is_filled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOKEN", "from env")
    (tmp_path / "key").write_text("from/file\n")
    call = HttpCall(
        method="POST", path="/{file:key}", headers={"X-Token": "{env:TOKEN}"}, body="{hops.db.url}"
    )
    request = operation(tmp_path, http=call).request({"hops": {"db": {"url": "u"}}}, APP)
    assert request.startswith(b"POST /from%2Ffile HTTP")
    assert b"\r\nX-Token: from env\r\n" in request
    assert body_of(request) == b"u"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Acknowledged()),
        (299, Acknowledged()),
        (302, Unknown("answered 302")),
        (404, Rejected()),
        (499, Rejected()),
        (500, Unknown("answered 500")),
        (101, Unknown("answered 101")),
    ],
)
def test_an_answer_when_there_are_no_rules_then_sorted_by_status(
    status: int, outcome: Outcome
) -> None:
    assert sort(answer(status)) == outcome


def test_an_answer_when_both_rules_match_then_is_acknowledged() -> None:
    rules = {"acknowledged": "status == 200", "rejected": "status < 500"}
    assert sort(answer(200), **rules) == Acknowledged()
    assert sort(answer(404), **rules) == Rejected()
    assert sort(answer(503), **rules) == Unknown("answered 503")


def test_an_answer_when_one_rule_is_given_then_no_default_stands_in_for_the_other() -> None:
    assert sort(answer(404), acknowledged="status == 201") == Unknown("answered 404")
    assert sort(answer(200), acknowledged="status == 201") == Unknown("answered 200")
    assert sort(answer(200), rejected="status == 409") == Unknown("answered 200")


@pytest.mark.parametrize(
    "rule",
    [
        "json.paid == 10",
        "json.price == 0.1",
        "headers['X-Result'] == 'done'",
        "'pai' in body",
        "elapsed == 2ms",
    ],
)
def test_a_rule_when_it_asks_any_part_of_an_answer_then_is_answered(rule: str) -> None:
    came = answer(body=b'{"paid": 10, "price": 0.1}', X_Result="done")
    assert sort(came, acknowledged=rule) == Acknowledged()


def test_a_rule_when_it_cannot_be_evaluated_then_does_not_match_and_says_why() -> None:
    outcome = sort(answer(body=b"<html>"), acknowledged="json.paid == 10")
    assert outcome == Unknown("answered 200; the body of the answer is not JSON")
    assert sort(answer(409, b"<html>"), acknowledged="json.ok", rejected="status == 409") == (
        Rejected()
    )


def test_a_rule_when_neither_true_nor_false_then_does_not_match() -> None:
    outcome = sort(answer(), acknowledged="status")
    assert outcome == Unknown("answered 200; the rule 'status' is neither true nor false")


def test_a_failure_when_sorted_then_is_unknown_whatever_the_rules() -> None:
    came = Failure(because="connection reset", status=200, last=Instant.of_ns(1))
    assert sort(came, acknowledged="true") == Unknown("connection reset")
    assert sort(came) == Unknown("connection reset")


@given(st.integers(100, 599), st.binary(max_size=20))
def test_any_answer_when_sorted_then_has_one_outcome_and_nothing_raises(
    status: int, body: bytes
) -> None:
    rules = {"acknowledged": "json.items[0].a == 1 / json.b", "rejected": "headers['x'] > 1"}
    assert isinstance(sort(answer(status, body), **rules), Acknowledged | Rejected | Unknown)


def night(**changes: Any) -> Operation:
    call = CommandCall(command="bash report.sh {folder}/x.log '{n} of {name}'", env={"V": "{rid}"})
    plan: dict[str, Any] = {"name": "night", "command": call, "timeout": Duration.of_s(30)}
    return Operation.compile(OperationPlan(**{**plan, **changes}), sources=sources_at())


def test_a_command_when_filled_then_no_value_becomes_a_second_word() -> None:
    values = {"folder": "/a b", "n": 2, "name": "c d'; rm", "rid": "r-1"}
    command = night().command(values)
    assert command.argv == ("bash", "report.sh", "/a b/x.log", "2 of c d'; rm")
    assert (command.env, command.timeout) == ({"V": "r-1"}, Duration.of_s(30))


def test_a_command_when_a_value_is_missing_then_the_operation_is_named() -> None:
    with pytest.raises(UserError, match="operation night: 'folder' has no value"):
        night().command({"n": 1})


def end_of(exit_code: int, output: str = "", errors: str = "", cut: str = "") -> Ended:
    at = Instant.of_ns(1)
    return Ended(
        exit_code=exit_code,
        output=output,
        errors=errors,
        cut=frozenset(cut.split()),
        sent=at,
        last=at,
    )


def test_a_command_when_there_are_no_rules_then_anything_but_0_is_unknown() -> None:
    assert night().classify(end_of(0)) == Acknowledged()
    assert night().classify(end_of(3)) == Unknown("exit code 3")
    assert night().classify(end_of(-15)) == Unknown("ended by SIGTERM")


def test_a_command_when_there_are_rules_then_they_see_its_code_and_both_texts() -> None:
    what = night(acknowledged="'done' in output", rejected="exit_code == 2 and 'busy' in errors")
    assert what.classify(end_of(1, output="all done")) == Acknowledged()
    assert what.classify(end_of(2, errors="busy")) == Rejected()
    assert what.classify(end_of(0)) == Unknown("exit code 0")


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [(126, "exit code 126"), (127, "exit code 127"), (-9, "ended by SIGKILL")],
)
def test_a_command_when_it_was_killed_or_could_not_run_something_then_is_never_rejected(
    exit_code: int, words: str
) -> None:
    """A script may have done half its work before the command that is not there."""
    what = night(acknowledged="exit_code == 0", rejected="exit_code != 0")
    expected = Unknown(f"{words}; rejected is not asked of such an end")
    assert what.classify(end_of(exit_code)) == expected
    assert what.classify(end_of(1)) == Rejected()
    assert night(acknowledged=f"exit_code == {exit_code}").classify(end_of(exit_code)) == (
        Acknowledged()
    )


def test_a_command_when_a_rule_reads_what_was_cut_then_is_unknown() -> None:
    cut = Unknown("printed more than 64 KiB, of which the rest was not kept")
    what = night(acknowledged="exit_code == 0 and not ('FAILED' in output)")
    assert what.classify(end_of(0, cut="output")) == cut
    assert what.classify(end_of(0, cut="errors")) == Acknowledged()
    both = night(acknowledged="exit_code == 0", rejected="errors == 'busy'")
    assert both.classify(end_of(0, cut="errors")) == Acknowledged()
    assert both.classify(end_of(1, errors="busy", cut="errors output")) == cut
    assert night().classify(end_of(0, cut="errors output")) == Acknowledged()


def test_a_key_when_filled_then_sees_what_the_request_sees() -> None:
    assert operation().key_of({"rid": "r-1"}) is None
    keyed = operation(key="{rid}/{amount}")
    assert [keyed.key_of({"rid": "r"}, turn=turn) for turn in range(3)] == ["r/10", "r/20", "r/10"]
    assert operation(key="{n}").key_of({"n": 7}) == "7"


def test_a_key_when_a_value_is_missing_then_says_that_it_is_the_key() -> None:
    with pytest.raises(UserError, match="operation withdraw: its key: 'order' has no value"):
        operation(key="{order}").key_of({"rid": "r"})
    with pytest.raises(UserError, match="operation withdraw: "):
        operation(key="{")
