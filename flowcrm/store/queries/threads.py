"""Lists of conversations, and the emails of one. The hot paths of the product, so SQL (each inside a workspace scope).

A list is about copies: those in the mailboxes that its viewer may read, of a contact or company only those whose headers name
one of its addresses, and only those of the filter. One of them stands for its conversation. Of its emails it is the last, in
the order in which the conversation itself shows them: by the time of the email's earliest copy anywhere. Of that email's copies
it is the newest. The list has these in the order of the copies' own times, which are the provider's, then of their ids.

So a line bears the time at which the email came to the viewer's own mailbox, and a colleague's copy that comes in later moves
no line. A copy's time and id never change, and neither does a place between two pages: walked to its end, a list of mail that
rests has every conversation once. (Where an email was long on its way to one mailbox, a line may so stand a little higher or
lower than another reader's.)

Each lookup stands in a LATERAL subquery with a LIMIT (or OFFSET 0), which PostgreSQL may not turn into a join over whole
tables: a page costs as much as its own lines, whatever else the account holds (tests/store/test_threads.py reads the plans).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from flowcrm.mail.prepared import MessageFlag
from flowcrm.store.access import READABLE, SHOWN_COPY, Actor
from flowcrm.store.db import row, rows
from flowcrm.store.levels import Level

PAGE_SIZE = 50
# Emails of one conversation that a page shows, and up to which a line of a list counts them.
THREAD_SIZE = 500

_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)

# How many emails of a person are looked through for each line of the page, and how many times more if they do not fill it.
_EACH, _DEEPER = 6, 8
# By this many of their newest emails people are compared: whose are newer writes more.
_FEW = 4


class Only(StrEnum):
    """Which conversations a list shows: all, or those that hold such an email. MINE: one in the viewer's own mailboxes; UNREAD:
    one that is unread there."""

    ALL = "all"
    MINE = "mine"
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
    emails: how many the viewer may know of, at most THREAD_SIZE + 1. unread: one of his own is. answered: some are ours and
    some are not. shown_id: the copy of the newest email that he is shown.
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
    shown_id: int


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Newest first. after: where the next page begins, None on the last one."""

    threads: tuple[ThreadRow, ...]
    after: Place | None


@dataclass(frozen=True, slots=True)
class EmailRow:
    """One email of a conversation, in the copy that the viewer is shown. own: it lies in a mailbox of his. unread: there.
    sight: how much he sees of it. gone_at: since when the provider lacks it."""

    message_id: int
    copy_id: int
    mailbox_id: int
    at: datetime
    ours: bool
    unread: bool
    files: bool
    gone_at: datetime | None
    own: bool
    private: bool
    sight: Level


@dataclass(frozen=True, slots=True)
class Emails:
    """Emails of one conversation, oldest first. earlier: the email before which more of them lie, None at the beginning."""

    emails: tuple[EmailRow, ...]
    earlier: int | None


# The newest copy of the message `m` that the list is about.
_NEWEST_COPY = f"""
    SELECT o.id FROM copy o
    WHERE o.workspace_id = m.workspace_id AND o.message_id = m.id AND {READABLE.format("o")} {{only_copy}}
    ORDER BY o.at DESC, o.id LIMIT 1"""

# Whether the copy `c` of the message `x` stands for its conversation: the message's newest copy, and no later message beside
# it. Looked for from this message on: where a few of thousands are asked for, the next of them is near, and the last one far.
# PostgreSQL takes an equation to be rare, and would rather sort whole mailboxes; of a coalesce it expects every second.
_STANDS = f"""
    coalesce(c.id = (SELECT n.id FROM (SELECT x.workspace_id, x.id) m CROSS JOIN LATERAL ({_NEWEST_COPY}) n), false)
    AND coalesce((
        SELECT false FROM message m CROSS JOIN LATERAL ({_NEWEST_COPY}) n
        WHERE m.workspace_id = x.workspace_id AND m.conversation_id = x.conversation_id
          AND m.at >= x.at AND (m.at, m.id) > (x.at, x.id) {{only_message}}
        ORDER BY m.at LIMIT 1), true)"""

# Walks copies from the newest down, and stops at a page of those that stand for their conversations.
_LISTED = f"""
    SELECT c.id, c.at, c.message_id, x.conversation_id, x.ours
    FROM ({{walked}}) c
    CROSS JOIN LATERAL (
        SELECT m.workspace_id, m.id, m.conversation_id, m.at, m.ours FROM message m
        WHERE m.workspace_id = c.workspace_id AND m.id = c.message_id {{only_message}} LIMIT 1) x
    WHERE {_STANDS}"""

