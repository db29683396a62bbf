"""Room for sockets: raised where the machine allows it, refused with advice where not."""

import resource

import pytest

from harness.model.errors import UserError
from harness.traffic.descriptors import ensure_descriptors


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
    state = {"now": (1024, 4096)}
    monkeypatch.setattr(resource, "getrlimit", lambda which: state["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda which, new: state.update(now=new))
    return state


def test_the_limit_when_high_enough_then_is_left_alone(limits: dict[str, tuple[int, int]]) -> None:
    ensure_descriptors(50)
    assert limits["now"] == (1024, 4096)


def test_the_limit_when_too_low_then_is_raised_as_far_as_needed(
    limits: dict[str, tuple[int, int]],
) -> None:
    ensure_descriptors(2000)
    soft, hard = limits["now"]
    assert 2000 < soft <= hard == 4096


def test_the_hard_limit_when_too_low_then_says_what_to_do(
    limits: dict[str, tuple[int, int]],
) -> None:
    with pytest.raises(UserError, match=r"limit of this shell is 4096.\nRaise it with: ulimit -n"):
        ensure_descriptors(5000)
    assert limits["now"] == (1024, 4096)


def test_raising_when_refused_by_the_system_then_says_so(
    limits: dict[str, tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(which: int, new: tuple[int, int]) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    with pytest.raises(UserError, match="raising the limit from 1024 failed"):
        ensure_descriptors(2000)


def test_the_hard_limit_when_too_low_for_something_else_then_says_for_what(
    limits: dict[str, tuple[int, int]],
) -> None:
    with pytest.raises(
        UserError, match=r"(?s)An open loop needs .* lower the number in flight"
    ) as told:
        ensure_descriptors(5000, what="An open loop")
    assert "burst" not in str(told.value)
