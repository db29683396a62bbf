"""What is asked of a Docker engine: how it is opened, how its refusals read, whose containers are removed."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from harness.model.errors import UserError
from harness.model.units import Duration
from harness.processes import containers
from harness.processes.containers import (
    MARK,
    ContainerProblem,
    Engine,
    marked,
    removing_command,
)

OURS = {
    "Id": "c1",
    "Config": {"Labels": {MARK: "run-1"}},
    "State": {"Running": True},
}


class _Response:
    def __init__(self, status: int) -> None:
        self.status_code = status


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        self.response = _Response(status)
        self.explanation = f"refused with {status}."
        super().__init__(f"{status} Client Error for http+docker://localhost/…")


class Api:
    """The low-level client of the SDK, as far as it is called."""

    def __init__(self, found: dict[str, Any] | None, *, appears_after: int = 0) -> None:
        self._found = found
        self._looks_before = appears_after
        self.calls: list[tuple[str, Any]] = []

    def inspect_container(self, name: str) -> dict[str, Any]:
        self._looks_before -= 1
        if self._found is None or self._looks_before >= 0:
            raise _Refused(404)
        return self._found

    def containers(self, **asked: Any) -> list[dict[str, str]]:
        self.calls.append(("containers", asked))
        return [{"Id": "c1"}]

    def stop(self, name: str, timeout: int) -> None:
        self.calls.append(("stop", timeout))

    def remove_container(self, name: str, **how: bool) -> None:
        self.calls.append(("remove", how))
        self._found = None

    def start(self, name: str) -> None:
        raise _Refused(500)

    def exec_create(self, name: str, argv: list[str], **_: bool) -> dict[str, str]:
        return {"Id": argv[0]}

    def exec_start(self, id: str) -> bytes:
        return b"printed\n"

    def exec_inspect(self, id: str) -> dict[str, int]:
        return {"ExitCode": int(id == "false")}

    def logs(self, name: str, **_: bool) -> Iterator[bytes]:
        return iter([b"one", b"two"])

    def close(self) -> None:
        self.calls.append(("close", None))


def test_open_when_no_engine_answers_then_user_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("docker", reason="the SDK is an extra")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(UserError, match="No Docker engine answers: ") as raised:
        Engine.open()
    assert "docker info" in str(raised.value)


def test_open_when_the_sdk_is_missing_then_user_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(UserError, match="not installed") as raised:
        Engine.open()
    assert "pip install 'harness[docker]'" in str(raised.value)


def test_call_when_the_engine_refuses_then_its_own_words() -> None:
    with pytest.raises(ContainerProblem, match=r"^refused with 500$"):
        Engine(Api(OURS)).start("c1")


def test_inspect_when_it_is_not_there_then_none() -> None:
    assert Engine(Api(None)).inspect("c1") is None


def test_labelled_when_asked_then_by_label_and_those_that_ended_too() -> None:
    api = Api(OURS)
    assert Engine(api).labelled({"a": "1", "b": "2"}) == [OURS]
    assert api.calls == [("containers", {"all": True, "filters": {"label": ["a=1", "b=2"]}})]


def test_output_when_the_command_fails_then_none() -> None:
    engine = Engine(Api(OURS))
    assert engine.output("c1", ["cat", "file"]) == "printed\n"
    assert engine.output("c1", ["false"]) is None


def test_remove_when_it_runs_then_it_is_asked_before_and_its_volumes_go_too() -> None:
    api = Api(OURS)
    assert Engine(api).remove("c1", mark="run-1", grace=Duration.of_s(3))
    assert api.calls == [("stop", 3), ("remove", {"force": True, "v": True})]


def test_remove_when_it_is_another_run_s_then_it_is_left_alone() -> None:
    api = Api(OURS)
    assert not Engine(api).remove("c1", mark="run-2", grace=Duration.ZERO)
    assert api.calls == []


def test_remove_soon_when_it_appears_only_now_then_it_is_removed() -> None:
    api = Api(OURS, appears_after=2)
    assert Engine(api).remove_soon("c1", mark="run-1")
    assert api.calls == [("remove", {"force": True, "v": True})]


def test_remove_soon_when_it_never_appears_then_it_was_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(containers, "_APPEARS_WITHIN", Duration.of_ms(1))
    assert not Engine(Api(None)).remove_soon("c1", mark="run-1")


def test_mark_when_there_are_no_labels_then_none() -> None:
    assert marked({"Config": {"Labels": None}}) is None
    assert marked(OURS) == "run-1"


def test_command_when_a_person_removes_it_then_its_volumes_go_too() -> None:
    assert removing_command("c1") == "docker rm --force --volumes c1"
