"""A small vocabulary of our own, so that these tests know no toxic, probe or service of the product."""

from dataclasses import field
from pathlib import Path

from harness.experiment.load import load, validate
from harness.kinds import Kinds, params
from harness.model.units import Duration, Size


class OnAStream:
    """What every toxic says of itself."""

    streams = ("downstream", "upstream")
    per = "connection"
    codecs = ("turn", "http", "postgres", "redis")


class Latency(OnAStream):
    kind = "latency"
    summary = "delays"

    @params
    class Params:
        latency: Duration
        jitter: Duration = Duration.ZERO

        def __post_init__(self) -> None:
            if self.jitter > self.latency:
                raise ValueError("jitter is larger than latency; write a smaller jitter")


class Slicer(OnAStream):
    kind = "slicer"
    summary = "cuts into slices"

    @params
    class Params:
        average_size: Size
        delay: Duration = Duration.ZERO


class Down:
    kind = "down"
    summary = "refuses"

    @params
    class Params:
        pass


class Run:
    kind = "run"
    summary = "a command"

    @params
    class Params:
        run: str
        cwd: str | None = None


class EmbeddedPostgres:
    kind = "embedded-postgres"
    summary = "a database"

    @params
    class Params:
        settings: dict[str, str] = field(default_factory=dict)


class Url:
    kind = "url"
    summary = "runs already"

    @params
    class Params:
        url: str


class SqlProbe:
    kind = "sql"
    summary = "a query"

    @params
    class Params:
        sql: str


class HttpProbe:
    kind = "http"
    summary = "a request"

    @params
    class Params:
        http: str
        value: str
        headers: dict[str, str] = field(default_factory=dict)


class SqlReset:
    kind = "sql"
    summary = "a script"

    @params
    class Params:
        script: str | None = None
        file: str | None = None


class HttpReset:
    kind = "http"
    summary = "a request"

    @params
    class Params:
        http: str
        json: object = None


class Always:
    kind = "always"
    summary = "of every reading"

    @params
    class Params:
        expression: str
        every: Duration = Duration.of_ms(20)


class AtEnd:
    kind = "at_end"
    summary = "in the end"

    @params
    class Params:
        expression: str


def _by_kind(*classes):
    return {each.kind: each for each in classes}


KINDS = Kinds(
    faults=_by_kind(Latency, Slicer, Down),
    services=_by_kind(Run, EmbeddedPostgres, Url),
    probes=_by_kind(SqlProbe, HttpProbe),
    resets=_by_kind(SqlReset, HttpReset),
    invariants=_by_kind(Always, AtEnd),
)


HERE = Path(__file__).parent


def file_pair(folder, *, experiment=(), target=()):
    """The good files in ``folder`` with texts replaced; gives the experiment's path."""
    for name, changes in (("experiment", experiment), ("target", target)):
        text = (HERE / "good" / f"{name}.yaml").read_text()
        for old, new in dict(changes).items():
            assert old in text, f"{old!r} is not in good/{name}.yaml"
            text = text.replace(old, new)
        (folder / f"{name}.yaml").write_text(text)
    (folder / "reset.sql").write_text("SELECT 1;")
    return folder / "experiment.yaml"


def problems(folder, **changes):
    """What is wrong with the good files once they are changed: ``key: found`` each."""
    (checked,) = validate([file_pair(folder, **changes)], kinds=KINDS)
    return [f"{problem.key}: {problem.found}" for problem in checked.problems]


def plans(folder, *, experiment=(), target=(), **options):
    """The plans of the good files once they are changed."""
    path = file_pair(folder, experiment=experiment, target=target)
    given = {"seed": 7, "rounds": None, "time_limit": None, **options}
    return load([path], kinds=KINDS, **given)
