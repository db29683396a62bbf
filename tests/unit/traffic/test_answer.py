"""An answer on its way to the rules; what they see of it is in ``connections/``."""

from harness.connections.answer import Headers
from harness.model.units import Duration, Instant
from harness.traffic.answer import Answer


def test_values_when_asked_for_then_elapsed_is_from_the_last_byte_sent_to_the_last_received() -> (
    None
):
    answer = Answer(
        status=201,
        headers=Headers(),
        body=b"7",
        sent=Instant.of_ns(1_000),
        first=Instant.of_ns(2_000),
        last=Instant.of_ns(3_000),
    )
    values = answer.values()
    assert (values["status"], values["json"]) == (201, 7)
    assert values["elapsed"] == Duration.of_ns(2_000)
