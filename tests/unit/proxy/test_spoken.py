"""Units of an experiment file as the API's whole numbers; what does not fit says what does."""

import pytest

from harness.model.errors import UserError
from harness.model.units import Duration, Rate, Size
from harness.proxy.spoken import (
    whole_bytes,
    whole_kilobytes_per_second,
    whole_ms,
    whole_seconds,
    whole_us,
)
from harness.proxy.wire import MOST_MS


def test_values_when_they_fit_then_are_whole_numbers():
    assert whole_ms("latency", Duration.parse("1.5s")) == 1500
    assert whole_us("delay", Duration.parse("10us")) == 10
    assert whole_seconds("retry_after", Duration.parse("2min")) == 120
    assert whole_bytes("bytes", Size.parse("1KiB")) == 1024
    assert whole_kilobytes_per_second("rate", Rate.parse("1MB/s")) == 1000
    assert whole_kilobytes_per_second("rate", Rate.parse("125KiB/s")) == 128


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: whole_ms("latency", Duration.parse("1500us")), "Write 1ms or 2ms"),
        (lambda: whole_ms("latency", Duration.parse("5us")), "Write 1ms."),
        (lambda: whole_us("delay", Duration.parse("1500ns")), "Write 1us or 2us"),
        (lambda: whole_seconds("retry_after", Duration.of_ms(1500)), "Write 1s or 2s"),
        (lambda: whole_seconds("retry_after", Duration.of_s(-1)), "use 0s to"),
        (lambda: whole_ms("latency", Duration.of_ms(-1)), "use 0ms to"),
        (lambda: whole_ms("latency", Duration.of_ms(MOST_MS + 1)), f"to {MOST_MS}ms"),
        (lambda: whole_bytes("bytes", Size(-1)), "-1B is out of range"),
        (lambda: whole_bytes("bytes", Size(2**63)), "is out of range"),
        (lambda: whole_kilobytes_per_second("rate", Rate.parse("1KiB/s")), "Write 1KB/s or 2KB/s"),
        (lambda: whole_kilobytes_per_second("rate", Rate(-1000)), "use 0KB/s or more"),
    ],
)
def test_value_when_it_does_not_fit_then_the_message_says_what_does(call, says):
    with pytest.raises(UserError, match=says):
        call()
