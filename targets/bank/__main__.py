"""Serves the bank by WEB_CONCURRENCY processes on one port: python -m bank --port 8000.

Each listens for itself, and the kernel deals out connections among them (SO_REUSEPORT, Linux). With
one socket for all, as ``uvicorn --workers`` has it, the process that wakes first takes all that came
together: one burst of twelve in three was served by one process whole.
"""

import argparse
import multiprocessing
import os
import signal
import socket
import sys

import uvicorn


def listening(host: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    # From here on, connections wait for the process that is to have them.
    listener.listen(2048)
    return listener


def serve(listener: socket.socket) -> None:
    uvicorn.Server(uvicorn.Config("bank.app:app")).run(sockets=[listener])


def main() -> None:
    parser = argparse.ArgumentParser(prog="bank")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    asked = parser.parse_args()
    # Leaves by the end of main, and the other processes with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
    mine, *theirs = [listening(asked.host, asked.port) for _ in range(workers)]
    for listener in theirs:
        multiprocessing.Process(target=serve, args=(listener,), daemon=True).start()
        listener.close()
    serve(mine)


if __name__ == "__main__":
    main()
