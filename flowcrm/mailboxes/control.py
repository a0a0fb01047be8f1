"""The buttons of a mailbox: pause, resume, look now, stop, try again. For its owner; each runs inside the caller's scope."""

from flowcrm.mailboxes.states import Forbidden, State, check_move
from flowcrm.store.db import row
from flowcrm.store.models import Mailbox
from flowcrm.store.writes.asked import do_import_no_further, do_try_quarantined
from flowcrm.store.writes.audit import do_audit
from flowcrm.store.writes.due import do_due_now
from flowcrm.store.writes.mailbox import do_state


def do_pause(mailbox: Mailbox) -> None:
    """Read nothing until resumed. Raises Forbidden where the mailbox is not on (any more)."""
    _locked(mailbox, State.PAUSED)
    do_state(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.id, state=State.PAUSED)
    _record(mailbox, "pause")


def do_resume(mailbox: Mailbox) -> None:
    """Go on where it was, after a pause, or after an admin mended the registration. Raises Forbidden."""
    to = State.ON if mailbox.import_from is not None else State.CHOOSING
    _locked(mailbox, to)
    do_state(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.id, state=to)
    _record(mailbox, "resume")


def do_sync_now(mailbox: Mailbox) -> None:
    """Look as soon as a worker is free. Raises Forbidden where the mailbox is not on."""
    if mailbox.state != State.ON:
        raise Forbidden(f"{mailbox.state} is not synced")
    do_due_now(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.id)


def do_stop_import(mailbox: Mailbox) -> None:
    """End the first walk where it is: what is kept stays, and new mail goes on coming in. "Import since" becomes the day that
    was reached, so an earlier one takes the import up again. Raises Forbidden where no import is under way."""
    if mailbox.state != State.ON or mailbox.import_from is None or mailbox.import_done_at is not None:
        raise Forbidden("no import is under way")
    do_import_no_further(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.id)
    _record(mailbox, "stop_import")


def do_try_again(mailbox: Mailbox, work_id: int | None) -> int:
    """Take a mail that was set apart back onto the work-list (None: all); how many. Read when the mailbox is on."""
    return do_try_quarantined(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.id, work_id=work_id)


def _locked(mailbox: Mailbox, to: State) -> None:
    """Hold the row, so that a worker's news and this press come one after the other."""
    found = row("SELECT state FROM mailbox WHERE workspace_id = %s AND id = %s FOR UPDATE", [mailbox.workspace_id, mailbox.id])
    check_move(State(found[0]) if found else State.DISCONNECTED, to)


def _record(mailbox: Mailbox, verb: str) -> None:
    do_audit(
        workspace_id=mailbox.workspace_id,
        actor_id=mailbox.member_id,
        verb=verb,
        surface="page",
        object_ids=[mailbox.id],
    )
