"""What is sent: every placeholder has a value, every request its own."""

import pytest

from tests.unit.experiment.tiny import plans, problems

TOKEN = {'headers: {X-Request: "{rid}"}': 'headers: {Authorization: "Bearer {token}"}'}
PREPARE = {"rounds: 3": "prepare:\n  - {operation: login, capture: {token: json.token}}\nrounds: 3"}
BURST = "{operation: withdraw, concurrency: 2, vars: {amount: [10, 20]}}"


def test_placeholder_when_nothing_gives_it_a_value_then_is_told_in_the_target(tmp_path):
    assert problems(tmp_path, target=TOKEN) == [
        "operations.withdraw.headers.Authorization: unknown placeholder 'token'"
    ]


def test_placeholder_when_prepare_captures_it_then_is_right(tmp_path):
    (naive, _) = plans(tmp_path, target=TOKEN, experiment=PREPARE)
    assert naive.prepare[0].capture == {"token": "json.token"}


def test_capture_when_only_a_later_step_has_it_then_the_earlier_has_no_value(tmp_path):
    changed = {"http: POST /login": 'http: POST /login\n    headers: {A: "{token}"}'}
    assert problems(tmp_path, target=changed, experiment=PREPARE) == [
        "operations.login.headers.A: unknown placeholder 'token'"
    ]


def test_operation_when_no_burst_sends_it_then_its_placeholders_need_no_value(tmp_path):
    changed = {"http: POST /login": "http: POST /login/{nobody}"}
    assert problems(tmp_path, target=changed) == []


@pytest.mark.parametrize(
    ("values", "concurrency", "wrong"),
    [("[1, 2]", 2, 0), ("[1, 2]", 3, 1), ("[[1, 2], [3, 4]]", 2, 0), ("5", 50, 0)],
)
def test_list_when_shorter_than_the_burst_then_both_numbers_are_told(
    tmp_path, values, concurrency, wrong
):
    burst = f"{{operation: withdraw, concurrency: {concurrency}, vars: {{amount: {values}}}}}"
    found = problems(tmp_path, experiment={BURST: burst})
    assert len(found) == wrong
    assert not wrong or "2 values for 3 requests" in found[0]


def test_list_when_it_is_the_operations_own_then_is_told_at_the_burst(tmp_path):
    target = {"vars: {account: 1, amount: 10}": "vars: {account: [1], amount: 10}"}
    assert problems(tmp_path, target=target) == [
        "method[1].burst.concurrency: the variable 'account' of withdraw has 1 value for 2 requests"
    ]


def test_list_when_the_burst_has_its_own_then_the_operations_does_not_matter(tmp_path):
    target = {"vars: {account: 1, amount: 10}": "vars: {account: 1, amount: [1]}"}
    assert problems(tmp_path, target=target) == []


def test_burst_when_it_is_the_only_sender_and_wrong_then_no_count_is_called_idle(tmp_path):
    burst = BURST.replace("concurrency: 2", "concurrency: two")
    assert problems(tmp_path, experiment={BURST: burst}) == [
        "method[1].burst.concurrency: found the text 'two'"
    ]
