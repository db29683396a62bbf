"""Starting the embedded proxy, and what happens when it does not come up."""

import asyncio
import json
import sys
import uuid
from pathlib import Path

import pytest

from harness.model.errors import HarnessBug
from harness.model.units import Duration
from harness.processes.marks import marked
from harness.services import own_proxy

MARK = f"test-{uuid.uuid4().hex}"


def pretend(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-c", code]
    monkeypatch.setattr(own_proxy, "own_program", lambda *_arguments: command)


def start(folder: Path) -> str:
    async def play() -> str:
        process, api = await own_proxy.start_proxy(
            folder=folder, mark=MARK, record=lambda _event: None, seed=7
        )
        await process.stop(grace=Duration.of_s(2))
        return api

    return asyncio.run(play())


def test_start_proxy_when_it_says_where_its_api_is_then_that_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = json.dumps({"api": "http://127.0.0.1:4711"})
    pretend(f"import time; print({line!r}, flush=True); time.sleep(60)", monkeypatch)
    assert start(tmp_path) == "http://127.0.0.1:4711"
    assert marked(MARK) == []


@pytest.mark.parametrize(
    ("code", "says"),
    [
        pytest.param("import no_such_module", "No module named 'no_such_module'", id="dies"),
        pytest.param("import time; print('hello', flush=True); time.sleep(60)", "hello", id="chat"),
        pytest.param("import time; print('[]', flush=True); time.sleep(60)", r"\[\]", id="list"),
    ],
)
def test_start_proxy_when_it_does_not_come_up_then_it_is_our_bug_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, says: str
) -> None:
    pretend(code, monkeypatch)
    with pytest.raises(HarnessBug, match=says):
        start(tmp_path)
    assert marked(MARK) == []
