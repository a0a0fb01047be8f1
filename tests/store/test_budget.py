"""What may be spent at a provider: never more than its minute allows, less after a warning, and back again in calm times."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowcrm.lib import clock
from flowcrm.mail.errors import RateLimited
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.writes.budget import do_spend, do_throttled
from flowcrm.store.writes.page import Hold
from tests.store.pages import new_hold, new_workspace

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]

MINUTE = 6000.0


def spend(hold: Hold, units: int) -> bool:
    try:
        do_spend(workspace_id=hold.workspace_id, mailbox_id=hold.mailbox_id, units=units, configured=MINUTE)
    except RateLimited:
        return False
    return True


def allowance(hold: Hold) -> float:
    with workspace_scope(hold.workspace_id):
        return float(rows("SELECT per_minute FROM budget WHERE mailbox_id = %s", [hold.mailbox_id])[0][0])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from([1, 20, 500])), max_size=60))
def test_no_minute_ever_spends_more_than_it_may(steps: list[tuple[int, int]]) -> None:
    hold = new_hold(new_workspace())
    spent = []
    for seconds, units in steps:
        clock.advance(seconds)
        if spend(hold, units):
            spent.append((clock.now(), units))
    for moment, _ in spent:
        window = sum(units for at, units in spent if moment <= at < moment + timedelta(seconds=60))
        assert window <= MINUTE + 1


def test_a_refused_call_may_go_at_the_moment_it_was_told() -> None:
    hold = new_hold(new_workspace())
    while spend(hold, 500):
        pass
    with pytest.raises(RateLimited) as refused:
        do_spend(workspace_id=hold.workspace_id, mailbox_id=hold.mailbox_id, units=500, configured=MINUTE)
    assert refused.value.retry_at is not None

    clock.advance((refused.value.retry_at - clock.now()).total_seconds() + 0.1)

    assert spend(hold, 500)


def test_a_warning_cuts_the_allowance_and_calm_gives_it_back() -> None:
    hold = new_hold(new_workspace())
    assert spend(hold, 20)
    with workspace_scope(hold.workspace_id):
        do_throttled(
            workspace_id=hold.workspace_id, mailbox_id=hold.mailbox_id, retry_at=None, at_least=timedelta(0), configured=MINUTE
        )

    assert allowance(hold) < MINUTE
    assert not spend(hold, 1)
    for _ in range(12):
        clock.advance(601)
        assert spend(hold, 1)
    assert allowance(hold) == MINUTE


def test_nothing_is_spent_before_the_moment_the_provider_named() -> None:
    hold = new_hold(new_workspace())
    assert spend(hold, 20)
    named = clock.now() + timedelta(minutes=3)
    with workspace_scope(hold.workspace_id):
        do_throttled(
            workspace_id=hold.workspace_id, mailbox_id=hold.mailbox_id, retry_at=named, at_least=timedelta(0), configured=MINUTE
        )

    clock.advance(170)
    assert not spend(hold, 1)
    clock.advance(20)
    assert spend(hold, 1)
