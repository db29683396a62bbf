"""Fifty of Locust's FastHttpUsers that wait for one event and then post; a process of its own.

Each has its connection open and warm before the first burst, as ours have. Reads ``go URL`` lines
and prints ``done`` when all users have their answer.
"""

import gevent.monkey

gevent.monkey.patch_all()

import sys  # noqa: E402 - gevent must patch before anything else is imported

import gevent  # noqa: E402
import gevent.os  # noqa: E402
from gevent.event import Event  # noqa: E402
from gevent.lock import Semaphore  # noqa: E402
from locust import FastHttpUser, task  # noqa: E402
from locust.env import Environment  # noqa: E402
from locust.log import setup_logging  # noqa: E402


class Burst:
    """What the users wait for, and how many of them do, or are done."""

    gate = Event()
    path = ""
    waiting = Semaphore(0)
    done = Semaphore(0)


class Withdrawer(FastHttpUser):
    """Warms its connection once, then posts each time the gate opens."""

    def on_start(self) -> None:
        self.client.get("/healthz")

    @task
    def withdraw(self) -> None:
        gate = Burst.gate
        Burst.waiting.release()
        gate.wait()
        self.client.post(Burst.path, json={"amount": 10})
        Burst.done.release()


def take(semaphore: Semaphore, times: int) -> None:
    for _ in range(times):
        semaphore.acquire()


def lines() -> "object":
    """Lines of the standard input, without holding up the users."""
    held = b""
    while chunk := gevent.os.tp_read(0, 4096):
        held += chunk
        while b"\n" in held:
            line, _, held = held.partition(b"\n")
            yield line.decode()


def main(host: str, users: int) -> None:
    setup_logging("WARNING", None)
    environment = Environment(user_classes=[Withdrawer], host=host)
    runner = environment.create_local_runner()
    runner.start(users, spawn_rate=users)
    take(Burst.waiting, users)
    print("ready", flush=True)
    for line in lines():
        Burst.path = line.removeprefix("go ")
        gate, Burst.gate = Burst.gate, Event()
        gate.set()
        take(Burst.done, users)
        take(Burst.waiting, users)
        print("done", flush=True)
    runner.quit()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