# What the former pages showed lies before this place.
_BEYOND = "at <= %(at)s AND (at < %(at)s OR {id} > %(copy_id)s)"

_OF_MAILBOX = f"""
    SELECT workspace_id, id, at, message_id FROM copy c
    WHERE workspace_id = %(workspace)s AND mailbox_id = {{mailbox:d}} AND binned_at IS NULL {{only_open}} {{only_unread}}
      AND {_BEYOND.format(id="id")}"""

# Whom a Bcc names is known only to whose mailbox it lies in.
_NAMED = "(role <> 'bcc' OR {0}.mailbox_id = ANY(%(own)s::bigint[]))"

# Each person in each mailbox that the viewer reads, and the copies that name him there, as their index has them: newest first.
_WALKS = """
    SELECT a.gen, a.h_address, b.mailbox_id
    FROM people a CROSS JOIN unnest(%(own)s::bigint[] || %(others)s::bigint[]) AS b (mailbox_id)"""
_OF_WALK = f"""
    SELECT at, copy_id FROM participant
    WHERE workspace_id = %(workspace)s AND gen = w.gen AND h_address = w.h_address AND mailbox_id = w.mailbox_id
      AND {_NAMED.format("w")} AND {_BEYOND.format(id="copy_id")} {{only_person}}"""

# A moment after which no walk is long, and all of them together have about as many copies as a page needs: `deep` in the
# liveliest walk, half as many in the second, a third in the third, and always those few by which they are compared. Where no
# walk has more than that, it lies before everything. (The coalesce stands here, since a policy lets none into an index.)
_SINCE = f"""
    SELECT coalesce(max(nth.at), '-infinity') AS at
    FROM (
        SELECT w.*, row_number() OVER (ORDER BY few.at DESC) AS place FROM ({_WALKS}) w
        CROSS JOIN LATERAL ({_OF_WALK} ORDER BY at DESC, copy_id OFFSET {_FEW} - 1 LIMIT 1) few) w
    CROSS JOIN LATERAL (
        {_OF_WALK} ORDER BY at DESC, copy_id OFFSET greatest({_FEW}, %(deep)s / w.place) - 1 LIMIT 1) nth"""

# A copy may name a person twice, and two of the people.
_OF_PEOPLE = f"""
    SELECT c.workspace_id, p.copy_id AS id, p.at, c.message_id
    FROM (
        SELECT DISTINCT ON (p.at, p.copy_id) p.at, p.copy_id
        FROM ({_WALKS}) w CROSS JOIN LATERAL ({_OF_WALK} AND at > (SELECT s.at FROM since s) OFFSET 0) p
        ORDER BY p.at DESC, p.copy_id) p
    CROSS JOIN LATERAL (
        SELECT c.workspace_id, c.message_id FROM copy c
        WHERE c.workspace_id = %(workspace)s AND c.id = p.copy_id AND {READABLE.format("c")} LIMIT 1) c"""

# Of the copies only those that name one of these people. ("IS TRUE" makes it a look-up in a table of them, made once, and no
# join: a company has hundreds, a copy names a handful.)
_NAMES_THEM = f"""AND (
    SELECT true FROM participant p
    WHERE p.workspace_id = o.workspace_id AND p.copy_id = o.id AND {_NAMED.format("o")}
      AND (p.h_address IN (SELECT a.h_address FROM people a)) IS TRUE
    LIMIT 1)"""

_CONTACT = "SELECT gen, h_address FROM contact_address WHERE workspace_id = %(workspace)s AND contact_id = %(of)s"
_COMPANY = """
    SELECT a.gen, a.h_address FROM contact c
    CROSS JOIN LATERAL (
        SELECT a.gen, a.h_address FROM contact_address a
        WHERE a.workspace_id = c.workspace_id AND a.contact_id = c.id OFFSET 0) a
    WHERE c.workspace_id = %(workspace)s AND c.company_id = %(of)s"""

# A line speaks of its whole conversation, of which the viewer may know more than the list is about.
_KNOWN = READABLE.format("c").replace("%(others)s", "%(known)s")
_SHOWN = SHOWN_COPY.replace("%(others)s", "%(known)s")
_WHOLE = "c.mailbox_id = ANY(%(own)s::bigint[] || %(everything)s::bigint[])"

