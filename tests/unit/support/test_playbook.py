"""The playbook itself: it must complain, or every test written with it says nothing."""

import gc
import sys

import pytest

from harness.proxy.items import Close
from tests.support.playbook import Send, at, play, t, then


class Echo:
    def feed(self, item, now):
        return [item]

    def wake(self, now):
        return []


def test_playbook_when_as_expected_then_true():
    assert play(Echo()) >> at(0, b"a") << Send(b"a") >> at(1) >> at(2, Close("eof")) << Close("eof")


def test_playbook_when_stamp_is_given_then_compares_it():
    assert play(Echo()) >> at(3, b"a") << Send(b"a", t(3))
    with pytest.raises(AssertionError, match="but expected was"):
        assert play(Echo()) >> at(3, b"a") << Send(b"a", t(4))


@pytest.mark.parametrize(
    "dialogue",
    [
        pytest.param(lambda: play(Echo()) >> at(0, b"a") << Send(b"b"), id="other-bytes"),
        pytest.param(lambda: play(Echo()) >> at(0, b"a"), id="nothing-expected"),
        pytest.param(lambda: play(Echo()) >> at(0) << Send(b"a"), id="nothing-came"),
        pytest.param(lambda: play(Echo()) >> at(0, b"a") >> at(1) << Send(b"a"), id="too-late"),
        pytest.param(
            lambda: play(Echo()) >> then(0, "nothing", lambda _s, _n: None) << Send(b""),
            id="none-is-nothing",
        ),
    ],
)
def test_playbook_when_different_then_prints_the_dialogue(dialogue):
    with pytest.raises(AssertionError, match=r">> at 0"):
        assert dialogue()


def test_playbook_when_never_asserted_then_fails(monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: told.append(str(raised.exc_value)))
    forgotten = play(Echo()) >> at(0, b"a")
    del forgotten
    gc.collect()
    assert "unfinished playbook" in told[0]
