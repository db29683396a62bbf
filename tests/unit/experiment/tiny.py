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


@params
class Limits:
    files: int | None = None

    def __post_init__(self) -> None:
        if self.files is not None and self.files < 16:
            raise ValueError(f"files is {self.files}; write 16 or more")


class Run:
    kind = "run"
    summary = "a command"
    takes_env = True

    @params
    class Params:
        run: str
        cwd: str | None = None
        limits: Limits | None = None


class Node:
    kind = "node"
    summary = "a script"
    takes_env = True

    @params
    class Params:
        node: str
        limits: Limits | None = None


class Compose:
    kind = "compose"
    summary = "a container"
    takes_env = True

    @params
    class Params:
        compose: str


class EmbeddedValkey:
    kind = "embedded-valkey"
    summary = "a store"

    @params
    class Params:
        pass


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
    speaks = "sql"

    @params
    class Params:
        sql: str
        list: bool = False


class RedisProbe:
    kind = "redis"
    summary = "a command"
    speaks = "redis"

    @params
    class Params:
        redis: str


class FileProbe:
    kind = "file"
    summary = "counts lines"
    speaks = ""

    @params
    class Params:
        file: str
        record: str | None = None
        count: Literal["lines", "torn", "records"] = "lines"

        def __post_init__(self) -> None:
            if (self.record is None) != (self.count == "lines"):
                raise ValueError("count: only with record; write a grammar for the records")


class ProcessProbe:
    kind = "process"
    summary = "of a process"
    speaks = "process"

    @params
    class Params:
        process: Literal["files", "memory", "threads", "lag"]
        endpoint: str | None = None
        value: str | None = None


class HttpProbe:
    kind = "http"
    summary = "a request"
    speaks = "http"

    @params
    class Params:
        http: str
        value: str
        headers: dict[str, str] = field(default_factory=dict)


class SqlReset:
    kind = "sql"
    summary = "a script"
    speaks = "sql"

    @params
    class Params:
        script: str | None = None
        file: str | None = None


class HttpReset:
    kind = "http"
    summary = "a request"
    speaks = "http"

    @params
    class Params:
        http: str
        json: object = None


class RedisReset:
    kind = "redis"
    summary = "commands"
    speaks = "redis"

    @params
    class Params:
        redis: str | list[str]


class CommandReset:
    kind = "command"
    summary = "a program"
    speaks = ""

    @params
    class Params:
        command: str


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


class Monotonic:
    kind = "monotonic"
    summary = "one way only"
    word = "expression"

    @params
    class Params:
        expression: str
        direction: Literal["up", "down"] = "up"
        every: Duration = Duration.of_ms(20)


class Bounded:
    kind = "bounded"
    summary = "within bounds"

    @params
    class Params:
        expression: str
        least: int | float | str | None = None
        most: int | float | str | None = None
        every: Duration = Duration.of_ms(20)

        def __post_init__(self) -> None:
            if self.least is None and self.most is None:
                raise ValueError("bounded: has no bound; say least:, most: or both")


class Unique:
    kind = "unique"
    summary = "nothing twice"

    @params
    class Params:
        expression: str


class ExactlyOnce:
    kind = "exactly_once"
    summary = "one effect each"
    word = "operation"

    @params
    class Params:
        operation: str
        keys: str


def _by_kind(*classes):
    return {each.kind: each for each in classes}


KINDS = Kinds(
    faults=_by_kind(Latency, Slicer, Bandwidth, Status, Cut, Timeout, Down),
    services=_by_kind(Run, Node, Compose, EmbeddedPostgres, EmbeddedValkey, Url),
    probes=_by_kind(SqlProbe, HttpProbe, RedisProbe, FileProbe, ProcessProbe),
    resets=_by_kind(SqlReset, HttpReset, RedisReset, CommandReset),
    invariants=_by_kind(Always, AtEnd, Monotonic, Bounded, Unique, ExactlyOnce),
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
