"""Every kind of invariant from file to verdict, and rounds that are enough, on real processes."""

from pathlib import Path

from harness.model.events import ProbeRead, RoundsCutShort, RoundStarted
from tests.support.cli import harness, left_behind
from tests.support.vault import a_vault

_PROMISES = """\
  conserved:
    at_end: 100 - value == 10 * acknowledged(take)
  only-less: {monotonic: value, direction: down, every: 10ms}
  within: {bounded: value, least: 0, most: 100}
  one-each: {unique: keys}
  once: {exactly_once: take, keys: keys}
"""


def with_keys(folder: Path, *, times: int, expected: str) -> Path:
    """A vault that notes the key of each take, so often as ``times`` says, and has one from before."""
    append = f'state["keys"] += [sent["key"]] * {times}'
    return a_vault(
        folder,
        experiment={
            "variants: {naive: {violated: [conserved]}, atomic: held}": f"variants: {{{expected}}}",
            "rounds: 3": "rounds: 7",
            "  conserved:\n    at_end: 100 - value == 10 * acknowledged(take)\n": _PROMISES,
        },
        target={
            '    json: {amount: "{amount}"}\n': (
                '    json: {amount: "{amount}", key: "take-{rid}"}\n    key: "take-{rid}"\n'
            ),
            "probes:\n": "probes:\n  keys: {http: GET /value, on: store, value: json.keys}\n",
        },
        code={
            "def take(amount: int)": "def take(amount: int, key: str)",
            '{"amount": amount})[0]': '{"amount": amount, "key": key})[0]',
            'take(sent["amount"])': 'take(sent["amount"], sent["key"])',
            "body: dict[str, int]": "body: dict",
        },
        store={
            '{"value": START}': '{"value": START, "keys": ["seed"]}',
            'state["value"] = START\n': 'state["value"], state["keys"] = START, ["seed"]\n',
            'state["value"] -= sent["amount"]\n': (
                f'state["value"] -= sent["amount"]\n                {append}\n'
            ),
        },
    )


def test_run_when_the_service_is_sound_then_every_kind_holds_in_every_round(tmp_path: Path):
    file = with_keys(tmp_path, times=1, expected="atomic: held")
    ran = harness("run", file, "--json", cwd=tmp_path)
    assert ran.code == 0, ran
    found = {each["name"]: each for each in ran.result["invariants"]}
    assert {each["verdict"] for each in found.values()} == {"held"}, ran
    assert found["once"]["summary"].startswith("held in 7 rounds: a race")
    assert "one every 10 ms" in found["only-less"]["summary"]
    starts = [e for e in ran.events if isinstance(e, ProbeRead) and e.purpose == "reset"]
    of_rounds = [(e.probe, e.round) for e in starts if e.round is not None]
    assert of_rounds == [("keys", number) for number in range(1, 8)]


def test_run_when_five_rounds_broke_what_was_expected_then_no_other_one_runs(tmp_path: Path):
    expected = "atomic: {violated: [once, one-each]}"
    file = with_keys(tmp_path, times=2, expected=expected)
    ran = harness("run", file, "--json", cwd=tmp_path)
    assert ran.code == 0, ran
    assert [e.round for e in ran.events if isinstance(e, RoundStarted)] == [1, 2, 3, 4, 5]
    (cut,) = (e for e in ran.events if isinstance(e, RoundsCutShort))
    assert (cut.rounds, cut.broken) == (5, 5)
    result = ran.result
    assert (result["verdict"], result["rounds"], result["planned_rounds"]) == ("violated", 5, 7)
    found = {each["name"]: each for each in result["invariants"]}
    assert found["once"]["summary"] == "violated in 5 of 5 rounds, then stopped (95 % CI 0.47–1.00)"
    assert "10 take took effect more than once" in found["once"]["counterexample"]["summary"]
    assert found["conserved"]["verdict"] == "held"
    assert result["steady_state"]["after"] == "held"
    assert left_behind(ran.folders) == []
