"""What changes a mailbox's card or its emails tells the pages, at the commit, in one tiding a transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from flowcrm.lib import clock
from flowcrm.store.db import workspace_scope
from flowcrm.store.tidings import CHANNEL, Tiding, read_tiding
from flowcrm.store.writes.asked import do_interval
from flowcrm.store.writes.due import do_due_now
from flowcrm.store.writes.mailbox import Selection, do_checked, do_note, do_settings, do_state
from flowcrm.store.writes.tell import do_tell
from tests.mail_helper import connect, keep, raw
from tests.people import Someone, member

__all__ = ["member"]

pytestmark = pytest.mark.needs_postgres

Write = Callable[[int, int], None]
WRITES: dict[str, Write] = {
    "state": lambda ws, box: do_state(workspace_id=ws, mailbox_id=box, state="paused"),
    "note": lambda ws, box: do_note(workspace_id=ws, mailbox_id=box, code="slowed", retry_at=clock.now()),
    "checked": lambda ws, box: do_checked(workspace_id=ws, mailbox_id=box, synced=True, import_done=True),
    "settings": lambda ws, box: do_settings(workspace_id=ws, mailbox_id=box, chosen=Selection("all", None, 300, frozenset())),
    "interval": lambda ws, box: do_interval(workspace_id=ws, mailbox_id=box, interval_s=900),
    "sync now": lambda ws, box: do_due_now(workspace_id=ws, mailbox_id=box),
}


@contextmanager
def _told(url: str) -> Iterator[list[Tiding | None]]:
    """What is told inside the block, up to a last word of ours."""
    heard: list[Tiding | None] = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}".encode())
        yield heard
        connection.execute("SELECT pg_notify(%s, 'the end')", [CHANNEL])
        for told in connection.notifies():
            if told.payload == "the end":
                return
            heard.append(read_tiding(told.payload))


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_changes_a_card_tells_of_its_mailbox_once(write: str, member: Someone, database: dict[str, str]) -> None:
    mailbox_id = connect(member)
    with _told(database["app"]) as heard, workspace_scope(member.workspace_id):
        WRITES[write](member.workspace_id, mailbox_id)
    assert heard == [Tiding(member.workspace_id, mailbox_id, emails=False)]


def test_a_page_of_mails_is_one_tiding(member: Someone, database: dict[str, str]) -> None:
    mailbox_id = connect(member)
    with _told(database["app"]) as heard:
        keep(member.workspace_id, mailbox_id, *(raw() for _ in range(20)))
    assert heard == [Tiding(member.workspace_id, mailbox_id, emails=True)]


def test_a_page_that_was_here_already_changes_no_list(member: Someone, database: dict[str, str]) -> None:
    mailbox_id = connect(member)
    with _told(database["app"]) as heard:
        keep(member.workspace_id, mailbox_id)
    assert heard == [Tiding(member.workspace_id, mailbox_id, emails=False)]


def test_nothing_is_told_of_what_was_rolled_back(member: Someone, database: dict[str, str]) -> None:
    with (
        _told(database["app"]) as heard,
        pytest.raises(ZeroDivisionError),
        workspace_scope(member.workspace_id),
    ):
        do_tell(workspace_id=member.workspace_id, mailbox_id=connect(member))
        raise ZeroDivisionError
    assert heard == []


@pytest.mark.parametrize("text", ["", "1", "1 2", "1 2 contacts", "x 2 card", "1 2 card more", "-1 2 card"])
def test_what_is_not_a_tiding_is_not_taken_for_one(text: str) -> None:
    assert read_tiding(text) is None
