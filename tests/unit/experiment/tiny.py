"""A small vocabulary of our own, so that these tests know no toxic, probe or service of the product."""

from dataclasses import field
from pathlib import Path
from typing import Literal

from harness.experiment.load import load, validate
from harness.kinds import Kinds, params
from harness.model.units import Duration, Rate, Size
from harness.proxy.wire import WireAttribute, WireProblem


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


class Bandwidth(OnAStream):
    kind = "bandwidth"
    summary = "at a rate"

    @params
    class Params:
        rate: Rate
        shared: bool = False


class Status(OnAStream):
    kind = "status"
    summary = "answers in the server's place"
    streams = ("downstream",)
    per = "request"
    codecs = ("http",)
    wire = (WireAttribute(name="status", least=200, most=599),)

    @params
    class Params:
        status: int = 503
        body: str = ""
        retry_after: Duration | None = None

    @classmethod
    def attributes(cls, params):
        return {"status": params.status}


class Cut(OnAStream):
    kind = "cut"
    summary = "ends after something"
    codecs = ("turn", "postgres")
    wire = (
        WireAttribute(name="bytes", default=None, least=0),
        WireAttribute(name="messages", default=None, least=0),
        WireAttribute(name="timeout", default=0),
    )

    @params
    class Params:
        bytes: Size | None = None
        messages: int | None = None
        timeout: Duration = Duration.ZERO
        how: Literal["reset", "close"] = "reset"

    @classmethod
    def attributes(cls, params):
        size = None if params.bytes is None else params.bytes.bytes
        given = {"bytes": size, "messages": params.messages}
        return {name: value for name, value in given.items() if value is not None}

    @classmethod
    def check(cls, values):
        if ("bytes" in values) == ("messages" in values):
            raise WireProblem("bytes: give exactly one limit, bytes or messages")


class Timeout(OnAStream):
    kind = "timeout"
    summary = "drops everything"

    @params
    class Params:
        timeout: Duration


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
    faults=_by_kind(Latency, Slicer, Bandwidth, Status, Cut, Timeout, Down),
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
