"""Mailboxes at a real IMAP server: what their owners do there, and what becomes of it here."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from flowcrm.mail.errors import NeedsLogin
from flowcrm.mailboxes.connect import Owner, finish_imap
from flowcrm.store.db import row, rows, workspace_scope
from flowcrm.store.writes.kept_out import do_remove_email
from standins.imap.dovecot import Dovecot
from tests.flow.acme import OLD, letter
from tests.flow.imap_box import ImapBox, imap_box, login

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_dovecot]


@pytest.fixture(params=[False, True], ids=["extensions", "plain"])
def box(request: pytest.FixtureRequest, dovecot: Dovecot, database: dict[str, str]) -> Iterator[ImapBox]:
    with imap_box(dovecot, plain=request.param) as found:
        yield found


def test_everything_comes_in_but_drafts_spam_and_trash_and_nothing_changes_there(box: ImapBox) -> None:
    for folder in ("INBOX", "Sent", "Drafts", "Junk", "Trash"):
        box.hand.deliver(letter(folder), folder)
    before = box.hand.figures()
    box.rest()
    assert box.subjects() == {"INBOX", "Sent"}
    assert box.unread_subjects() == {"INBOX", "Sent"}
    assert box.imported()
    assert box.hand.figures() == before


def test_what_arrives_is_read_moved_and_deleted_is_followed(box: ImapBox) -> None:
    box.hand.make("Customers")
    box.hand.deliver(letter("first"))
    box.rest()
    box.hand.deliver(letter("second"))
    box.hand.read("first")
    box.rest()
    assert box.subjects() == {"first", "second"}
    assert box.unread_subjects() == {"second"}
    fetched = len([one for one in box.proxy.commands if "BODY.PEEK[]" in one])
    box.hand.move("first", "INBOX", "Customers")
    box.rest()
    assert box.lies_in("first") == {"Customers"}
    assert box.gone() == set()
    # It is the same mail elsewhere: nothing of it is read again.
    assert len([one for one in box.proxy.commands if "BODY.PEEK[]" in one]) == fetched
    box.hand.delete("second")
    box.rest()
    assert box.gone() == {"second"}


def test_a_renamed_folder_costs_no_mail_and_no_fetch(box: ImapBox) -> None:
    box.hand.make("Old name")
    box.hand.deliver(letter("kept"), "Old name")
    box.rest()
    fetched = len([one for one in box.proxy.commands if "BODY.PEEK[]" in one])
    box.hand.rename("Old name", "New name")
    box.rest()
    box.choose("all")
    box.rest()
    assert box.gone() == set()
    assert len([one for one in box.proxy.commands if "BODY.PEEK[]" in one]) == fetched


def test_a_moved_mail_is_not_a_deleted_one(box: ImapBox) -> None:
    """With "remove it here when it is deleted there": to the trash is deleted, to another folder is not, and back is back."""
    box.set(on_delete="remove")
    box.hand.make("Customers")
    box.hand.deliver(letter("one"))
    box.rest()
    box.hand.move("one", "INBOX", "Customers")
    box.rest()
    assert box.subjects() == {"one"}
    box.hand.move("one", "Customers", "Trash")
    box.rest()
    assert box.binned() == {"one"}
    box.hand.move("one", "Trash", "INBOX")
    box.rest()
    assert box.subjects() == {"one"}


def test_what_was_removed_by_hand_stays_out_wherever_it_is_moved(box: ImapBox) -> None:
    box.hand.make("Customers")
    box.hand.deliver(letter("private"))
    box.rest()
    with workspace_scope(box.team.workspace_id):
        [[message_id]] = rows("SELECT message_id FROM copy WHERE mailbox_id = %s", [box.mailbox_id])
        do_remove_email(workspace_id=box.team.workspace_id, mailboxes=[box.mailbox_id], message_id=message_id)
    box.hand.move("private", "INBOX", "Customers")
    box.rest()
    assert box.subjects() == set()


def test_a_mail_in_no_crm_keeps_its_whole_thread_out_until_it_is_taken_out_of_it(box: ImapBox) -> None:
    box.hand.make("No-CRM")
    first, second = "<1@nordlicht.example>", "<2@nordlicht.example>"
    box.hand.deliver(letter("salary", message_id=first))
    box.hand.deliver(letter("Re: salary", message_id=second, answers=first), "Sent", OLD + timedelta(hours=1))
    box.hand.deliver(letter("lunch"))
    box.rest()
    assert box.subjects() == {"salary", "Re: salary", "lunch"}
    box.hand.move("salary", "INBOX", "No-CRM")
    box.rest()
    assert box.subjects() == {"lunch"}
    before = len([one for one in box.proxy.commands if "BODY.PEEK[]" in one])
    box.hand.deliver(letter("Re: Re: salary", answers=second), "INBOX", OLD + timedelta(hours=2))
    box.rest()
    assert box.subjects() == {"lunch"}
    assert len([one for one in box.proxy.commands if "BODY.PEEK[]" in one]) == before
    box.hand.move("salary", "No-CRM", "INBOX")
    box.rest()
    assert box.subjects() == {"salary", "Re: salary", "Re: Re: salary", "lunch"}


def test_a_late_answer_that_ties_two_threads_together_takes_both_out(box: ImapBox) -> None:
    """Two mails that nothing tied yet, one of them in No-CRM; then an answer to both."""
    box.hand.make("No-CRM")
    box.hand.deliver(letter("secret", message_id="<a@x.example>"), "No-CRM")
    box.hand.deliver(letter("harmless", message_id="<b@x.example>"))
    box.rest()
    assert box.subjects() == {"harmless"}
    box.hand.deliver(letter("to both", answers="<a@x.example> <b@x.example>"), "INBOX", OLD + timedelta(hours=1))
    box.rest()
    assert box.subjects() == set()


def test_chosen_folders_bring_the_thread_with_later_mail_and_replies(dovecot: Dovecot, database: dict[str, str]) -> None:
    with imap_box(dovecot, "labels", ("CRM",)) as box:
        box.hand.deliver(letter("offer", message_id="<o@x.example>"), "CRM")
        box.hand.deliver(letter("other"))
        box.hand.deliver(letter("Re: offer", answers="<o@x.example>"), "Sent", OLD + timedelta(hours=1))
        box.rest()
        assert box.subjects() == {"offer", "Re: offer"}
        box.hand.move("other", "INBOX", "CRM")
        box.rest()
        assert box.subjects() == {"offer", "Re: offer", "other"}


def test_contacts_only_brings_contacts_mail_and_reads_no_other_body(dovecot: Dovecot, database: dict[str, str]) -> None:
    with imap_box(dovecot, "") as box:
        box.team.contact("eve@initech.example")
        box.hand.deliver(letter("from eve", sender="eve@initech.example"))
        box.hand.deliver(letter("reply to eve", reply_to="eve@initech.example"))
        box.hand.deliver(letter("newsletter"))
        box.choose("contacts")
        box.rest()
        assert box.subjects() == {"from eve", "reply to eve"}
        assert len([one for one in box.proxy.commands if "BODY.PEEK[]" in one]) == 2
        box.team.contact("carla@nordlicht.example")
        box.rest()
        assert box.subjects() == {"from eve", "reply to eve", "newsletter"}


def test_a_password_that_was_changed_asks_for_the_new_one_and_the_sync_catches_up(box: ImapBox) -> None:
    box.hand.deliver(letter("before"))
    box.rest()
    box.proxy.fault("imap.authenticate", "status", reason="AUTHENTICATIONFAILED", count=0)
    for _ in range(8):
        box.slice()
    assert box.state()[0] == "reauthorize"
    box.proxy.faults.clear()
    box.hand.deliver(letter("meanwhile"))
    finish_imap(
        Owner(box.team.workspace_id, box.member_id, box.mailbox_id), box.address, (), login(box.hand.user, box.proxy.port)
    )
    box.rest()
    assert box.state() == ("on", "")
    assert box.subjects() == {"before", "meanwhile"}


def test_a_wrong_password_stores_nothing(dovecot: Dovecot, database: dict[str, str]) -> None:
    with imap_box(dovecot) as box:
        owner = Owner(box.team.workspace_id, box.member_id, None)
        with pytest.raises(NeedsLogin):
            finish_imap(owner, "other@acme.example", (), login(box.hand.user, box.proxy.port, "wrong"))
        with workspace_scope(box.team.workspace_id):
            assert row("SELECT count(*) FROM mailbox") == (1,)


def test_no_folder_name_message_id_or_password_lies_in_the_clear(box: ImapBox) -> None:
    box.hand.make("Kunde Müller")
    box.hand.deliver(letter("x", message_id="<very-secret-id@nordlicht.example>"), "Kunde Müller")
    box.rest()
    with workspace_scope(box.team.workspace_id):
        tables = [name for (name,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        text = " ".join(
            str(found)
            for table in tables
            if row("SELECT has_table_privilege(%s, 'SELECT')", [f'"{table}"']) == (True,)
            for found in rows(f'SELECT t::text FROM "{table}" t')
        )
    for secret in ("Kunde", "very-secret-id", "dovecot-password"):
        assert secret not in text
