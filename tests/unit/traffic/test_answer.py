"""What came of an operation, on its way to the rules; what they see of it is in ``connections/``."""

import pytest

from harness.connections.answer import Headers
from harness.model.units import Duration, Instant
from harness.traffic.answer import Answer, Ended


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


def ended(exit_code: int) -> Ended:
    moments = {"sent": Instant.of_ns(1_000), "last": Instant.of_ns(3_000)}
    return Ended(exit_code=exit_code, output="out", errors="err", **moments)


def test_a_programs_end_when_asked_for_values_then_has_its_code_its_texts_and_its_time() -> None:
    assert dict(ended(3).values()) == {
        "exit_code": 3,
        "output": "out",
        "errors": "err",
        "elapsed": Duration.of_ns(2_000),
    }


def test_a_programs_end_when_told_as_an_answer_then_has_no_status_and_one_moment() -> None:
    came = ended(0)
    assert (came.status, came.first, came.last) == (None, came.last, Instant.of_ns(3_000))


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [(0, "exit code 0"), (3, "exit code 3"), (-9, "ended by SIGKILL"), (-99, "ended by signal 99")],
)
def test_a_programs_end_when_told_to_people_then_signals_have_their_names(
    exit_code: int, words: str
) -> None:
    assert ended(exit_code).words() == words
