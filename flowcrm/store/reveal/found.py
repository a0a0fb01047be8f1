"""Search: what the index proposes is opened and compared with what the viewer is shown of it. So nobody finds an email by a
word that he could not read in it: not by another copy's text, not by a Bcc of somebody else's, not by what was taken out.

The place where the word stands is given out, of a page of hits: that is the audit record. What else a list shows of them,
`reveal_heads` opens, as for any list.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flowcrm.mail.query import Excerpt, Query, excerpt
from flowcrm.mail.words import of_person, words
from flowcrm.store.access import READABLE, Actor
from flowcrm.store.db import rows
from flowcrm.store.levels import Level
from flowcrm.store.queries.search import Spot, proposals
from flowcrm.store.reveal.heads import open_head, told
from flowcrm.store.reveal.records import Verb, record
from flowcrm.store.vaults import vault
from flowcrm.vault.seal import WorkspaceVault, open_text

# Conversations that a search finds, and proposals that it looks at for them: whoever finds more needs another word.
MOST_FOUND, MOST_PROPOSED = 200, 2_000
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Hit:
    """A conversation by the newest of its emails that was meant: the copy that the viewer is shown."""

    copy_id: int
    message_id: int
    excerpt: Excerpt | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Hits:
    """Newest first. more: there are others behind these. whole: every email was looked at that may be meant."""

    hits: tuple[Hit, ...]
    more: bool
    whole: bool


def reveal_hits(looking: Actor, query: Query, surface: str, *, begins: int = 0, size: int = MOST_FOUND) -> Hits:
    """A page of the newest conversations in which one email has every word, where the viewer may read it. begins: how many came
    before. Each page looks anew, from the newest on."""
    found, whole = _found(looking, query, begins + size)
    page = tuple(found.values())[begins : begins + size]
    if page:
        record(looking, Verb.SEARCH, surface, sorted(one.message_id for one in page))
    return Hits(page, len(found) > begins + size, whole)


def _found(looking: Actor, query: Query, at_most: int) -> tuple[dict[int, Hit], bool]:
    """By conversation, one more than `at_most` where there are more; and whether all was looked at, or that is enough."""
    keys, found = vault(looking.workspace_id), dict[int, Hit]()
    after, looked_at = Spot(), 0
    while looked_at < MOST_PROPOSED:
        page = proposals(looking, keys, query.words, after, _AT_ONCE)
        wanted = [one for one in page if one.copy_id is not None and one.conversation_id not in found]
        hits = _compared(looking, keys, query, [one.copy_id for one in wanted if one.copy_id is not None])
        for one in wanted:
            if one.copy_id in hits:
                found.setdefault(one.conversation_id, hits[one.copy_id])
        if len(found) > at_most or len(page) < _AT_ONCE:
            return found, True
        after, looked_at = page[-1].spot, looked_at + len(page)
    return found, False


def _compared(looking: Actor, keys: WorkspaceVault, query: Query, copy_ids: Sequence[int]) -> dict[int, Hit]:
    """Those of these copies that are meant."""
    found = rows(
        f"""SELECT c.id, c.message_id, c.mailbox_id, c.s_head, c.variant_id, v.s_body FROM copy c
            JOIN variant v ON v.workspace_id = c.workspace_id AND v.id = c.variant_id
            WHERE c.workspace_id = %(workspace)s AND c.id = ANY(%(ids)s::bigint[]) AND {READABLE.format("c")}""",
        {**looking.values(), "ids": list(copy_ids)},
    )
    hits = (_hit(looking, keys, query, *one) for one in found)
    return {one.copy_id: one for one in hits if one is not None}


def _hit(looking: Actor, keys: WorkspaceVault, query: Query, *found: Any) -> Hit | None:
    copy_id, message_id, mailbox_id, s_head, variant_id, s_body = found
    head = told(looking, mailbox_id, open_head(keys, copy_id, s_head))
    text = open_text(keys, "body", variant_id, bytes(s_body)) if head.sight is Level.EVERYTHING else ""
    people = [one for named in head.people.values() for one in named]
    known = {word for one in people for word in of_person(one.name, one.email)}
    known.update(words(head.subject), words(" ".join(head.files)), words(text))
    if not query.answered_by(known, [head.subject, text, *head.files, *(one.name for one in people)]):
        return None
    return Hit(copy_id, message_id, excerpt(query, text))
