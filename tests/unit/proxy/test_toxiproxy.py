"""What Toxiproxy knows of our toxics."""

from harness.proxy.toxics import TOXICS
from harness.proxy.toxiproxy import TOXIPROXY, beyond_toxiproxy


def test_beyond_toxiproxy_when_asked_then_names_what_it_would_refuse_or_ignore():
    for kind, known in TOXIPROXY.items():
        wire = [attribute.name for attribute in TOXICS[kind].wire]
        assert beyond_toxiproxy(kind, known) == ()
        assert set(known) <= set(wire), kind
    assert beyond_toxiproxy("latency", ["latency", "distribution"], ["first"]) == (
        "latency's distribution",
        "first",
    )
    assert beyond_toxiproxy("cut", ["bytes"], ["per"]) == ("the toxic cut", "per")
