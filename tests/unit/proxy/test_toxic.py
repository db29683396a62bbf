"""The base class: what a toxic is that overrides nothing."""

from random import Random

from harness.kinds import to_params
from harness.proxy.items import Chunk, Close
from harness.proxy.toxic import Toxic
from tests.support.playbook import at, play, t


class Plain(Toxic):
    kind = "plain"
    summary = "Nothing."


def test_toxic_when_it_overrides_nothing_then_lets_everything_pass():
    plain = Plain({}, Random(1), {})
    assert play(plain) >> at(0, b"a") << Chunk(b"a", t(0)) >> at(1, Close("eof")) << Close("eof")
    assert (*plain.start(t(0)), *plain.wake(t(0)), *plain.remove(t(0))) == ()
    assert plain.hear(Close("eof"), t(0)) == (Close("eof"),)
    assert plain.bypass(Close("end"), t(0), heard=True) == (Close("end"),)
    assert plain.held == 0
    assert plain.needs_upstream()


def test_toxic_when_updated_then_keeps_the_values():
    plain = Plain({"a": 1}, Random(1), {})
    assert plain.update({"a": 2}, t(0)) == ()
    assert plain.values == {"a": 2}


def test_toxic_when_described_then_promises_nothing_to_be_seen():
    params = to_params(Plain.Params, {})
    assert Plain.attributes(params) == {}
    assert Plain.trace(params).effect == "unseen"
    assert Plain.words(params) == "plain"
