"""Who may read what: the only place that joins membership with mail.

Until levels come, a mailbox's emails are read by its owner and by nobody else; archives likewise. Every function runs inside a
workspace scope. What a member may not know of raises NotFound, exactly like what is not there.
"""

from dataclasses import dataclass, replace

from flowcrm.store.db import row, rows
from flowcrm.store.errors import NotFound
from flowcrm.store.models import Mailbox, Member


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who looks, with what he may look at. Made by `actor` and `operator` only, once a request.

    member_id: None for the operator at the command line.
    mailboxes: whose emails he may read, ascending.
    ip: where the request came from, for the audit record.
    """

    workspace_id: int
    member_id: int | None
    mailboxes: tuple[int, ...]
    ip: str | None = None

    def within(self, mailbox_id: int) -> "Actor":
        """The same, looking at one mailbox only; at nothing, if it is not one that he may read."""
        return replace(self, mailboxes=tuple(one for one in self.mailboxes if one == mailbox_id))


# The copy of the message `m` that a viewer is shown: his own, and of several the one he sent (it alone has its Bcc).
SHOWN_COPY = """
    SELECT o.* FROM copy o
    WHERE o.workspace_id = m.workspace_id AND o.message_id = m.id AND o.mailbox_id = ANY(%(mailboxes)s::bigint[])
    ORDER BY o.sent DESC, o.gone_at IS NOT NULL, o.id LIMIT 1"""


def actor(member: Member, ip: str | None = None) -> Actor:
    """A member who looks at a page."""
    return Actor(member.workspace_id, member.id, readable_mailboxes(member), ip)


def operator(workspace_id: int) -> Actor:
    """Whoever runs the installation, at its command line: reads everything, and is recorded like everybody else."""
    found = rows("SELECT id FROM mailbox WHERE workspace_id = %s ORDER BY id", [workspace_id])
    return Actor(workspace_id, None, tuple(mailbox_id for (mailbox_id,) in found))


def readable_mailboxes(member: Member) -> tuple[int, ...]:
    """The mailboxes whose emails the member may read, ascending: his own."""
    found = rows(
        "SELECT id FROM mailbox WHERE workspace_id = %s AND member_id = %s ORDER BY id", [member.workspace_id, member.id]
    )
    return tuple(mailbox_id for (mailbox_id,) in found)


def access_mailbox(member: Member, mailbox_id: int) -> Mailbox:
    """The member's own mailbox: only its owner configures it, or is shown what lies on its work-list. Raises NotFound."""
    found = Mailbox.objects.filter(workspace_id=member.workspace_id, id=mailbox_id, member_id=member.id).first()
    if found is None:
        raise NotFound
    return found


def access_conversation(looking: Actor, conversation_id: int) -> int:
    """The id under which the conversation is known now (ids of merged ones stay as aliases). Raises NotFound, also where no
    email of it is readable."""
    known = row(
        "SELECT coalesce(alias_of, id) FROM conversation WHERE workspace_id = %s AND id = %s",
        [looking.workspace_id, conversation_id],
    )
    # Two statements: as one, the planner cannot know that the conversation is a single one and may read every message.
    readable = known and row(
        """SELECT 1 FROM message m
           CROSS JOIN LATERAL (SELECT 1 FROM copy c
                               WHERE c.workspace_id = m.workspace_id AND c.message_id = m.id
                                 AND c.mailbox_id = ANY(%s::bigint[]) LIMIT 1) c
           WHERE m.workspace_id = %s AND m.conversation_id = %s LIMIT 1""",
        [list(looking.mailboxes), looking.workspace_id, known[0]],
    )
    if not known or not readable:
        raise NotFound
    return int(known[0])
