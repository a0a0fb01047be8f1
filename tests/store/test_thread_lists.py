"""Lists of conversations against a plain model of them: small accounts of any shape, any viewer, pages of any size."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowcrm.mail.types import Change, ChangeKind, Role
from flowcrm.store.access import Actor, operator
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.queries.threads import Only, Place, ThreadPage, threads_of_company, threads_of_contact, threads_of_mine
from flowcrm.store.writes.companies import do_create_company
from flowcrm.store.writes.due import LANE_NEW
from flowcrm.store.writes.lease import take
from flowcrm.store.writes.listing import Listed, do_listing
from flowcrm.store.writes.page import Hold
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


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(COPIES, st.sets(st.integers(0, MAILBOXES - 1), min_size=1))
def test_a_list_has_each_conversation_once_and_in_order_for_every_viewer_filter_and_page_size(
    drawn: list[Copy], readable: set[int]
) -> None:
    member = make_someone(make_workspace(plan="enterprise"))
    company_id, contacts = _crm(member)
    holds = [_hold(member) for _ in range(MAILBOXES)]
    stored = _keep(holds, drawn)
    with member.scope():
        mailboxes = tuple(holds[one].mailbox_id for one in sorted(readable))
        looking = replace(operator(member.workspace_id), mailboxes=mailboxes)
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
    about = [
        one
        for one in stored
        if one.mailbox in looking.mailboxes
        and (addresses is None or any(address in addresses for _, address in one.mail.people))
        and (only is not Only.UNREAD or one.mail.unread)
        and (only is not Only.FILES or one.message in files)
    ]
    stands: dict[int, Stored] = {}
    for one in sorted(about, key=lambda one: (first[one.message], one.message, one.mail.minute, -one.id)):
        stands[one.conversation] = one
    return [(one.conversation, one.id) for one in sorted(stands.values(), key=lambda one: (-one.mail.minute, one.id))]


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
        found = rows(
            """SELECT c.id, c.message_id, m.conversation_id, c.mailbox_id, c.provider_id FROM copy c
               JOIN message m ON m.workspace_id = c.workspace_id AND m.id = c.message_id"""
        )
    return [Stored(*ids, mails[provider_id]) for *ids, provider_id in found]


def _mark(hold: Hold, unread: Mapping[str, bool]) -> None:
    touched = tuple(Change(ChangeKind.FOLDERS, one, None, frozenset({"INBOX"}), now) for one, now in unread.items())
    do_listing(hold, Listed("main", "cursor", rev=0, listing=False, lane=LANE_NEW, wanted=(), touched=touched, skipped={}))
