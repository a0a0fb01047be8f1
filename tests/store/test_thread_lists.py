"""Lists of conversations against a plain model of them: small accounts of any shape, any viewer, pages of any size."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowcrm.mail.types import Change, ChangeKind, Role
from flowcrm.store.access import Actor
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.levels import Level
from flowcrm.store.queries.threads import Only, Place, ThreadPage, threads_of_company, threads_of_contact, threads_of_mine
from flowcrm.store.writes.companies import do_create_company
from flowcrm.store.writes.due import LANE_NEW
from flowcrm.store.writes.lease import take
from flowcrm.store.writes.listing import Listed, do_listing
from flowcrm.store.writes.page import Hold
from flowcrm.store.writes.private import do_mark_email
from tests.mail_helper import connect
from tests.people import Someone, make_someone, make_workspace
from tests.store.pages import Mail, hold_of, keep

pytestmark = pytest.mark.needs_postgres

MAILBOXES = 3
SIZES = (1, 2, 5)
# Anna has two addresses, Tom one, and both work for one company; nobody knows Eve.
ANNA, TOM, EVE = ("anna@a.example", "anna@b.example"), ("tom@a.example",), ("eve@c.example",)
PEOPLE = st.lists(
    st.tuples(st.sampled_from([Role.FROM, Role.TO, Role.BCC]), st.sampled_from([*ANNA, *TOM, *EVE])), min_size=1, max_size=3
)


IDS = st.sampled_from("abcdefghijkl")


@dataclass(frozen=True)
class Copy:
    """A mail that lies in a mailbox. Few enough texts and ids, that some mails are one message or one conversation; moments are
    still fewer, so that pages end among equal ones."""

    mailbox: int
    mail: Mail
    unread_later: bool
    private: bool


COPIES = st.lists(
    st.builds(
        Copy,
        mailbox=st.integers(0, MAILBOXES - 1),
        mail=st.builds(
            Mail,
            provider_id=st.just(""),
            key=st.none() | IDS,
            content=st.integers(1, 20).map(str),
            core=st.just(""),
            names=st.just(()) | st.tuples(IDS),
            minute=st.integers(0, 4),
            people=PEOPLE.map(tuple),
            unread=st.booleans(),
            files=st.booleans(),
        ),
        unread_later=st.booleans(),
        private=st.sampled_from([False, False, False, True]),
    ),
    min_size=12,
    max_size=30,
)


@dataclass(frozen=True)
class Stored:
    """A copy with the ids that it was given."""

    id: int
    message: int
    conversation: int
    mailbox: int
    mail: Mail
    private: bool


# What the viewer is to each mailbox: its owner (None), or somebody who sees so much of it.
SIGHTS = st.lists(st.none() | st.sampled_from(Level), min_size=MAILBOXES, max_size=MAILBOXES)


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(COPIES, SIGHTS)
def test_a_list_has_each_conversation_once_and_in_order_for_every_viewer_filter_and_page_size(
    drawn: list[Copy], sights: list[Level | None]
) -> None:
    member = make_someone(make_workspace(plan="enterprise"))
    company_id, contacts = _crm(member)
    holds = [_hold(member) for _ in range(MAILBOXES)]
    stored = _keep(holds, drawn)
    with member.scope():
        looking = _viewer(holds, sights)
        lists: list[tuple[Sequence[str] | None, Callable[..., ThreadPage]]] = [
            (None, partial(threads_of_mine, looking)),
            ((*ANNA, *TOM), partial(threads_of_company, looking, company_id)),
            *((addresses, partial(threads_of_contact, looking, one)) for addresses, one in contacts.items()),
        ]
        for addresses, page in lists:
            for only in Only:
                expected = _expected(stored, looking, addresses, only)
                for size in SIZES:
                    assert list(_walk(partial(page, only=only), size)) == expected, (addresses, only, size)


def _expected(stored: Sequence[Stored], looking: Actor, addresses: Sequence[str] | None, only: Only) -> list[tuple[int, int]]:
    """(conversation, copy that stands for it) from the newest down: what the module says of itself, without SQL."""
    first = {one.message: min(other.mail.minute for other in stored if other.message == one.message) for one in stored}
    files = {one.message for one in stored if one.mail.files}
    private = {one.message for one in stored if one.private}
    about = [
        one
        for one in stored
        if _is_listed(looking, one, only, private=one.message in private)
        and (addresses is None or any(address in addresses for address in _named(looking, one)))
        and (only is not Only.UNREAD or one.mail.unread)
        and (only is not Only.FILES or one.message in files)
    ]
    stands: dict[int, Stored] = {}
    for one in sorted(about, key=lambda one: (first[one.message], one.message, one.mail.minute, -one.id)):
        stands[one.conversation] = one
    return [(one.conversation, one.id) for one in sorted(stands.values(), key=lambda one: (-one.mail.minute, one.id))]


def _is_listed(looking: Actor, one: Stored, only: Only, *, private: bool) -> bool:
    if one.mailbox in looking.own:
        return True
    if private or only in (Only.MINE, Only.UNREAD):
        return False
    level = looking.shared.get(one.mailbox, Level.ONLY_ME)
    return level == Level.EVERYTHING if only is Only.FILES else level != Level.ONLY_ME


def _named(looking: Actor, one: Stored) -> list[str]:
    return [address for role, address in one.mail.people if role is not Role.BCC or one.mailbox in looking.own]


def _viewer(holds: Sequence[Hold], sights: Sequence[Level | None]) -> Actor:
    boxes = [(hold.mailbox_id, sight) for hold, sight in zip(holds, sights, strict=True)]
    own = tuple(sorted(mailbox_id for mailbox_id, sight in boxes if sight is None))
    shared = {mailbox_id: sight for mailbox_id, sight in boxes if sight not in (None, Level.ONLY_ME)}
    return Actor(holds[0].workspace_id, 1, own, {one: sight for one, sight in shared.items() if sight is not None})


def _walk(page: Callable[..., ThreadPage], size: int) -> Iterator[tuple[int, int]]:
    after: Place | None = None
    # A list that repeats itself must fail, not go on for ever.
    for _ in range(100):
        found = page(after=after, size=size)
        assert len(found.threads) <= size
        yield from ((one.conversation_id, one.copy_id) for one in found.threads)
        if found.after is None:
            return
        after = found.after


def _crm(member: Someone) -> tuple[int, Mapping[Sequence[str], int]]:
    with member.scope():
        company_id = do_create_company(workspace_id=member.workspace_id, name="Nordlicht")
    anna = member.contact("Anna Berg", *ANNA, company_id=company_id)
    return company_id, {ANNA: anna, TOM: member.contact("Tom Kruger", *TOM, company_id=company_id)}


def _hold(member: Someone) -> Hold:
    lease = take(member.workspace_id, connect(member), "sync", "test")
    assert lease is not None
    return hold_of(lease)


def _keep(holds: Sequence[Hold], drawn: Sequence[Copy]) -> list[Stored]:
    """One page for each copy, so that any of them may be the one that makes two messages one; then some are read, or not."""
    mails: dict[str, Mail] = {}
    for number, one in enumerate(drawn):
        mail = replace(one.mail, provider_id=f"p{number}", core=one.mail.content)
        keep(holds[one.mailbox], [mail])
        mails[mail.provider_id] = replace(mail, unread=one.unread_later)
    for box, hold in enumerate(holds):
        _mark(hold, {f"p{number}": one.unread_later for number, one in enumerate(drawn) if one.mailbox == box})
    with workspace_scope(holds[0].workspace_id):
        sql = """SELECT c.id, c.message_id, m.conversation_id, c.mailbox_id, c.provider_id, c.private FROM copy c
                 JOIN message m ON m.workspace_id = c.workspace_id AND m.id = c.message_id"""
        for _, message_id, _, mailbox_id, provider_id, _ in rows(sql):
            if drawn[int(provider_id[1:])].private:
                do_mark_email(workspace_id=holds[0].workspace_id, mailboxes=[mailbox_id], message_id=message_id, private=True)
        found = rows(sql)
    return [Stored(*ids, mails[provider_id], private) for *ids, provider_id, private in found]


def _mark(hold: Hold, unread: Mapping[str, bool]) -> None:
    touched = tuple(Change(ChangeKind.FOLDERS, one, None, frozenset({"INBOX"}), now) for one, now in unread.items())
    do_listing(hold, Listed("main", "cursor", rev=0, listing=False, lane=LANE_NEW, wanted=(), touched=touched, skipped={}))
