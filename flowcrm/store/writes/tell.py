"""Telling the pages: from inside the transaction that changes what they show, so that nothing is told that did not happen."""

from flowcrm.store.db import run
from flowcrm.store.tidings import CHANNEL, Noticed, Tiding


def do_tell(*, workspace_id: int, mailbox_id: int, emails: bool = False) -> None:
    """The mailbox's card shows something else now; emails: so may lists of its emails.

    PostgreSQL delivers at the commit and folds what one transaction tells twice.
    """
    run("SELECT pg_notify(%s, %s)", [CHANNEL, Tiding(workspace_id, mailbox_id, emails).written()])


def do_tell_noticed(*, workspace_id: int, member_id: int) -> None:
    """The member's bell shows something else now."""
    run("SELECT pg_notify(%s, %s)", [CHANNEL, Noticed(workspace_id, member_id).written()])
