"""A link: order of writes, one timer, back-pressure, closes. Sockets and time are made up."""

from random import Random

from harness.proxy.items import Close
from harness.proxy.link import PENDING_BOUND, Link
from harness.proxy.seat import PlainSeat
from harness.proxy.toxics.latency import Latency
from tests.support.playbook import t


class FakeTransport:
    def __init__(self):
        self.written = b""
        self.eof = False
        self.reading = True

    def write(self, data):
        assert not self.eof
        self.written += data

    def can_write_eof(self):
        return True

    def is_closing(self):
        return False

    def write_eof(self):
        self.eof = True

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True


class FakeEnds:
    def __init__(self):
        self.said = []

    def passing(self, turn, data, now):
        self.said.append(("passing", turn))

    def injected(self, turn, toxic, request):
        self.said.append(("injected", turn, toxic))

    def delivered(self):
        pass

    def failed(self):
        self.said.append("failed")

    def finished(self, now):
        self.said.append("finished")

    def ending(self, sink, *, reset):
        self.said.append(("ending", reset))


class Made:
    """A link with its surroundings; ``advance`` fires the timer, early by ``early``."""

    def __init__(self, *, sink=True, **delays):
        self.now, self.timers, self.ends = t(0), [], FakeEnds()
        self.link = Link(self.ends, timers=self, clock=lambda: self.now)
        self.source, self.sink = FakeTransport(), FakeTransport()
        self.link.source = self.source
        for name, ms in delays.items():
            toxic = Latency({"latency": ms, "jitter": 0}, Random(1), {})
            self.link.chain.add(PlainSeat(name, toxic, acting=True), t(0))
        if sink:
            self.link.attach(self.sink)

    def call_at(self, when, call):
        timer = Timer(when, call)
        self.timers.append(timer)
        return timer

    def fire(self, ms):
        self.now = t(ms)
        live = [timer for timer in self.timers if not timer.cancelled]
        self.timers.clear()
        for timer in live:
            timer.call()


class Timer:
    def __init__(self, when, call):
        self.when, self.call, self.cancelled = when, call, False

    def cancel(self):
        self.cancelled = True


def test_bytes_when_no_toxic_acts_then_are_written_at_once():
    made = Made()
    made.link.take(b"a", 7, t(0))
    assert made.sink.written == b"a"
    assert made.ends.said == [("passing", 7)]


def test_bytes_when_delayed_then_wait_for_the_timer_even_if_it_fires_early():
    made = Made(lag=40)
    made.link.take(b"a", 7, t(0))
    assert made.sink.written == b""
    assert [timer.when for timer in made.timers] == [0.04]
    made.now = t(40)
    early = made.timers.pop()
    made.now = t(39)
    early.call()
    assert made.sink.written == b"", "never before it is due"
    made.fire(40)
    assert made.sink.written == b"a"
    assert made.ends.said == [("injected", 7, "lag"), ("passing", 7)]


def test_timer_when_more_bytes_come_then_is_still_one():
    made = Made(lag=40)
    for ms in range(5):
        made.now = t(ms)
        made.link.take(b"x", 1, made.now)
    assert len(made.timers) == 1


def test_timer_when_something_is_due_earlier_then_is_set_anew():
    made = Made(lag=40)
    made.link.take(b"a", 1, t(0))
    made.link.deliver(made.link.chain.update("lag", {"latency": 10, "jitter": 0}, t(0)))
    made.link.take(b"b", 1, t(1))
    assert [timer.when for timer in made.timers if not timer.cancelled] == [0.011]


def test_bytes_when_not_dialled_yet_then_are_kept_in_order_and_bounded():
    made = Made(sink=False)
    made.link.take(b"a", 1, t(0))
    made.link.take(b"b" * PENDING_BOUND, 1, t(0))
    assert not made.source.reading
    made.link.take_close(Close("eof"), t(0))
    made.link.attach(made.sink)
    assert made.sink.written == b"a" + b"b" * PENDING_BOUND
    assert made.sink.eof
    assert made.ends.said[-1] == "finished"


def test_reading_when_the_sink_is_full_then_pauses_and_goes_on():
    made = Made()
    made.link.pause(full=True)
    assert not made.source.reading
    made.link.pause(full=False)
    assert made.source.reading


def test_reading_when_toxics_hold_too_much_then_pauses_until_they_let_go():
    made = Made(lag=40)
    made.link.take(b"x" * Latency.room, 1, t(0))
    assert not made.source.reading
    made.fire(40)
    assert made.source.reading


def test_reading_when_the_source_has_ended_then_is_never_resumed():
    made = Made(lag=40)
    made.link.take(b"x" * Latency.room, 1, t(0))
    made.link.take(b"y", 1, t(10))
    made.link.take_close(Close("eof"), t(10))
    made.fire(40)
    assert not made.link.done
    assert not made.source.reading


def test_reset_when_at_the_end_of_the_chain_then_the_connection_is_told():
    made = Made(lag=40)
    made.link.take(b"a", 1, t(0))
    made.link.take_close(Close("reset"), t(0))
    assert ("ending", True) not in made.ends.said
    made.fire(40)
    assert made.sink.written == b"a"
    assert made.ends.said[-1] == ("ending", True)


def test_stop_when_bytes_are_held_then_they_are_dropped_and_no_timer_is_left():
    made = Made(lag=40)
    made.link.take(b"a", 1, t(0))
    made.link.stop()
    assert all(timer.cancelled for timer in made.timers)
    assert not made.source.reading
    made.link.take(b"b", 1, t(1))
    made.link.pause(full=False)
    assert made.sink.written == b""
    assert not made.source.reading
    assert made.link.done
