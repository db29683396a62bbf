"""Commands and variables, as they are looked at before anything is started."""

import pytest

from harness.experiment.checks_commands import check_command, check_env
from harness.experiment.draft import Draft
from harness.experiment.report import Report
from harness.experiment.source import parse


@pytest.fixture
def draft():
    report = Report()
    return Draft(file="f", root=parse("a: 1", "f", report), at=(), report=report)


def found(draft):
    return [problem.found for problem in draft.report.problems]


@pytest.mark.parametrize(
    "command",
    [
        "bash night.sh",
        'bash night.sh "{folder}/a b" {n}',
        "psql {hops.db.url} -c 'SELECT 1'",
        "awk '{{print}}'",
        # Told by whoever looks for placeholders, with its column.
        "awk '{print $1}'",
    ],
)
def test_command_when_it_can_be_split_then_nothing_is_told(draft, command):
    check_command(draft, ("a",), command)
    assert found(draft) == []


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("bash 'night.sh", "the command cannot be split into words: no closing quotation"),
        ("bash night.sh \\", "the command cannot be split into words: no escaped character"),
        ("", "the command is empty"),
        ("  ", "the command is empty"),
        ("bash { n }", "the command is split into words within a placeholder"),
        ("redis-cli -u redis://:secret@h", "the URL holds a password in plain text"),
    ],
)
def test_command_when_it_cannot_then_is_told(draft, command, says):
    check_command(draft, ("a",), command)
    assert found(draft) == [says]


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"A": "b", "c.d": ""}, 0),
        ({"A=B": "c"}, 1),
        ({"": "c"}, 1),
        ({"A": "b\0c"}, 1),
        ({"URL": "mysql://u:secret@h/a"}, 1),
    ],
)
def test_env_when_it_cannot_be_one_then_is_told(draft, env, told):
    check_env(draft, ("a",), env)
    assert len(found(draft)) == told
