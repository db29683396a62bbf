"""Any toxics in any order, coming, changing and going: the bytes sent arrive in order, or a clean
prefix of them does and the stream ends there. Never a hole, never a byte out of place.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.turn import TurnCodec
from harness.proxy.applied import AppliedToxics
from harness.proxy.blueprint import new_toxic
from harness.proxy.chain import Chain
from harness.proxy.items import Chunk, Close, Crossing
from harness.proxy.states import Extensions, ToxicSpec, ToxicState
from harness.proxy.toxics import TOXICS
from harness.proxy.trigger import Shared, Trigger
from tests.support.playbook import t

SMALL = st.integers(0, 60)
VALUES = {
    "bandwidth": st.fixed_dictionaries(
        {"rate": st.integers(0, 3)}, optional={"shared": st.booleans()}
    ),
    "blackhole_after": st.fixed_dictionaries(
        {"requests": st.integers(0, 3), "forward": st.booleans(), "timeout": SMALL}
    ),
    "cut": st.one_of(
        st.fixed_dictionaries({name: st.integers(0, 8), "how": st.sampled_from(["reset", "close"])})
        for name in ("bytes", "messages", "after_ms")
    ),
    "latency": st.fixed_dictionaries({"latency": SMALL, "jitter": SMALL}),
    "limit_data": st.fixed_dictionaries({"bytes": st.integers(-1, 12)}),
    "noop": st.just({}),
    "reset_peer": st.fixed_dictionaries({"timeout": SMALL}),
    "slicer": st.fixed_dictionaries(
        {
            "average_size": st.integers(2, 5),
            "size_variation": st.integers(0, 2),
            "delay": st.integers(0, 9000),
        }
    ),
    "slow_close": st.fixed_dictionaries({"delay": SMALL}),
    "timeout": st.fixed_dictionaries({"timeout": SMALL}),
    "trickle": st.fixed_dictionaries({"delay": SMALL, "rate": st.integers(0, 5000)}),
}
HOLD = ("bandwidth", "latency", "slicer", "trickle")
CHANGES_BYTES = {"corrupt", "http_status"}
NAMES = ("a", "b", "c", "d")


@st.composite
def toxics(draw):
    # Those that hold bytes more often: only they can let others overtake.
    kind = draw(st.sampled_from(sorted(VALUES)) | st.sampled_from(HOLD))
    cls = TOXICS[kind]
    return ToxicSpec(
        name=draw(st.sampled_from(NAMES)),
        type=kind,
        stream=draw(st.sampled_from(cls.streams)),
        toxicity=draw(st.sampled_from([0.0, 0.5, 1.0, 1.0])),
        attributes=draw(VALUES[kind]),
    ), Extensions(
        per=draw(st.sampled_from([None, "connection", "request", "request"])),
        codec=draw(st.none() | st.sampled_from(cls.codecs)),
        skip=draw(st.none() | st.integers(0, 1)),
        first=draw(st.none() | st.integers(1, 2)),
    )


TALK = st.one_of(
    st.tuples(st.just("client"), st.integers(1, 6)),
    st.tuples(st.just("server"), st.integers(1, 6)),
    st.tuples(st.just("wait"), st.integers(1, 5) | st.integers(1, 80)),
)
# The attribute that a change gives another value.
CHANGED = {
    "bandwidth": "rate",
    "blackhole_after": "timeout",
    "latency": "latency",
    "limit_data": "bytes",
    "reset_peer": "timeout",
    "slicer": "delay",
    "slow_close": "delay",
    "timeout": "timeout",
    "trickle": "delay",
}
CHANGE = st.one_of(
    st.tuples(st.just("update"), st.sampled_from(NAMES), st.integers(0, 30)),
    st.tuples(st.just("add"), toxics()),
    st.tuples(st.just("toxicity"), st.sampled_from(NAMES), st.sampled_from([0.0, 1.0])),
    st.tuples(st.just("per"), st.sampled_from(NAMES), st.sampled_from(["connection", "request"])),
    st.tuples(st.just("remove"), st.sampled_from(NAMES)),
    st.tuples(st.just("client-ends")),
    st.tuples(st.just("server-ends")),
)
# Most stories are talk through toxics that were there before; else little would ever be held.
STORIES = st.tuples(
    st.lists(st.tuples(st.just("add"), toxics()), min_size=1, max_size=3),
    st.lists(st.lists(TALK, min_size=1, max_size=8) | CHANGE.map(lambda step: [step]), max_size=8),
).map(lambda story: [*story[0], *(step for steps in story[1] for step in steps)])


class Side:
    """One direction: a chain as a link drives it, and what came out of it."""

    def __init__(self):
        self.chain, self.sent, self.got, self.ended, self.other = Chain(), b"", b"", None, None
        self.cross = None

    def deliver(self, outputs):
        crossings = [output for output in outputs if isinstance(output, Crossing)]
        for output in outputs:
            if isinstance(output, Chunk):
                assert self.ended is None, "nothing may follow a close"
                self.got += output.data
            elif isinstance(output, Close):
                assert self.ended is None or (self.ended == "eof" and output.how != "eof")
                self.ended = output.how
        for crossing in crossings:
            self.cross(crossing.item, crossing.toxic)


class Conversation:
    def __init__(self):
        self.now, self.up, self.down = 0, Side(), Side()
        self.codec = TurnCodec(1)
        self.applied = AppliedToxics(
            1,
            seed=7,
            up=self.up,
            down=self.down,
            clock=lambda: t(self.now),
            codec=self.codec,
        )
        self.up.cross = self.down.cross = self.applied.cross
        self.there, self.shared, self.seen = {}, {}, []

    @property
    def drops(self):
        """Some toxic of the story lets bytes vanish before the end of their stream."""
        return any(
            spec.type in {"timeout", "blackhole_after", "reset_peer"}
            or spec.attributes.get("rate") == 0
            for spec in self.seen
        )

    @property
    def over(self):
        """A toxic ended both directions."""
        return any(side.ended in {"end", "reset"} for side in (self.up, self.down))

    def step(self, step):
        now = t(self.now)
        match step:
            case ("client", size):
                self._say(self.up, size, self.codec.client_sent(now))
            case ("server", size):
                self._say(self.down, size, self.codec.server_sent(now))
            case ("client-ends",):
                self.up.deliver(self.up.chain.feed(Close("eof"), now))
            case ("server-ends",):
                self.down.deliver(self.down.chain.feed(Close("eof"), now))
            case ("wait", ms):
                self.wait(ms)
            case _:
                self._administer(step)

    def _administer(self, step):
        match step:
            case ("add", (spec, extensions)) if spec.name not in self.there:
                self._add(replace(new_toxic(spec, set()), extensions=extensions))
            case ("toxicity", name, toxicity) if name in self.there:
                self._change(name, toxicity=toxicity)
            case ("update", name, value) if name in self.there:
                before = self.there[name]
                changed = {CHANGED[before.type]: value} if before.type in CHANGED else {}
                self._change(name, attributes={**before.attributes, **changed})
                self.seen.append(self.there[name])
            case ("per", name, per) if name in self.there:
                extensions = replace(self.there[name].extensions, per=per)
                self._change(name, extensions=extensions)
            case ("remove", name) if name in self.there:
                self.applied.remove(self.there.pop(name))

    def wait(self, ms):
        for _ in range(ms):
            self.now += 1
            for side in (self.up, self.down):
                side.deliver(side.chain.wake(t(self.now)))
                for turn in () if side is self.up else (self.codec.latest,):
                    self.codec.passed_on(turn, t(self.now))

    def _say(self, side, size, turn):
        if not side.chain.closed:
            # No two bytes alike, so that none can take another's place unseen.
            data = bytes((len(side.sent) + n) % 256 for n in range(size))
            side.sent += data
            side.deliver(side.chain.feed(Chunk(data, t(self.now), turn), t(self.now)))

    def _add(self, state: ToxicState):
        self.there[state.name] = state
        self.seen.append(state)
        self.shared[state.name] = Shared(
            Trigger(state.extensions.skip or 0, state.extensions.first)
        )
        self.applied.add(state, self.shared[state.name])

    def _change(self, name, **changes):
        after = replace(self.there[name], **changes)
        self.applied.change(self.there[name], after, self.shared[name])
        self.there[name] = after


def test_toxic_when_registered_then_its_values_are_known_here():
    assert set(TOXICS) == VALUES.keys() | CHANGES_BYTES


@given(STORIES)
def test_bytes_when_any_toxics_come_and_go_then_arrive_in_order_or_up_to_an_end(steps):
    it = Conversation()
    for step in steps:
        if it.over:
            break
        it.step(step)
        for side in (it.up, it.down):
            assert side.sent.startswith(side.got), (side.sent, side.got)
    for name in tuple(it.there):
        if not it.over:
            it.step(("remove", name))
    for side in (it.up, it.down):
        assert side.sent.startswith(side.got), (side.sent, side.got)
        if not it.over:
            # Behind bytes that were dropped the end may pass: that is a prefix, and clean.
            assert side.got == side.sent or (side.ended and it.drops)
            assert (side.ended == "eof") == side.chain.closed
            assert side.chain.held == 0
            assert side.chain.due is None


@pytest.mark.parametrize("kind", sorted(VALUES))
@given(data=st.data())
def test_toxic_when_its_toxicity_is_zero_then_nothing_is_different(kind, data):
    if kind not in TOXICS:
        pytest.fail(f"{kind} is not registered")
    spec = ToxicSpec(
        name="a", type=kind, stream=TOXICS[kind].streams[0], toxicity=0.0,
        attributes=data.draw(VALUES[kind]),
    )  # fmt: skip
    it = Conversation()
    it.step(("add", (spec, Extensions())))
    assert it.down.chain.transparent
    assert it.up.chain.transparent
    it.step(("client", 3))
    it.step(("server", 6))
    assert (it.up.got, it.down.got) == (b"\0\1\2", b"\0\1\2\3\4\5")
