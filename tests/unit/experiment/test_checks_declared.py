"""Keys of a breaker that only make sense together: the one to blame is named, with the way out."""

import pytest

from tests.unit.experiment.breakers import block, problems, told


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (
            "threshold: 50%",
            "breaker.threshold: 50% is a share, and the breaker is without a kind",
        ),
        (
            "threshold: 50%, kind: consecutive",
            "breaker.threshold: 50% is a share, and the breaker is of the kind consecutive",
        ),
        (
            "threshold: 5, minimum: 10",
            "breaker.minimum: minimum is about a share, and the threshold is none",
        ),
        (
            "denominator: offered",
            "breaker.denominator: denominator is about a share, and the threshold is none",
        ),
        ("opens: above", "breaker.opens: there is no threshold that it could be about"),
        (
            "kind: eject, trials: {permits: 1}",
            "breaker.trials: a breaker of the kind eject has no half-open",
        ),
        ("window: 100", "breaker.window: no kind is declared, which looks back at no window"),
        (
            "kind: consecutive, window: 10s",
            "breaker.window: the kind is consecutive, which looks back at no window",
        ),
        ("kind: time-window, window: 100", "breaker.window: the kind is time-window"),
        ("kind: count-window, window: 10s", "breaker.window: the kind is count-window"),
        (
            "kind: count-window, threshold: 50%, window: 10, minimum: 11",
            "breaker.minimum: 11 calls never stand in a window of 10",
        ),
        (
            "open: {first: 2s, at_most: 1s}",
            "breaker.open.at_most: 1s is less than the first time (2s)",
        ),
        (
            "call_timeout: 1s, slow: {over: 1s}",
            "breaker.slow.over: no call gets as slow as 1s: it is given up after 1s",
        ),
        ('key: "{account}"', "breaker.key: there is a key, and no isolation by it"),
        (
            'key: "{account}", isolation: none',
            "breaker.key: there is a key, and isolation: none",
        ),
        (
            "isolation: key",
            "breaker.isolation: the key by which circuits are told apart is missing",
        ),
        ("trials: {}", "breaker.trials: there is nothing in it"),
        ("rejection: {}", "breaker.rejection: there is nothing in it"),
        ("fallback: {}", "breaker.fallback: there is nothing in it"),
        ("retries: {}", "breaker.retries: there is nothing in it"),
        ("failure: statuss >= 500", "breaker.failure: unknown name 'statuss'"),
        ("ignored: status >=", "breaker.ignored: found the end, expected a value"),
        (
            "ignored: acknowledged(checkout) > 0",
            "breaker.ignored: the count of 'checkout' stands in an expression about one answer",
        ),
    ],
)
def test_keys_when_they_do_not_go_together_then_one_is_blamed(tmp_path, keys, says):
    found = problems(tmp_path, block(keys))
    assert len(found) == 1
    assert found[0].startswith(says)


@pytest.mark.parametrize(
    "keys",
    [
        "kind: time-window, threshold: 50%, window: 10s, minimum: 5, denominator: offered, opens: above",
        "kind: count-window, threshold: 5, window: 100",
        "kind: eject, threshold: 5, open: 30s, reaction: 10s",
        "kind: in-flight, bulkhead: 100",
        "threshold: 5, opens: above",
        "call_timeout: none, slow: {over: 10s, threshold: 100%}",
        "call_timeout: 1s, slow: {over: 999ms}",
        'isolation: key, key: "shop-{account}"',
        "isolation: host",
        "failure: status >= 500 or cut or timed_out, ignored: status >= 400 and status < 500",
        "open: {first: 2s, at_most: 2s, factor: 2}",
    ],
)
def test_keys_when_they_go_together_then_nothing_is_said(tmp_path, keys):
    assert problems(tmp_path, block(keys)) == []


def test_share_when_no_kind_is_declared_then_says_which_to_add(tmp_path):
    (line,) = told(tmp_path, block("threshold: 50%"))
    assert line.endswith(
        "Expected kind: count-window or time-window. A share is of the calls in a window: "
        "add kind: and window:, such as time-window and 10s."
    )
