"""The plan's limits: exact, once per message, with a reserve for new mail, and never a mail lost."""

from dataclasses import replace

import pytest

from flowcrm.store.db import rows, run, workspace_scope
from flowcrm.store.plans import PLANS
from flowcrm.store.writes.usage import read_room, read_used
from tests.store.pages import TODAY, Mail, keep, new_hold, new_workspace, stored

pytestmark = pytest.mark.needs_postgres

TEN_A_DAY = replace(PLANS["professional"], sync_per_day=10, stored=100)


def mails(first: int, count: int) -> list[Mail]:
    return [Mail(str(n), f"id-{n}", f"text {n}", f"text {n}") for n in range(first, first + count)]


def used(workspace_id: int) -> int:
    with workspace_scope(workspace_id):
        return read_used(workspace_id, TODAY)


def waiting(workspace_id: int) -> int:
    with workspace_scope(workspace_id):
        return len(rows("SELECT 1 FROM work WHERE workspace_id = %s", [workspace_id]))


def test_what_finds_no_room_stays_on_the_work_list() -> None:
    workspace_id = new_workspace()
    result = keep(new_hold(workspace_id), mails(0, 13), plan=TEN_A_DAY)

    assert (result.stored, result.waiting) == (10, 3)
    assert (used(workspace_id), stored(workspace_id), waiting(workspace_id)) == (10, 10, 3)


def test_a_full_day_still_takes_copies_of_messages_that_are_here() -> None:
    workspace_id = new_workspace()
    keep(new_hold(workspace_id), mails(0, 10), plan=TEN_A_DAY)

    result = keep(new_hold(workspace_id), mails(0, 10), plan=TEN_A_DAY)

    assert (result.kept, result.stored, result.waiting) == (10, 0, 0)
    assert used(workspace_id) == 10


def test_import_leaves_a_fifth_of_the_day_to_new_mail() -> None:
    workspace_id = new_workspace()
    hold = new_hold(workspace_id)

    assert keep(hold, mails(0, 12), plan=TEN_A_DAY, importing=True).stored == 8
    assert keep(hold, mails(20, 5), plan=TEN_A_DAY).stored == 2


def test_the_reserve_is_yesterdays_new_mail_where_that_was_more() -> None:
    workspace_id = new_workspace()
    with workspace_scope(workspace_id):
        run(
            "INSERT INTO usage_day (workspace_id, local_date, used, import_used) VALUES (%s, %s::date - 1, 9, 3)",
            [workspace_id, TODAY],
        )
        room = read_room(workspace_id, TEN_A_DAY, TODAY)

    assert (room.new, room.importing) == (10, 4)


def test_new_mail_that_came_in_frees_the_reserve_by_as_much() -> None:
    workspace_id = new_workspace()
    hold = new_hold(workspace_id)
    keep(hold, mails(0, 2), plan=TEN_A_DAY)

    assert keep(hold, mails(10, 12), plan=TEN_A_DAY, importing=True).stored == 8


def test_full_storage_stops_import_and_sync_alike() -> None:
    workspace_id = new_workspace()
    hold = new_hold(workspace_id)
    small = replace(TEN_A_DAY, stored=4)

    assert keep(hold, mails(0, 3), plan=small, importing=True).stored == 3
    assert keep(hold, mails(10, 3), plan=small).stored == 1
    assert stored(workspace_id) == 4


def test_enterprise_has_no_limit() -> None:
    workspace_id = new_workspace()
    with workspace_scope(workspace_id):
        room = read_room(workspace_id, PLANS["enterprise"], TODAY)

    assert (room.new, room.importing) == (None, None)
