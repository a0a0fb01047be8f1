"""A message is ours when any member sent it: whoever has a copy, and in whatever order mail, mailboxes and members come."""

from threading import Barrier, Thread
from uuid import uuid4

import pytest

from flowcrm.store import access
from flowcrm.store.db import close_connections, row
from flowcrm.store.models import Member
from flowcrm.store.queries.threads import threads_of_mine
from flowcrm.store.vaults import vault
from flowcrm.store.writes.mailbox import do_identities
from flowcrm.store.writes.members import do_add_member, do_make_person
from tests.mail_helper import connect, keep, raw
from tests.people import Someone, colleague, make_person, make_someone, make_workspace, member, stranger

__all__ = ["colleague", "member", "stranger"]

pytestmark = pytest.mark.needs_postgres


def ours(someone: Someone, message_id: int) -> bool:
    with someone.scope():
        found = row("SELECT ours FROM message WHERE workspace_id = %s AND id = %s", [someone.workspace_id, message_id])
    assert found is not None
    return bool(found[0])


def test_a_colleague_s_mail_that_only_the_member_has_is_ours(member: Someone, colleague: Someone) -> None:
    connect(colleague, "ben@acme.example")
    written, signed_in, foreign = keep(
        member.workspace_id,
        connect(member),
        raw("From his mailbox", sender="Ben <BEN@acme.example>"),
        raw("From his sign-in", sender=colleague.person.email),
        raw("From outside"),
    )
    assert [ours(member, one) for one in (written, signed_in, foreign)] == [True, True, False]
    with member.scope():
        page = threads_of_mine(access.actor(Member.objects.get(id=member.member_id)))
    assert {line.message_id: line.ours for line in page.threads} == {written: True, signed_in: True, foreign: False}


def test_being_written_to_makes_nothing_ours(member: Someone, colleague: Someone) -> None:
    mailbox, headers = connect(member), [("Cc", colleague.person.email), ("Reply-To", colleague.person.email)]
    (kept,) = keep(member.workspace_id, mailbox, raw(to=colleague.person.email, headers=headers))
    connect(colleague, colleague.person.email)
    assert not ours(member, kept)


def test_a_member_of_another_account_is_a_stranger(member: Someone, stranger: Someone) -> None:
    connect(stranger, "sten@elsewhere.example")
    kept = keep(
        member.workspace_id,
        connect(member),
        raw(sender="sten@elsewhere.example"),
        raw(sender=stranger.person.email),
    )
    assert [ours(member, one) for one in kept] == [False, False]


def test_an_address_that_is_given_up_leaves_what_was_written_with_it_ours(member: Someone, colleague: Someone) -> None:
    his = connect(colleague, "ben@acme.example")
    mailbox = connect(member)
    (before,) = keep(member.workspace_id, mailbox, raw(sender="ben@acme.example"))
    with member.scope():
        do_identities(vault(member.workspace_id), mailbox_id=his, addresses=["ben.keller@acme.example"])
    (after,) = keep(member.workspace_id, mailbox, raw(sender="ben@acme.example"))
    assert (ours(member, before), ours(member, after)) == (True, False)


@pytest.mark.parametrize("before", ["member", "mailbox", "alias", "nothing"])
def test_the_order_in_which_they_come_does_not_matter(before: str) -> None:
    """A mail from each of Ben's three addresses, kept before one of the steps by which they become known."""
    anna, person = make_someone(make_workspace()), make_person("Ben Keller")
    inbox = connect(anna)
    senders = [person.email, f"ben-{uuid4().hex[:8]}@acme.example", f"sales-{uuid4().hex[:8]}@acme.example"]
    kept: list[int] = []

    def arrives(now: str) -> None:
        if now == before:
            kept.extend(keep(anna.workspace_id, inbox, *(raw(sender=one) for one in senders)))

    arrives("member")
    with anna.scope():
        ben = do_add_member(workspace_id=anna.workspace_id, person_id=person.id, role="user", name="Ben", time_zone="UTC")
    arrives("mailbox")
    mailbox = connect(Someone(person, ben, anna.workspace_id, anna.client), senders[1])
    arrives("alias")
    with anna.scope():
        do_identities(vault(anna.workspace_id), mailbox_id=mailbox, addresses=senders[1:])
    arrives("nothing")
    assert [ours(anna, one) for one in kept] == [True, True, True]


def test_a_mailbox_that_is_connected_while_its_mail_is_kept_finds_it_or_is_found() -> None:
    """Both commit at the same time, over and over: neither may miss the other."""
    anna = make_someone(make_workspace())
    ben = make_someone(anna.workspace_id, name="Ben Keller")
    inbox = connect(anna)
    for _ in range(15):
        address, together, kept = f"{uuid4().hex[:10]}@acme.example", Barrier(2), list[int]()

        def receive(address: str = address, together: Barrier = together, kept: list[int] = kept) -> None:
            together.wait()
            kept += keep(anna.workspace_id, inbox, raw(sender=address))
            close_connections()

        receiving = Thread(target=receive)
        receiving.start()
        together.wait()
        connect(ben, address)
        receiving.join()
        assert [ours(anna, one) for one in kept] == [True]


def test_somebody_who_is_added_twice_is_one_sender_still(member: Someone) -> None:
    person = do_make_person(email=f"{uuid4().hex[:10]}@Acme.example", name="Ben", password=uuid4().hex)
    with member.scope():
        for role in ("user", "admin"):
            do_add_member(workspace_id=member.workspace_id, person_id=person.id, role=role, name="Ben", time_zone="UTC")
    (kept,) = keep(member.workspace_id, connect(member), raw(sender=person.email))
    assert ours(member, kept)