# Around a list: its page, and what each line says of its whole conversation.
_PAGE = f"""
    WITH page AS MATERIALIZED (SELECT * FROM ({{listed}}) listed ORDER BY at DESC, id LIMIT %(limit)s)
    SELECT p.conversation_id, p.id, p.message_id, p.at, p.ours, s.emails, s.unread, s.files, s.answered, shown.id AS shown_id
    FROM page p
    CROSS JOIN LATERAL (
        SELECT c.id FROM (SELECT %(workspace)s::bigint AS workspace_id, p.message_id AS id) m
        CROSS JOIN LATERAL ({_SHOWN}) c) shown
    CROSS JOIN LATERAL (
        SELECT count(*) AS emails, coalesce(bool_or(t.unread), false) AS unread, coalesce(bool_or(t.files), false) AS files,
               coalesce(bool_or(t.ours) AND NOT bool_and(t.ours), false) AS answered
        FROM (
            SELECT m.ours, v.whole AND m.flags & {MessageFlag.HAS_FILES} <> 0 AS files, v.unread
            FROM message m
            CROSS JOIN LATERAL (
                SELECT bool_or(c.unread AND c.mailbox_id = ANY(%(own)s::bigint[])) AS unread, bool_or({_WHOLE}) AS whole
                FROM copy c
                WHERE c.workspace_id = m.workspace_id AND c.message_id = m.id AND {_KNOWN}
                HAVING count(*) > 0) v
            WHERE m.workspace_id = %(workspace)s AND m.conversation_id = p.conversation_id
            ORDER BY m.at DESC LIMIT {THREAD_SIZE + 1}) t) s
    ORDER BY p.at DESC, p.id"""

# The page of a contact or company: whether it has looked at everything there is, and its lines, if any.
_PAGE_OF_PEOPLE = f"""
    WITH people AS MATERIALIZED ({{people}}), since AS MATERIALIZED ({_SINCE})
    SELECT s.at = '-infinity', l.* FROM since s LEFT JOIN ({_PAGE}) l ON true ORDER BY l.at DESC, l.id"""

_NOTHING = {"only_copy": "", "only_message": "", "only_unread": "", "only_person": ""}
_ONLY: dict[Only, dict[str, str]] = {
    Only.ALL: _NOTHING,
    Only.MINE: _NOTHING,
    Only.UNREAD: {**_NOTHING, "only_copy": "AND o.unread", "only_unread": "AND unread", "only_person": "AND unread"},
    Only.FILES: {**_NOTHING, "only_message": f"AND m.flags & {MessageFlag.HAS_FILES} <> 0", "only_person": "AND files"},
}


# How much of an email the viewer must see for it to be in the list; None: only his own are.
_AT_LEAST = {Only.ALL: Level.PEOPLE, Only.MINE: None, Only.UNREAD: None, Only.FILES: Level.EVERYTHING}


def threads_of_mine(looking: Actor, *, only: Only = Only.ALL, after: Place | None = None, size: int = PAGE_SIZE) -> ThreadPage:
    """A page of every conversation that the actor may know of."""
    asked = _Asked(looking, only, after, size, _ONLY[only])
    if not asked.about.mailboxes:
        return ThreadPage((), None)
    listed = _LISTED.format(walked=_of_mailboxes(asked.about, only), **asked.only)
    return _threads(rows(_PAGE.format(listed=listed), asked.values), size)


def threads_of_contact(
    looking: Actor, contact_id: int, *, only: Only = Only.ALL, after: Place | None = None, size: int = PAGE_SIZE
) -> ThreadPage:
    """A page of the conversations in which an address of the contact stands in From, Sender, Reply-To, To, Cc or (own) Bcc."""
    return _page_of_people(_Asked(looking, only, after, size, _of_them(only)), _CONTACT, contact_id)


def threads_of_company(
    looking: Actor, company_id: int, *, only: Only = Only.ALL, after: Place | None = None, size: int = PAGE_SIZE
) -> ThreadPage:
    """The same for all contacts of a company."""
    return _page_of_people(_Asked(looking, only, after, size, _of_them(only)), _COMPANY, company_id)


def threads_of_copies(looking: Actor, copy_ids: Sequence[int]) -> ThreadPage:
    """The conversations of these copies, each by that copy; all in one page."""
    listed = """
        SELECT c.id, c.at, c.message_id, x.conversation_id, x.ours
        FROM (SELECT c.* FROM copy c WHERE c.workspace_id = %(workspace)s AND c.id = ANY(%(copies)s::bigint[])) c
        CROSS JOIN LATERAL (
            SELECT m.conversation_id, m.ours FROM message m
            WHERE m.workspace_id = c.workspace_id AND m.id = c.message_id LIMIT 1) x"""
    asked = _Asked(looking, Only.ALL, None, len(copy_ids), _NOTHING)
    return _threads(rows(_PAGE.format(listed=listed), {**asked.values, "copies": list(copy_ids)}), len(copy_ids))


