"""Leases: ids, deadlines, and what has ended. Time is a number."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.units import Duration
from harness.proxy.leases import Leases, unguessable_ids
from harness.proxy.states import Refused
from tests.support.playbook import t

SECOND = Duration.of_s(1)


def test_ids_when_made_then_none_comes_twice_and_none_says_the_next():
    one, other = unguessable_ids(), unguessable_ids()
    found = [make() for make in (one, other) for _ in range(1_000)]
    assert len(set(found)) == 2_000
    assert all(re.fullmatch("l-[0-9a-f]{16}", each) for each in found)
    assert len({each[:14] for each in found}) == 2_000


def test_lease_when_its_time_is_over_then_is_found_and_does_not_run():
    leases = Leases()
    lease = leases.grant("me", SECOND, t(0))
    assert leases.running(lease.id, t(999)) is lease
    assert lease.left(t(400)).in_ms == 600
    assert lease.left(t(2_000)) == Duration.ZERO
    for call in (leases.running, lambda lease_id, now: leases.renew(lease_id, None, now)):
        with pytest.raises(Refused, match="lease not found") as refused:
            call(lease.id, t(1_000))
        assert refused.value.status == 404
    assert leases.find(lease.id) is lease
    leases.forget(lease)
    with pytest.raises(Refused, match="lease not found"):
        leases.find(lease.id)


def test_lease_when_renewed_then_runs_for_its_ttl_or_the_new_one_from_then_on():
    leases = Leases()
    lease = leases.grant("me", SECOND, t(0))
    leases.renew(lease.id, None, t(500))
    assert (lease.ttl, lease.deadline) == (SECOND, t(1_500))
    leases.renew(lease.id, 3 * SECOND, t(600))
    leases.renew(lease.id, None, t(700))
    assert (lease.ttl, lease.deadline) == (3 * SECOND, t(3_700))


def test_lease_when_ended_before_its_time_then_does_not_run():
    leases = Leases()
    lease = leases.grant("me", SECOND, t(0))
    lease.ended = True
    assert not lease.runs(t(1))
    assert lease.left(t(1)) == Duration.ZERO


@given(
    st.lists(
        st.tuples(st.sampled_from(["grant", "renew", "forget", "wait"]), st.integers(100, 900)),
        max_size=30,
    )
)
def test_leases_when_called_in_any_order_then_run_exactly_from_their_last_renewal(calls):
    numbers = itertools.count()
    leases, until, now = Leases(lambda: f"l-{next(numbers)}"), {}, 0
    for call, number in calls:
        chosen = f"l-{number % 3}"
        if call == "grant":
            lease = leases.grant("", Duration.of_ms(number), t(now))
            until[lease.id] = (number, now + number)
        elif call == "wait":
            now += number
        elif call == "forget" and chosen in until:
            leases.forget(leases.find(chosen))
            del until[chosen]
        elif call == "renew":
            try:
                leases.renew(chosen, None, t(now))
            except Refused:
                assert chosen not in until or until[chosen][1] <= now
            else:
                ttl, deadline = until[chosen]
                assert now < deadline
                until[chosen] = (ttl, now + ttl)
        assert {lease.id: lease.deadline for lease in leases.all()} == {
            lease_id: t(deadline) for lease_id, (_, deadline) in until.items()
        }
