"""Lists of conversations, and the emails of one. The hot paths of the product, so SQL (each inside a workspace scope).

A list is made of copies that its viewer may read. In it each conversation is represented by one of them, its newest: the newest
readable email that the list is about, in the copy that lies in the viewer's mailboxes. Time is the provider's.

Each lookup stands in a LATERAL subquery with a LIMIT (or OFFSET 0), which PostgreSQL may not turn into a join over whole
tables: a page costs as much as its own lines, whatever else the account holds (tests/store/test_threads.py reads the plans).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from flowcrm.mail.prepared import MessageFlag
from flowcrm.store.access import SHOWN_COPY, Actor
from flowcrm.store.db import row, rows
from flowcrm.store.errors import NotFound

PAGE_SIZE = 50
# Emails of one conversation that a page shows, and up to which a line of a list counts them.
THREAD_SIZE = 500

_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


class Only(StrEnum):
    """Which conversations a list shows: all, or those that hold such an email."""

    ALL = "all"
    UNREAD = "unread"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the copy that stands for its last conversation."""

    at: datetime
    copy_id: int


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """One conversation in a list.

    copy_id, message_id, at: its newest email, of those that the list is about. ours: a member wrote that email.
    emails: how many the viewer may read, at most THREAD_SIZE + 1. answered: some are ours and some are not.
    """

    conversation_id: int
    copy_id: int
    message_id: int
    at: datetime
    ours: bool
    emails: int
    unread: bool
    files: bool
    answered: bool


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Newest first. after: where the next page begins, None on the last one."""

    threads: tuple[ThreadRow, ...]
    after: Place | None


@dataclass(frozen=True, slots=True)
class EmailRow:
    """One email of a conversation, in the copy that the viewer is shown: his own. gone_at: since when the provider lacks it."""

    message_id: int
    copy_id: int
    mailbox_id: int
    at: datetime
    ours: bool
    unread: bool
    files: bool
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Emails:
    """Emails of one conversation, oldest first. earlier: the email before which more of them lie, None at the beginning."""

    emails: tuple[EmailRow, ...]
    earlier: int | None


# The newest readable copy of the message `m`.
_NEWEST_COPY = """
    SELECT o.id, o.at FROM copy o
    WHERE o.workspace_id = m.workspace_id AND o.message_id = m.id AND o.mailbox_id = ANY(%(mailboxes)s::bigint[]) {only_copy}
    ORDER BY o.at DESC, o.id LIMIT 1"""

# The copy that stands for the conversation of the message `x`, among the emails that the list is about.
_STANDS_FOR = f"""
    SELECT n.id FROM message m CROSS JOIN LATERAL ({_NEWEST_COPY}) n
    WHERE m.workspace_id = x.workspace_id AND m.conversation_id = x.conversation_id {{only_message}}
    ORDER BY m.at DESC, m.id DESC LIMIT 1"""

# Walks the mailboxes from their newest copy down, and stops at a page of copies that stand for their conversations. About
# every second copy does; PostgreSQL takes an equation to be rare, and would rather sort whole mailboxes, but not a coalesce.
_MINE = f"""
    SELECT c.id, c.at, c.message_id, x.conversation_id, x.ours
    FROM ({{walked}}) c
    CROSS JOIN LATERAL (
        SELECT m.workspace_id, m.conversation_id, m.ours FROM message m
        WHERE m.workspace_id = c.workspace_id AND m.id = c.message_id {{only_message}} LIMIT 1) x
    WHERE coalesce(c.id = ({_STANDS_FOR}), false)"""

_WALKED = """
    SELECT c.workspace_id, c.id, c.at, c.message_id FROM copy c
    WHERE c.workspace_id = %(workspace)s AND c.mailbox_id = {mailbox:d} {only_walked}
      AND c.at <= %(at)s AND (c.at < %(at)s OR c.id > %(copy_id)s)"""

# The newest copy of each conversation that one of these people takes part in. A Bcc shows in the copy that bears it, only.
_OF_PEOPLE = f"""
    SELECT id, at, message_id, conversation_id, ours FROM (
        SELECT DISTINCT ON (m.conversation_id) n.id, n.at, m.id AS message_id, m.conversation_id, m.ours
        FROM ({{people}}) a
        CROSS JOIN LATERAL (
            SELECT p.workspace_id, p.message_id, p.copy_id FROM participant p
            WHERE p.workspace_id = %(workspace)s AND p.gen = a.gen AND p.h_address = a.h_address OFFSET 0) p
        CROSS JOIN LATERAL (
            SELECT m.workspace_id, m.id, m.conversation_id, m.at, m.ours FROM message m
            WHERE m.workspace_id = p.workspace_id AND m.id = p.message_id {{only_message}} LIMIT 1) m
        CROSS JOIN LATERAL ({_NEWEST_COPY.format(only_copy="AND p.copy_id IN (0, o.id) {only_copy}")}) n
        ORDER BY m.conversation_id, m.at DESC, m.id DESC, n.at DESC, n.id) newest
    WHERE at <= %(at)s AND (at < %(at)s OR id > %(copy_id)s)"""

_CONTACT = "SELECT gen, h_address FROM contact_address WHERE workspace_id = %(workspace)s AND contact_id = %(of)s"
_COMPANY = """
    SELECT a.gen, a.h_address FROM contact c
    JOIN contact_address a ON a.workspace_id = c.workspace_id AND a.contact_id = c.id
    WHERE c.workspace_id = %(workspace)s AND c.company_id = %(of)s"""

# Around a list: its page, and what each line says of its whole conversation.
_PAGE = f"""
    WITH page AS MATERIALIZED (SELECT * FROM ({{listed}}) listed ORDER BY at DESC, id LIMIT %(limit)s)
    SELECT p.conversation_id, p.id, p.message_id, p.at, p.ours, s.emails, s.unread, s.files, s.answered
    FROM page p
    CROSS JOIN LATERAL (
        SELECT count(*) AS emails, coalesce(bool_or(t.unread), false) AS unread, coalesce(bool_or(t.files), false) AS files,
               coalesce(bool_or(t.ours) AND NOT bool_and(t.ours), false) AS answered
        FROM (
            SELECT m.ours, m.flags & {MessageFlag.HAS_FILES} <> 0 AS files, v.unread
            FROM message m
            CROSS JOIN LATERAL (
                SELECT bool_or(c.unread) AS unread FROM copy c
                WHERE c.workspace_id = m.workspace_id AND c.message_id = m.id AND c.mailbox_id = ANY(%(mailboxes)s::bigint[])
                HAVING count(*) > 0) v
            WHERE m.workspace_id = %(workspace)s AND m.conversation_id = p.conversation_id
            ORDER BY m.at DESC LIMIT {THREAD_SIZE + 1}) t) s
    ORDER BY p.at DESC, p.id"""

_NOTHING = {"only_copy": "", "only_walked": "", "only_message": ""}
_ONLY: dict[Only, dict[str, str]] = {
    Only.ALL: _NOTHING,
    Only.UNREAD: {**_NOTHING, "only_copy": "AND o.unread", "only_walked": "AND c.unread"},
    Only.FILES: {**_NOTHING, "only_message": f"AND m.flags & {MessageFlag.HAS_FILES} <> 0"},
}


def threads_of_mine(looking: Actor, *, only: Only = Only.ALL, after: Place | None = None, size: int = PAGE_SIZE) -> ThreadPage:
    """A page of every conversation that the actor may read."""
    if not looking.mailboxes:
        return ThreadPage((), None)
    return _page(looking, _MINE.format(walked=_walked(looking, only), **_ONLY[only]), {}, after, size)


def threads_of_contact(
    looking: Actor, contact_id: int, *, only: Only = Only.ALL, after: Place | None = None, size: int = PAGE_SIZE
) -> ThreadPage:
    """A page of the conversations in which an address of the contact stands in From, Sender, Reply-To, To, Cc or (own) Bcc."""
    return _page(looking, _OF_PEOPLE.format(people=_CONTACT, **_ONLY[only]), {"of": contact_id}, after, size)


def threads_of_company(
    looking: Actor, company_id: int, *, only: Only = Only.ALL, after: Place | None = None, size: int = PAGE_SIZE
) -> ThreadPage:
    """The same for all contacts of a company."""
    return _page(looking, _OF_PEOPLE.format(people=_COMPANY, **_ONLY[only]), {"of": company_id}, after, size)


def emails_of(looking: Actor, conversation_id: int, *, before: int | None = None, size: int = THREAD_SIZE) -> Emails:
    """The newest `size` readable emails of a conversation (before the email `before`), oldest first.

    conversation_id: as `access_conversation` returned it.
    """
    found = rows(
        f"""SELECT m.id, c.id, c.mailbox_id, c.at, m.ours, c.unread, m.flags & {MessageFlag.HAS_FILES} <> 0, c.gone_at
            FROM message m
            CROSS JOIN LATERAL ({SHOWN_COPY}) c
            WHERE m.workspace_id = %(workspace)s AND m.conversation_id = %(conversation)s
              AND (%(before)s::bigint IS NULL OR (m.at, m.id) <
                   (SELECT b.at, b.id FROM message b WHERE b.workspace_id = %(workspace)s AND b.id = %(before)s::bigint))
            ORDER BY m.at DESC, m.id DESC LIMIT %(limit)s""",
        {
            "workspace": looking.workspace_id,
            "mailboxes": list(looking.mailboxes),
            "conversation": conversation_id,
            "before": before,
            "limit": size + 1,
        },
    )
    shown = tuple(EmailRow(*one) for one in reversed(found[:size]))
    return Emails(shown, shown[0].message_id if len(found) > size else None)


def shown_copy(looking: Actor, message_id: int) -> int:
    """The copy of an email that the viewer is shown. Raises NotFound."""
    found = row(
        f"""SELECT c.id FROM message m CROSS JOIN LATERAL ({SHOWN_COPY}) c
            WHERE m.workspace_id = %(workspace)s AND m.id = %(id)s""",
        {"workspace": looking.workspace_id, "id": message_id, "mailboxes": list(looking.mailboxes)},
    )
    if found is None:
        raise NotFound
    return int(found[0])


def any_address_of_company(workspace_id: int, company_id: int) -> bool:
    """Whether emails can be matched to a company at all."""
    return row(f"{_COMPANY} LIMIT 1", {"workspace": workspace_id, "of": company_id}) is not None


def _walked(looking: Actor, only: Only) -> str:
    """The copies of the readable mailboxes, newest first."""
    walks = [_WALKED.format(mailbox=one, **_ONLY[only]) for one in looking.mailboxes]
    if len(walks) == 1:
        return walks[0]
    # Each in its own order: PostgreSQL then merges their indexes, and reads of each only as far as the page goes.
    return " UNION ALL ".join(f"({walk} ORDER BY c.at DESC, c.id)" for walk in walks)


def _page(looking: Actor, listed: str, values: dict[str, object], after: Place | None, size: int) -> ThreadPage:
    found = rows(
        _PAGE.format(listed=listed),
        {
            "workspace": looking.workspace_id,
            "mailboxes": list(looking.mailboxes),
            "at": after.at if after else _END_OF_TIME,
            "copy_id": after.copy_id if after else 0,
            "limit": size + 1,
            **values,
        },
    )
    threads = tuple(ThreadRow(*one) for one in found[:size])
    return ThreadPage(threads, Place(threads[-1].at, threads[-1].copy_id) if len(found) > size else None)
