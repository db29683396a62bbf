"""A checkout behind a breaker, as two files in one text, to change one thing in."""

from harness.experiment.load import load, validate
from harness.model.breaker import BreakerPlan, OpenTime
from harness.model.units import Duration
from tests.unit.experiment.tiny import KINDS

BREAKER = "breaker: {calls: checkout, behind: payments}"

TEXT = f"""\
experiment: e
target:
  target: shop
  services:
    app:
      run: serve --port {{port}}
      env: {{PAYMENTS: "{{hops.payments.url}}", STORE: "{{hops.store.url}}"}}
    payments: {{run: "pay --port {{port}}"}}
    gate: {{run: "gate --port {{port}}"}}
    store: {{embedded: valkey}}
  hops:
    payments: {{from: app, to: payments}}
    store: {{from: app, to: store}}
    free: {{to: payments}}
  variants: {{good: {{}}, bad: {{}}}}
  reset: []
  operations:
    checkout:
      http: POST /checkout/{{rid}}?cart=1
      on: app
      headers: {{X-Trace: "t-{{rid}}", X-Own: "{{rid}}"}}
      json: {{account: "{{account}}"}}
      vars: {{account: [ann, ben], amount: 1}}
      timeout: 5s
    plain: {{http: GET /plain, on: app}}
    entry: {{http: GET /entry, on: gate}}
    night: {{command: "bash night.sh"}}
  probes:
    left: {{http: GET /left, value: json.left, on: app}}
{BREAKER}
"""


def file(folder, *changes, text=TEXT):
    """The file with texts replaced, each there; gives its path."""
    for old, new in changes:
        assert old in text, f"{old!r} is not in the file"
        text = text.replace(old, new)
    path = folder / "e.yaml"
    path.write_text(text)
    return path


def block(keys, *, calls="checkout", behind="payments"):
    """The change that gives the breaker these keys."""
    return BREAKER, f"breaker: {{calls: {calls}, behind: {behind}, {keys}}}"


def problems(folder, *changes):
    """What is wrong with the changed file: ``key: found`` each."""
    (checked,) = validate([file(folder, *changes)], kinds=KINDS)
    return [f"{problem.key}: {problem.found}" for problem in checked.problems]


def told(folder, *changes):
    """The same in full."""
    (checked,) = validate([file(folder, *changes)], kinds=KINDS)
    return [str(problem) for problem in checked.problems]


def plans(folder, *changes, **options):
    """The plans of the changed file."""
    given = {"seed": 7, "rounds": None, "time_limit": None, **options}
    return load([file(folder, *changes)], kinds=KINDS, **given)


def declared(*, open=None, call_timeout=None, **keys):
    """A declaration; spans in seconds."""
    return BreakerPlan(
        calls="checkout",
        behind="payments",
        open=None if open is None else OpenTime(first=Duration.of_s(open)),
        call_timeout=None if call_timeout is None else Duration.of_s(call_timeout),
        **keys,
    )
