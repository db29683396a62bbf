"""The probe ``process``: what a service's process and all its children hold of the machine.

Sums over all of them, for a service of several workers has one limit in mind. The lag of an event
loop is known to the service alone, so that one is asked over HTTP.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Literal

import psutil

from harness.connections.blocking import in_thread
from harness.connections.pool import Connections
from harness.connections.secrets import Sources
from harness.expressions.plain import Plain, plain
from harness.kinds import params, to_params
from harness.model.errors import TargetError
from harness.model.plan import ProbePlan
from harness.observe.http import Http
from harness.observe.read import Probe, Question

_LAG = "json.loop_lag_ms"

_MEASURES: Mapping[str, Callable[[psutil.Process], int]] = {
    "files": lambda process: int(process.num_fds()),
    "memory": lambda process: int(process.memory_info().rss),
    "threads": lambda process: int(process.num_threads()),
}


class Process:
    """``{process: files, on: app}``"""

    kind = "process"
    summary = "open files, memory or threads of a service's processes, or its loop's lag"
    speaks: ClassVar[str] = "process"

    @params
    class Params:
        process: Literal["files", "memory", "threads", "loop_lag"]
        endpoint: str | None = None
        """With ``loop_lag``: method and path that answer with it."""
        value: str | None = None
        """With ``loop_lag``: an expression over the answer; without it ``json.loop_lag_ms``."""

        def __post_init__(self) -> None:
            if self.process == "loop_lag":
                if self.endpoint is None:
                    raise ValueError(
                        "process: the lag of a loop is known to its service alone; "
                        "name what answers with it: endpoint: GET /lag"
                    )
                return
            for name in ("endpoint", "value"):
                if getattr(self, name) is not None:
                    raise ValueError(
                        f"{name}: says nothing to {self.process}; it belongs to process: loop_lag"
                    )

    def __init__(self, measure: Callable[[psutil.Process], int]) -> None:
        self._measure = measure

    @classmethod
    def make(cls, plan: ProbePlan, values: Mapping[str, Any], sources: Sources) -> Probe:
        """The probe of ``plan``; ``values`` fill the placeholders of an endpoint at each reading.

        Raises:
            UserError: an endpoint without method and path, or a value that is no expression.
        """
        given = to_params(cls.Params, plan.params)
        if given.endpoint is None:
            return Probe.of(cls(_MEASURES[given.process]), plan, values)
        asked = {"http": given.endpoint, "value": given.value or _LAG}
        http = Http.make(
            ProbePlan(name=plan.name, kind="http", on=plan.on, params=asked), values, sources
        )
        return Probe.of(_Lag(http.question), plan, values)

    async def read(self, connections: Connections, on: str, values: Mapping[str, Any]) -> Plain:  # noqa: ARG002 - as all kinds
        """Looks at the service's process and its children; those that end meanwhile hold nothing.

        Raises:
            TargetError: the process is gone, or belongs to an account whose processes we may not see.
        """
        pid = connections.pid(on)
        try:
            return plain(await in_thread(lambda: sum(map(self._of, family(pid)))))
        except psutil.NoSuchProcess:
            raise TargetError(f"service {on}", f"its process {pid} is gone") from None
        except psutil.AccessDenied as refused:
            raise TargetError(
                f"service {on}",
                f"its process {refused.pid} belongs to another account, which hides what it holds",
            ) from None

    def _of(self, process: psutil.Process) -> int:
        try:
            return self._measure(process)
        except (psutil.NoSuchProcess, FileNotFoundError):
            return 0
        except psutil.AccessDenied:
            if _is_over(process):
                return 0  # the kernel shows what it held to root alone, whosever it was
            raise


class _Lag:
    """A number of milliseconds, whatever else the answer may hold."""

    def __init__(self, asked: Question) -> None:
        self._asked = asked

    async def read(self, connections: Connections, on: str, values: Mapping[str, Any]) -> Plain:
        lag = await self._asked.read(connections, on, values)
        if isinstance(lag.value, bool) or not (lag.exact or isinstance(lag.value, int | float)):
            raise TargetError(
                f"service {on}", f"answered {lag.value!r} where a number of milliseconds belongs"
            )
        return lag


def _is_over(process: psutil.Process) -> bool:
    """True of one that gave back its memory: a zombie, or one that is about to be."""
    try:
        return bool(process.memory_info().vms == 0)
    except psutil.AccessDenied:
        return False
    except psutil.NoSuchProcess:
        return True


def family(pid: int) -> list[psutil.Process]:
    """The process ``pid`` and all its living descendants.

    Raises:
        psutil.NoSuchProcess: ``pid`` itself is gone.
    """
    leader = psutil.Process(pid)
    if leader.status() == psutil.STATUS_ZOMBIE:
        raise psutil.NoSuchProcess(pid)
    if not Path("/proc/thread-self/children").exists():
        return [leader, *filter(_is_no_zombie, leader.children(recursive=True))]
    found, ahead = [leader], _children(pid)
    while ahead:
        child = ahead.pop()
        ahead += _children(child)
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(child)
            if _is_no_zombie(process):
                found.append(process)
    return found


def _is_no_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _children(pid: int) -> list[int]:
    """From the kernel's own lists. psutil looks at every process there is, which takes milliseconds,
    and a sampler asks every twenty of them.
    """
    tasks = Path(f"/proc/{pid}/task")
    found: list[int] = []
    # What ends meanwhile has no children any more: they were given to somebody else.
    with suppress(OSError):
        for task in os.listdir(tasks):  # noqa: PTH208 - names alone; a Path each would be waste
            with suppress(OSError):
                found += map(int, (tasks / task / "children").read_text().split())
    return found
