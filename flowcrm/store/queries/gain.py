"""What a change of a mailbox's level means for colleagues. Inside a workspace scope."""

from dataclasses import dataclass

from flowcrm.store.db import row, rows
from flowcrm.store.levels import Level


@dataclass(frozen=True, slots=True)
class Gain:
    """So many threads are seen better (or worse: gains is False) by so many colleagues."""

    threads: int
    people: int
    gains: bool


def gain_of_level(workspace_id: int, mailbox_id: int, wanted: Level) -> Gain:
    """Of which threads colleagues see more, or less, once the mailbox has this level. An email that another mailbox shows just
    as openly does not count; what is private is hidden before and after."""
    [(owner, now)] = rows(
        "SELECT member_id, level FROM mailbox WHERE workspace_id = %s AND id = %s", [workspace_id, mailbox_id]
    )
    before = Level(now)
    gains = wanted.shows(before)
    if before is wanted:
        return Gain(0, 0, gains=True)
    people = row(
        "SELECT count(*) FROM member WHERE workspace_id = %s AND id <> %s AND deactivated_at IS NULL", [workspace_id, owner]
    )
    found = row(
        """SELECT count(DISTINCT m.conversation_id) FROM copy c
           JOIN message m ON m.workspace_id = c.workspace_id AND m.id = c.message_id
           WHERE c.workspace_id = %(ws)s AND c.mailbox_id = %(box)s AND NOT c.shut AND c.binned_at IS NULL AND NOT EXISTS (
               SELECT 1 FROM copy o WHERE o.workspace_id = c.workspace_id AND o.message_id = c.message_id
                 AND o.binned_at IS NULL AND o.mailbox_id = ANY(%(as_open)s::bigint[]))""",
        {"ws": workspace_id, "box": mailbox_id, "as_open": _as_open(workspace_id, mailbox_id, wanted if gains else before)},
    )
    return Gain(found[0] if found else 0, people[0] if people else 0, gains)


def _as_open(workspace_id: int, mailbox_id: int, level: Level) -> list[int]:
    found = rows("SELECT id, level FROM mailbox WHERE workspace_id = %s AND id <> %s", [workspace_id, mailbox_id])
    return [one for one, other in found if Level(other).shows(level)]
