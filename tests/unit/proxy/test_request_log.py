"""The request log: pages of requests, the open ones on the last, and what a reader makes of one."""

import msgspec

from harness.model.units import Duration, Instant
from harness.protocols.http_observer import Observed
from harness.proxy.client import _from_page
from harness.proxy.request_log import MOST_IN_A_PAGE, Request, RequestLog, RequestPage

COUNTS = {"connections": 3, "open": 2, "held": 9, "lag": 250_000, "taken": 77}


def observed(seq, end="answered"):
    return Observed(
        1, seq, 2, 4242, "GET", "r1", 5, 6 if end != "open" else None, end, 200, True, ("a",)
    )


def log_of(count, kept=100):
    log = RequestLog(kept=kept)
    for seq in range(count):
        log.append(observed(seq))
    return log


def test_page_when_sent_and_read_then_has_every_key_and_no_other():
    log = log_of(1)
    log.unreadable, log.upgraded = 4, 5
    sent = log.page(0, [observed(9, "open")], **COUNTS)
    assert set(sent) == set(RequestPage.__struct_fields__)
    read = msgspec.json.decode(msgspec.json.encode(sent), type=RequestPage, dec_hook=_from_page)
    one = Request(
        conn=1, seq=0, turn=2, peer=4242, method="GET", rid="r1", arrived=Instant.of_ns(5),
        ended=Instant.of_ns(6), end="answered", status=200, began=True, injected=("a",),
    )  # fmt: skip
    still = msgspec.structs.replace(one, seq=9, ended=None, end="open")
    assert read == RequestPage(
        requests=(one, still), next=1, more=False, dropped=0, connections=3, open=2, unreadable=4,
        upgraded=5, held=9, lag=Duration.of_ns(250_000), taken=Instant.of_ns(77),
    )  # fmt: skip


def test_page_when_there_are_more_than_it_has_then_says_so_and_leaves_the_open_ones_to_the_last():
    log, still_open = log_of(5), [observed(9, "open")]
    first = log.page(0, still_open, most=3)
    assert ([one.seq for one in first["requests"]], first["next"], first["more"]) == (
        [0, 1, 2],
        3,
        True,
    )
    last = log.page(3, still_open, most=3)
    assert ([one.seq for one in last["requests"]], last["next"], last["more"]) == (
        [3, 4, 9],
        5,
        False,
    )


def test_page_when_full_by_a_hair_then_is_the_last():
    log = log_of(MOST_IN_A_PAGE, kept=MOST_IN_A_PAGE)
    assert not log.page(0, [])["more"]
    assert len(log.page(0, [])["requests"]) == MOST_IN_A_PAGE


def test_dropped_when_requests_were_too_many_then_are_counted():
    page = log_of(15, kept=10).page(0, [])
    assert ([one.seq for one in page["requests"]], page["dropped"]) == (list(range(5, 15)), 5)
