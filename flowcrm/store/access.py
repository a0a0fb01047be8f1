"""Who may read what: the only place that joins membership with mail (docs/why/levels.md).

For one copy: its owner sees it whole. Nobody else sees anything of a copy that is shut (private, or capped), or whose mailbox's
level is Only me. Of the others they see as much as the level of its mailbox says. For one email the most open of its copies
counts. `sight` says it for one copy, READABLE for statements; `Actor` holds what both need. Roles do not matter: an admin sees
no more than others. Every function runs inside a workspace scope. What a member may not know of raises NotFound, exactly like
what is not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flowcrm.store.db import row, rows
from flowcrm.store.errors import NotFound
from flowcrm.store.levels import Level
from flowcrm.store.models import Mailbox, Member


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who looks, with what he may look at. Made by `actor` and `operator` only, once a request.

    member_id: None for the operator at the command line. own: his mailboxes, ascending. shared: other members' mailboxes of
    which he sees something -> how much. ip: where the request came from, for the audit record.
    """

    workspace_id: int
    member_id: int | None
    own: tuple[int, ...]
    shared: Mapping[int, Level] = field(default_factory=dict)
    ip: str | None = None

    @property
    def mailboxes(self) -> tuple[int, ...]:
        """All whose emails he may know of, ascending."""
        return tuple(sorted((*self.own, *self.shared)))

    def others(self, at_least: Level) -> list[int]:
        """Other members' mailboxes of which he sees at least that much."""
        return sorted(mailbox_id for mailbox_id, level in self.shared.items() if level.shows(at_least))

    def sight(self, mailbox_id: int) -> Level | None:
        """How much he sees of a copy in that mailbox which READABLE let through; None: he does not know of it."""
        return Level.EVERYTHING if mailbox_id in self.own else self.shared.get(mailbox_id)

    def within(self, mailbox_id: int) -> "Actor":
        """The same, looking at one mailbox only; at nothing, if it is not one that he may read."""
        own = tuple(one for one in self.own if one == mailbox_id)
        return replace(self, own=own, shared={one: level for one, level in self.shared.items() if one == mailbox_id})

    def narrowed(self, at_least: Level | None) -> "Actor":
        """The same, looking only at what is shown to him at least so far; None: at his own alone."""
        kept = [] if at_least is None else self.others(at_least)
        return replace(self, shared={one: self.shared[one] for one in kept})

    def values(self, at_least: Level = Level.PEOPLE) -> dict[str, object]:
        """What READABLE and SHOWN_COPY ask for, of copies of which he sees at least that much."""
        return {
            "workspace": self.workspace_id,
            "own": list(self.own),
            "others": self.others(at_least),
            "subject": self.others(Level.SUBJECT),
            "everything": self.others(Level.EVERYTHING),
        }


# Whether the actor may read the copy {0}: his own always, another's unless it is shut; neither from the bin.
READABLE = """({0}.binned_at IS NULL AND ({0}.mailbox_id = ANY(%(own)s::bigint[])
    OR ({0}.mailbox_id = ANY(%(others)s::bigint[]) AND NOT {0}.shut)))"""

# The copy of the message `m` that a viewer is shown: his own, and of several the one he sent (it alone has its Bcc); else the
# one of which he sees most.
SHOWN_COPY = f"""
    SELECT o.* FROM copy o
    WHERE o.workspace_id = m.workspace_id AND o.message_id = m.id AND {READABLE.format("o")}
    ORDER BY o.mailbox_id = ANY(%(own)s::bigint[]) DESC, o.mailbox_id = ANY(%(everything)s::bigint[]) DESC,
             o.mailbox_id = ANY(%(subject)s::bigint[]) DESC, o.sent DESC, o.gone_at IS NOT NULL, o.id LIMIT 1"""


def actor(member: Member, ip: str | None = None) -> Actor:
    """A member who looks at a page."""
    found = rows(
        "SELECT id, member_id = %s, level FROM mailbox WHERE workspace_id = %s ORDER BY id", [member.id, member.workspace_id]
    )
    own = tuple(mailbox_id for mailbox_id, mine, _ in found if mine)
    shared = {mailbox_id: Level(level) for mailbox_id, mine, level in found if not mine and level != Level.ONLY_ME}
    return Actor(member.workspace_id, member.id, own, shared, ip)


def operator(workspace_id: int) -> Actor:
    """Whoever runs the installation, at its command line: reads everything, and is recorded like everybody else."""
    found = rows("SELECT id FROM mailbox WHERE workspace_id = %s ORDER BY id", [workspace_id])
    return Actor(workspace_id, None, tuple(mailbox_id for (mailbox_id,) in found))


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
        f"""SELECT 1 FROM message m
            CROSS JOIN LATERAL (SELECT 1 FROM copy c
                                WHERE c.workspace_id = m.workspace_id AND c.message_id = m.id AND {READABLE.format("c")}
                                LIMIT 1) c
            WHERE m.workspace_id = %(workspace)s AND m.conversation_id = %(conversation)s LIMIT 1""",
        {**looking.values(), "conversation": known[0]},
    )
    if not known or not readable:
        raise NotFound
    return int(known[0])
