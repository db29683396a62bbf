"""What a run starts is announced first, by an event that names all that ends it again."""

from harness.model.events import AnyEvent
from harness.model.stack_events import (
    ContainerIntended,
    ContainerRemoved,
    ContainerStarted,
    HopClosed,
    HopIntended,
    HopOpened,
    ProcessEnded,
    ProcessIntended,
    ProcessStarted,
    ServiceReady,
)

INTENDED = {
    ProcessIntended: ProcessEnded,
    ContainerIntended: ContainerRemoved,
    HopIntended: HopClosed,
}
CAME = (ProcessStarted, ContainerStarted, HopOpened, ServiceReady)


def test_event_when_of_the_stack_then_is_in_the_journals_union():
    for kind in (*INTENDED, *INTENDED.values(), *CAME):
        assert issubclass(kind, AnyEvent), kind


def test_intention_when_on_disk_then_names_what_its_end_names():
    """Whoever cleans up after a crash has the intentions alone, and matches ends to them."""
    for intended, ended in INTENDED.items():
        known = set(intended.__struct_fields__) & set(ended.__struct_fields__) - {"n", "t", "at"}
        assert known & {"name", "hop"}, intended
    assert {"container", "image"} <= set(ContainerIntended.__struct_fields__)
    assert {"admin", "proxy"} <= set(HopIntended.__struct_fields__)
