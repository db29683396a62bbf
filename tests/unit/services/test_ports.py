"""Ports: free ones, and pinned ones that somebody has."""

import socket

import pytest

from harness.model.address import Address
from harness.model.errors import UserError
from harness.services.ports import LOOPBACK, free_port, require_free


def test_free_port_when_asked_then_something_can_listen_there() -> None:
    require_free(Address(LOOPBACK, free_port()), what="hop db")


def test_require_free_when_somebody_listens_there_then_user_error_names_hop_and_port() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"hop db: 127.0.0.1:{port} is taken"):
            require_free(Address(LOOPBACK, port), what="hop db")


def test_require_free_when_the_host_is_none_of_ours_then_user_error() -> None:
    with pytest.raises(UserError, match=r"hop db: nothing can listen at 192\.0\.2\.1:1"):
        require_free(Address("192.0.2.1", 1), what="hop db")