def emails_of(looking: Actor, conversation_id: int, *, before: int | None = None, size: int = THREAD_SIZE) -> Emails:
    """The newest `size` emails of a conversation that the actor may know of (before the email `before`), oldest first.

    conversation_id: as `access_conversation` returned it.
    """
    found = rows(
        f"""SELECT m.id, c.id, c.mailbox_id, c.at, m.ours, c.unread, m.flags & {MessageFlag.HAS_FILES} <> 0, c.gone_at,
                   c.private
            FROM message m
            CROSS JOIN LATERAL ({SHOWN_COPY}) c
            WHERE m.workspace_id = %(workspace)s AND m.conversation_id = %(conversation)s
              AND (%(before)s::bigint IS NULL OR (m.at, m.id) <
                   (SELECT b.at, b.id FROM message b WHERE b.workspace_id = %(workspace)s AND b.id = %(before)s::bigint))
            ORDER BY m.at DESC, m.id DESC LIMIT %(limit)s""",
        {**looking.values(), "conversation": conversation_id, "before": before, "limit": size + 1},
    )
    shown = tuple(_email(looking, one) for one in reversed(found[:size]))
    return Emails(shown, shown[0].message_id if len(found) > size else None)


def _email(looking: Actor, found: Sequence[Any]) -> EmailRow:
    """What the level hides is not told by signs either: whether a colleague has read it, that it has files."""
    message_id, copy_id, mailbox_id, at, ours, unread, files, gone_at, private = found
    own, sight = mailbox_id in looking.own, looking.sight(mailbox_id)
    assert sight is not None, "READABLE let in what `sight` does not"
    whole = sight is Level.EVERYTHING
    return EmailRow(
        message_id,
        copy_id,
        mailbox_id,
        at,
        ours,
        own and unread,
        whole and files,
        gone_at if own else None,
        own,
        private,
        sight,
    )


def any_address_of_company(workspace_id: int, company_id: int) -> bool:
    """Whether emails can be matched to a company at all."""
    return row(f"{_COMPANY} LIMIT 1", {"workspace": workspace_id, "of": company_id}) is not None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A page of a list that somebody asked for. only: what its SQL says of copies and messages."""

    looking: Actor
    which: Only
    after: Place | None
    size: int
    only: Mapping[str, str]

    @property
    def about(self) -> Actor:
        """The same actor, with the mailboxes that the list is about."""
        return self.looking.narrowed(_AT_LEAST[self.which])

    @property
    def values(self) -> dict[str, object]:
        return {
            **self.looking.values(),
            "others": self.about.others(Level.PEOPLE),
            "known": self.looking.others(Level.PEOPLE),
            "at": self.after.at if self.after else _END_OF_TIME,
            "copy_id": self.after.copy_id if self.after else 0,
            "limit": self.size + 1,
        }


def _of_mailboxes(looking: Actor, only: Only) -> str:
    """The copies of the readable mailboxes, newest first."""
    walks = [
        _OF_MAILBOX.format(mailbox=one, only_open="" if one in looking.own else "AND NOT shut", **_ONLY[only])
        for one in looking.mailboxes
    ]
    if len(walks) == 1:
        return walks[0]
    # Each in its own order: PostgreSQL then merges their indexes, and reads of each only as far as the page goes.
    return " UNION ALL ".join(f"({walk} ORDER BY at DESC, id)" for walk in walks)


def _of_them(only: Only) -> dict[str, str]:
    return {**_ONLY[only], "only_copy": f"{_ONLY[only]['only_copy']} {_NAMES_THEM}"}


def _page_of_people(asked: _Asked, people: str, of: int) -> ThreadPage:
    """Looks through a stretch of time, and through a longer one where that does not fill the page.

    One merged walk for each person and mailbox, as for mailboxes alone, would take longer to plan than to go: a company has
    hundreds of people.
    """
    listed = _LISTED.format(walked=_OF_PEOPLE.format(**asked.only), **asked.only)
    sql = _PAGE_OF_PEOPLE.format(people=people, listed=listed, **asked.only)
    deep = _EACH * asked.size
    while True:
        found = rows(sql, {**asked.values, "of": of, "deep": deep})
        page = _threads([line for _, *line in found if line[0] is not None], asked.size)
        if page.after is not None or found[0][0]:
            return page
        deep *= _DEEPER


def _threads(found: Sequence[Sequence[Any]], size: int) -> ThreadPage:
    """found: one line more than the page has, if there are more."""
    threads = tuple(ThreadRow(*one) for one in found[:size])
    return ThreadPage(threads, Place(threads[-1].at, threads[-1].copy_id) if len(found) > size else None)
