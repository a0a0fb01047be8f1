"""Who has opened an email. Inside a workspace scope."""

from dataclasses import dataclass
from datetime import datetime

from flowcrm.store.access import Actor
from flowcrm.store.db import rows


@dataclass(frozen=True, slots=True)
class Viewing:
    """A member who has opened an email: its text, a file of it or its original; lists do not count."""

    member_id: int
    name: str
    first_at: datetime
    last_at: datetime
    times: int


def viewed_by(looking: Actor, message_id: int) -> tuple[Viewing, ...]:
    """Everybody but the actor himself, the latest first. Nobody, where no copy of the email is his own: who reads a colleague's
    mail is that colleague's to know."""
    found = rows(
        """SELECT v.member_id, o.name, v.first_at, v.last_at, v.times FROM viewing v
           JOIN member o ON o.workspace_id = v.workspace_id AND o.id = v.member_id
           WHERE v.workspace_id = %(workspace)s AND v.message_id = %(message)s AND v.member_id <> %(member)s AND EXISTS (
               SELECT 1 FROM copy c WHERE c.workspace_id = v.workspace_id AND c.message_id = v.message_id
                 AND c.mailbox_id = ANY(%(own)s::bigint[]) AND c.binned_at IS NULL)
           ORDER BY v.last_at DESC, v.member_id""",
        {**looking.values(), "message": message_id, "member": looking.member_id},
    )
    return tuple(Viewing(*one) for one in found)
