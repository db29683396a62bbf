"""A problem says where, what was found, what was expected, and how to go on."""

from harness.model.errors import Problem, TargetError, UserError


def problem(**changes):
    parts = {
        "file": "bank.yaml",
        "line": 7,
        "column": 14,
        "key": "method[0].fault.latency",
        "found": "40 has no unit",
        "expected": "a duration",
        "hint": "Write 40ms or 40s.",
    }
    return Problem(**(parts | changes))


def test_problem_when_shown_then_has_all_its_parts_in_order():
    assert str(problem()) == (
        "bank.yaml:7:14 method[0].fault.latency: 40 has no unit. Expected a duration. "
        "Write 40ms or 40s."
    )


def test_problem_when_the_file_could_not_be_read_then_has_no_place_in_it():
    shown = str(problem(line=None, column=None, key="", found="no such file", expected="", hint=""))
    assert shown == "bank.yaml: no such file."


def test_user_error_when_it_has_problems_then_shows_each_on_a_line_and_the_hint_last():
    error = UserError(problems=(problem(), problem(line=9)), hint="Mend both.")
    assert [line[:12] for line in str(error).splitlines()] == [
        "bank.yaml:7:",
        "bank.yaml:9:",
        "Mend both.",
    ]


def test_target_error_when_shown_then_names_what_failed_and_its_own_words():
    assert str(TargetError("probe balance", "no such table", "Look at reset.")) == (
        "probe balance: no such table\nLook at reset."
    )
