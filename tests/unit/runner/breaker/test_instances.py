"""Whose a connection is: without a look where there is one process, by its port where there are several."""

import asyncio
import os
from typing import NamedTuple
from unittest.mock import Mock

import psutil
import pytest

from harness.runner.breaker import instances as module
from harness.runner.breaker.instances import Instances


class Address(NamedTuple):
    ip: str
    port: int


def a_process(pid: int, *ports: int) -> Mock:
    connections = [Mock(laddr=Address("127.0.0.1", port)) for port in ports]
    return Mock(pid=pid, net_connections=Mock(return_value=[*connections, Mock(laddr=())]))


def look(instances: Instances, *rounds: dict[int, int]) -> None:
    async def all_of_them() -> None:
        for connections in rounds:
            await instances.look(connections)

    asyncio.run(all_of_them())


def test_look_when_there_is_one_process_then_every_connection_is_its(
    monkeypatch: pytest.MonkeyPatch,
):
    only = a_process(os.getpid())
    monkeypatch.setattr(module, "family", lambda _pid: [only])
    instances = Instances(os.getpid())
    look(instances, {1: 4711, 2: 4712})
    assert (instances.of(1), instances.of(2)) == (str(os.getpid()),) * 2
    only.net_connections.assert_not_called()


def test_look_when_there_are_workers_then_each_has_its_own_and_who_is_gone_nobody(
    monkeypatch: pytest.MonkeyPatch,
):
    family = [a_process(10), a_process(11, 4711), a_process(12, 4712)]
    monkeypatch.setattr(module, "family", lambda _pid: family)
    instances = Instances(10)
    look(instances, {1: 4711, 2: 4712, 3: 4713})
    assert [instances.of(number) for number in (1, 2, 3, 4)] == ["11", "12", None, None]


def test_look_when_a_connection_was_looked_for_then_not_again(monkeypatch: pytest.MonkeyPatch):
    asked = Mock(return_value=[a_process(11, 4711), a_process(12)])
    monkeypatch.setattr(module, "family", asked)
    instances = Instances(11)
    look(instances, {1: 4711, 2: 9}, {1: 4711, 2: 9}, {3: 4711})
    assert asked.call_count == 2
    assert instances.of(3) == "11"


def test_look_when_the_process_is_gone_then_nobody_is_known(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "family", Mock(side_effect=psutil.NoSuchProcess(10)))
    instances = Instances(10)
    look(instances, {1: 4711})
    assert instances.of(1) is None


def test_look_when_no_process_is_named_then_nobody_is_asked(monkeypatch: pytest.MonkeyPatch):
    asked = Mock()
    monkeypatch.setattr(module, "family", asked)
    look(Instances(None), {1: 4711})
    asked.assert_not_called()
