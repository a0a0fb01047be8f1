"""Who may write to a mailbox: one at a time, and nobody whose time is over."""

import os
import subprocess
import sys

import pytest

from flowcrm.lib import clock
from flowcrm.store.db import workspace_scope
from flowcrm.store.writes import lease as leases
from flowcrm.store.writes.due import LANE_IMPORT, LANE_NOW, do_due
from flowcrm.store.writes.lease import LeaseLost, claim_due, free_leases_of_the_dead, process_name, release, renew, take
from flowcrm.store.writes.mailbox import do_state
from flowcrm.store.writes.page import SettingsChanged
from tests.store.pages import Mail, hold_of, keep, messages, new_hold, new_workspace

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


def test_a_held_mailbox_is_not_given_to_a_second_worker() -> None:
    hold = new_hold(new_workspace())
    assert take(hold.workspace_id, hold.mailbox_id, "sync", "second") is None


def test_after_its_time_a_lease_goes_to_the_next_and_the_first_can_write_nothing() -> None:
    hold = new_hold(new_workspace())
    clock.advance(61)
    second = take(hold.workspace_id, hold.mailbox_id, "sync", "second")
    assert second is not None
    assert second.epoch == hold.lease.epoch + 1

    with pytest.raises(LeaseLost):
        keep(hold, [Mail("1", "id-1", "text", "text")])
    keep(hold_of(second), [Mail("2", "id-2", "text 2", "text 2")])

    assert messages(hold.workspace_id) == {frozenset({"2"})}


def test_a_renewed_lease_lives_on_and_a_lost_one_cannot_be_renewed() -> None:
    hold = new_hold(new_workspace())
    mine = hold.lease
    clock.advance(50)
    assert renew(mine)
    clock.advance(50)
    assert take(hold.workspace_id, hold.mailbox_id, "sync", "second") is None
    clock.advance(61)
    assert take(hold.workspace_id, hold.mailbox_id, "sync", "second")
    assert not renew(mine)


def test_an_epoch_never_falls_even_after_release() -> None:
    hold = new_hold(new_workspace())
    release(hold.lease)
    again = take(hold.workspace_id, hold.mailbox_id, "sync", "test")
    assert again is not None
    assert again.epoch == hold.lease.epoch + 1


def test_a_disconnected_mailbox_takes_nothing_in_any_more() -> None:
    hold = new_hold(new_workspace())
    with workspace_scope(hold.workspace_id):
        do_state(workspace_id=hold.workspace_id, mailbox_id=hold.mailbox_id, state="disconnected")

    with pytest.raises(SettingsChanged):
        keep(hold, [Mail("1", "id-1", "text", "text")])


def test_a_waiting_person_goes_before_an_import_however_long_that_has_waited() -> None:
    workspace_id = new_workspace()
    importing, asked = new_hold(workspace_id), new_hold(workspace_id)
    clock.advance(3600)
    with workspace_scope(workspace_id):
        # Far in the past, so that no other test's mailbox comes between.
        long_ago = clock.now().replace(year=2001)
        do_due(workspace_id=workspace_id, mailbox_id=importing.mailbox_id, at=long_ago, lane=LANE_IMPORT)
        do_due(workspace_id=workspace_id, mailbox_id=asked.mailbox_id, at=long_ago.replace(year=2002), lane=LANE_NOW)

    first = claim_due("worker")

    assert first is not None
    assert first.mailbox_id == asked.mailbox_id


def test_a_starting_worker_frees_the_leases_of_dead_processes_of_its_host_only() -> None:
    workspace_id = new_workspace()
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True)
    host = process_name().split(":")[0]
    gone, here = (
        new_hold(workspace_id, owner=f"{host}:{int(dead.stdout)}:12345/1"),
        new_hold(workspace_id, f"{process_name()}/1"),
    )
    elsewhere = new_hold(workspace_id, owner=f"other-host:{os.getpid()}:1/1")

    assert free_leases_of_the_dead() >= 1

    assert take(workspace_id, gone.mailbox_id, "sync", "me") is not None
    assert take(workspace_id, here.mailbox_id, "sync", "me") is None
    assert take(workspace_id, elsewhere.mailbox_id, "sync", "me") is None
    assert leases.LIFE.total_seconds() == 60
