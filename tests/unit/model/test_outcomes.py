"""Three outcomes, told apart by their tag wherever they are written."""

import msgspec
import pytest

from harness.model.outcomes import Acknowledged, Outcome, Rejected, Unknown


@pytest.mark.parametrize(
    ("outcome", "written"),
    [
        (Acknowledged(), b'{"type":"acknowledged"}'),
        (Rejected(), b'{"type":"rejected"}'),
        (Unknown("no answer within 30 s"), b'{"type":"unknown","because":"no answer within 30 s"}'),
    ],
    ids=["acknowledged", "rejected", "unknown"],
)
def test_outcome_when_written_then_reads_back_as_the_same(outcome, written):
    assert msgspec.json.encode(outcome) == written
    assert msgspec.json.decode(written, type=Outcome) == outcome


def test_unknown_when_it_has_no_reason_then_is_refused():
    with pytest.raises(TypeError):
        Unknown()
