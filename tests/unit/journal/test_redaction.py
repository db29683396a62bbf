"""Secrets leave every text of an event and nothing else."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.journal import lines
from harness.journal.redaction import HIDDEN, hiding, in_every_text
from harness.model.events import FaultUndone, ProbeRead, TargetFailed
from harness.model.units import Instant
from tests.support import strategies


def test_secret_when_at_any_depth_then_is_hidden():
    event = ProbeRead(
        probe="p",
        purpose="always",
        round=1,
        asked=Instant.of_ns(1),
        answered=Instant.of_ns(2),
        value={"url": ["x hunter2 y"], "hunter2": None},
    )
    hidden = in_every_text(event, hiding(["hunter2"]))
    assert hidden.value == {"url": [f"x {HIDDEN} y"], HIDDEN: None}


def test_secret_inside_another_when_hidden_then_leaves_no_rest():
    assert hiding(["pass", "password1"])("a password1 b pass") == f"a {HIDDEN} b {HIDDEN}"


@pytest.mark.parametrize("secret", ["runner", "type", "FaultUndone", "1", "by", "always"])
def test_secret_that_looks_like_the_form_when_hidden_then_the_line_can_still_be_read(secret):
    event = FaultUndone(
        fault="latency@db",
        round=1,
        asked=Instant.of_ns(1),
        confirmed=Instant.of_ns(11),
        found=True,
    )
    hidden = in_every_text(event, hiding([secret]))
    assert lines.decode(lines.encode(hidden)) == hidden
    assert hidden.by == "runner"


@given(strategies.events, strategies.texts.filter(bool))
def test_event_when_any_text_is_hidden_then_it_can_still_be_read(event, secret):
    hidden = in_every_text(event, hiding([secret]))
    assert lines.decode(lines.encode(hidden)) == hidden


@given(st.text(st.characters(codec="utf-8")), st.text("abc", min_size=1))
def test_secret_when_hidden_then_no_longer_stands_in_the_detail(detail, secret):
    event = TargetFailed(what="app", detail=detail + secret)
    hidden = in_every_text(event, hiding([secret]))
    assert secret not in hidden.detail
    assert msgspec.json.decode(lines.encode(hidden))["type"] == "TargetFailed"
