"""What was removed by hand and is to stay out. Inside a workspace scope."""

from collections.abc import Iterable

from flowcrm.store.db import rows


def count_kept_out(workspace_id: int, mailbox_id: int) -> int:
    """How many emails and threads of a mailbox are kept out by hand."""
    found = rows("SELECT count(*) FROM kept_out WHERE workspace_id = %s AND mailbox_id = %s", [workspace_id, mailbox_id])
    return int(found[0][0])


def read_kept_out(workspace_id: int, mailbox_id: int, mails: Iterable[tuple[str, str | None]]) -> frozenset[str]:
    """Those of these mails (id, thread) that were removed, or whose thread was."""
    asked = list(mails)
    found = rows(
        """SELECT kind, provider_id FROM kept_out
           WHERE workspace_id = %s AND mailbox_id = %s
             AND ((kind = 'email' AND provider_id = ANY(%s::text[])) OR (kind = 'thread' AND provider_id = ANY(%s::text[])))""",
        [workspace_id, mailbox_id, [mail for mail, _ in asked], [thread for _, thread in asked if thread is not None]],
    )
    emails = {one for kind, one in found if kind == "email"}
    threads = {one for kind, one in found if kind == "thread"}
    return frozenset(mail for mail, thread in asked if mail in emails or thread in threads)
