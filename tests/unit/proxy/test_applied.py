"""Toxics of one connection: their draws, and changes that disturb nothing when equal."""

from dataclasses import replace

from harness.protocols.turn import TurnCodec
from harness.proxy.applied import AppliedToxics, draws_of
from harness.proxy.chain import Chain
from harness.proxy.items import Chunk
from harness.proxy.states import Extensions, ToxicState
from harness.proxy.trigger import Shared, Trigger
from tests.support.playbook import t


class FakeLink:
    def __init__(self):
        self.chain = Chain()
        self.delivered = []

    def deliver(self, outputs):
        self.delivered += outputs


def applied(number=1, seed=0, codec=None):
    up, down = FakeLink(), FakeLink()
    toxics = AppliedToxics(
        number, seed=seed, up=up, down=down, clock=lambda: t(5), codec=codec or TurnCodec(1)
    )
    return toxics, up, down


def shared(skip=0, first=None):
    return Shared(Trigger(skip, first))


LAG = ToxicState(
    name="lag",
    type="latency",
    stream="Downstream",
    toxicity=1.0,
    attributes={"latency": 40, "jitter": 0},
)


def test_add_when_of_a_stream_then_stands_in_that_chain():
    toxics, up, down = applied()
    toxics.add(LAG, shared())
    toxics.add(replace(LAG, name="up", stream="UPSTREAM"), shared())
    assert not up.chain.transparent
    assert not down.chain.transparent
    toxics.remove(LAG)
    assert down.chain.transparent
    assert not up.chain.transparent


def test_change_when_equal_then_what_is_held_stays():
    toxics, _, down = applied()
    toxics.add(LAG, shared())
    down.chain.feed(Chunk(b"a", t(0)), t(0))
    toxics.change(LAG, replace(LAG), shared())
    assert down.delivered == []
    toxics.change(LAG, replace(LAG, attributes={"latency": 41, "jitter": 0}), shared())
    assert down.delivered == [Chunk(b"a", t(5))]


def test_toxicity_when_below_one_then_draws_decide_and_repeat():
    def hits(seed):
        found = []
        for number in range(64):
            toxics, _, down = applied(number, seed)
            toxics.add(replace(LAG, toxicity=0.5), shared())
            found.append(not down.chain.transparent)
        return found

    assert hits(1) == hits(1)
    assert hits(1) != hits(2)
    assert 10 < sum(hits(1)) < 54


def test_toxicity_when_only_attributes_change_then_is_not_drawn_again():
    half = replace(LAG, toxicity=0.5)
    for number in range(16):
        toxics, _, down = applied(number)
        toxics.add(half, shared())
        acting = not down.chain.transparent
        before = half
        for latency in range(5):
            after = replace(half, attributes={"latency": latency, "jitter": 0})
            toxics.change(before, after, shared())
            assert (not down.chain.transparent) is acting
            before = after


def test_toxicity_when_changed_then_takes_effect_at_once():
    toxics, _, down = applied()
    toxics.add(LAG, shared())
    down.chain.feed(Chunk(b"a", t(0)), t(0))
    never = replace(LAG, toxicity=0.0)
    toxics.change(LAG, never, shared())
    assert down.delivered == [Chunk(b"a", t(5))]
    assert down.chain.transparent
    toxics.change(never, LAG, shared())
    assert not down.chain.transparent


def test_draws_when_any_part_differs_then_are_others():
    first = draws_of(1, "a", 1).random()
    assert first == draws_of(1, "a", 1).random()
    others = [draws_of(2, "a", 1), draws_of(1, "b", 1), draws_of(1, "a", 2), draws_of(1, "a1", 1)]
    assert first not in [draws.random() for draws in others]


def framed(**changes):
    return replace(
        LAG, type="blackhole_after", attributes={"requests": 9, "forward": True}, **changes
    )


def test_count_when_the_client_has_its_last_answer_then_is_for_the_next_connection():
    codec = TurnCodec(1)
    codec.passed_on(codec.client_sent(t(0)), t(1))
    codec.client_closed(t(2))
    toxics, _, down = applied(codec=codec)
    common = shared(0, 1)
    toxics.add(LAG, common)
    assert down.chain.transparent
    toxics, _, down = applied(2)
    toxics.add(LAG, common)
    assert not down.chain.transparent
    assert common.trigger.hit == 1


def test_count_when_a_toxic_is_seated_anew_then_its_connection_is_not_counted_again():
    toxics, _, down = applied()
    common = shared(0, 1)
    toxics.add(LAG, common)
    moved = replace(LAG, extensions=Extensions(seed=4))
    toxics.change(LAG, moved, common)
    assert common.trigger.seen == 1
    assert not down.chain.transparent


def test_toxicity_when_given_again_to_a_framed_toxic_then_is_drawn_once():
    toxics, _, down = applied()
    common = shared()
    off, on = framed(toxicity=0.0), framed(toxicity=1.0)
    toxics.add(off, common)
    toxics.change(off, on, common)
    assert not down.chain.transparent
    assert common.trigger.seen == 1


def test_toxic_when_it_does_not_act_then_a_change_of_its_draws_ends_nothing():
    toxics, _, down = applied()
    off = replace(LAG, type="timeout", attributes={"timeout": 0}, toxicity=0.0)
    toxics.add(off, shared())
    toxics.change(off, replace(off, extensions=Extensions(seed=5)), shared())
    assert down.delivered == []


def test_toxicity_when_changed_together_with_the_seed_then_takes_effect():
    toxics, _, down = applied()
    off = replace(LAG, toxicity=0.0)
    toxics.add(off, shared())
    toxics.change(off, replace(LAG, extensions=Extensions(seed=5)), shared())
    assert not down.chain.transparent


def test_toxics_when_both_read_messages_then_are_nested():
    """The one nearer the client is so in both directions, however they came to read."""
    for late in (None, "request"):
        toxics, up, down = applied()
        one = framed(name="one")
        two = replace(LAG, name="two", extensions=Extensions(per=late))
        three = framed(name="three")
        for state in (one, two, three):
            toxics.add(state, shared())
        toxics.change(two, replace(two, extensions=Extensions(per="request")), shared())
        assert [stage.seat.name for stage in down.chain._stages] == ["one", "two", "three"]
        assert [stage.seat.name for stage in up.chain._stages] == ["three", "two", "one"]


def test_upstream_when_a_toxic_takes_some_requests_alone_then_is_needed():
    toxics, _, _ = applied()
    swallows = replace(framed(), attributes={"requests": 0, "forward": False})
    toxics.add(replace(swallows, name="some", extensions=Extensions(per="request")), shared())
    assert toxics.needs_upstream()
    toxics.add(swallows, shared())
    assert not toxics.needs_upstream()


def test_toxicity_when_changed_outside_the_window_then_does_not_act():
    toxics, _, down = applied()
    common = shared(skip=1)
    never = replace(LAG, toxicity=0.0)
    toxics.add(never, common)
    toxics.change(never, LAG, common)
    assert down.chain.transparent
    assert (common.trigger.seen, common.trigger.hit) == (1, 0)
