"""What the search index proposes (docs/why/search.md). Inside a workspace scope.

Tokens are of all copies of an email; what counts for a viewer is the one that he is shown. So whatever is proposed here must be
opened and compared (store/reveal/found.py) before anybody is told of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, repeat

from flowcrm.mail.words import BODY, FILES, MAILBOX, PEOPLE, SUBJECT, bcc_class
from flowcrm.store.access import SHOWN_COPY, Actor
from flowcrm.store.db import rows
from flowcrm.store.levels import Level
from flowcrm.vault.seal import WorkspaceVault

# In which classes a word counts, by how much is seen of an email.
_CLASSES = {
    Level.EVERYTHING: (PEOPLE, SUBJECT, BODY, FILES),
    Level.SUBJECT: (PEOPLE, SUBJECT),
    Level.PEOPLE: (PEOPLE,),
}


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the order of proposals: newest first, by an email's earliest copy, then by its id."""

    at: datetime = datetime(9999, 1, 1, tzinfo=UTC)
    message_id: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """An email that may be meant. copy_id: the copy that the viewer is shown, None where that is none."""

    spot: Spot
    conversation_id: int
    copy_id: int | None


_FOUND = """
    SELECT * FROM find_messages(%({level}_words)s::bigint[], %({level}_boxes)s::bigint[], %(at)s, %(id)s, %(most)s)"""

# Of what each level's search proposes, the newest.
_PROPOSED = f"""
    SELECT f.at, f.message_id, m.conversation_id, c.id
    FROM (SELECT DISTINCT at, message_id FROM ({{found}}) f ORDER BY at DESC, message_id DESC LIMIT %(most)s) f
    CROSS JOIN LATERAL (
        SELECT m.workspace_id, m.id, m.conversation_id FROM message m
        WHERE m.workspace_id = %(workspace)s AND m.id = f.message_id LIMIT 1) m
    LEFT JOIN LATERAL ({SHOWN_COPY}) c ON true
    ORDER BY f.at DESC, f.message_id DESC"""


def proposals(looking: Actor, keys: WorkspaceVault, words: Sequence[str], after: Spot, at_most: int) -> tuple[Proposal, ...]:
    """The next emails behind `after` in which each word may stand where the viewer may read it; fewer than `at_most` where that
    is the end."""
    found: list[str] = []
    values = {**looking.values(), "at": after.at, "id": after.message_id, "most": at_most}
    for level, mailboxes in _mailboxes(looking).items():
        classes = [*_CLASSES[level], *(bcc_class(one) for one in looking.own if level is Level.EVERYTHING)]
        found.append(_FOUND.format(level=level))
        values[f"{level}_words"] = [list(one) for one in zip(*(keys.tokens(one, words) for one in classes), strict=True)]
        values[f"{level}_boxes"] = keys.tokens(MAILBOX, [str(one) for one in mailboxes])
    if not found or not words:
        return ()
    lines = rows(_PROPOSED.format(found=" UNION ALL ".join(found)), values)
    return tuple(Proposal(Spot(at, message_id), conversation_id, copy_id) for at, message_id, conversation_id, copy_id in lines)


def _mailboxes(looking: Actor) -> dict[Level, list[int]]:
    """By how much the viewer sees of what lies in them, those levels at which there is one."""
    seen = chain(zip(looking.own, repeat(Level.EVERYTHING), strict=False), looking.shared.items())
    found: dict[Level, list[int]] = {}
    for mailbox_id, level in seen:
        found.setdefault(level, []).append(mailbox_id)
    return found
