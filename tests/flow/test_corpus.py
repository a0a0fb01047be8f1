"""Real mail, all of it: every file of the corpus goes in without an exception and comes out byte for byte."""

import random
from uuid import uuid4

import pytest

from flowcrm.store import access
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.reveal import reveal_original
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.sync.archive import ArchiveCount, ArchiveMail, import_mails, open_archive
from tests.flow.acme import OLD
from tests.store.pages import conversations, messages, new_workspace
from tests.unit.mail.corpus import mails

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_shared, pytest.mark.slow]

FOLDERS = ("mime", "ham", "bounce", "reply", "forward", "tnef")


def test_every_mail_of_the_corpus_is_kept_byte_for_byte() -> None:
    everything = [one for folder in FOLDERS for one in mails(folder)]
    assert len(everything) > 3000
    workspace_id, mailbox_id, count = imported(
        [ArchiveMail(name, raw, None, unread=False, undated_at=OLD) for name, raw in everything]
    )

    assert count.unreadable == ()
    assert count.kept + count.known == len(everything)
    with workspace_scope(workspace_id):
        looking = access.operator(workspace_id)
        ids = [message_id for (message_id,) in rows("SELECT id FROM message ORDER BY id")]
        originals = {b"".join(reveal_original(looking, message_id, "test").pieces) for message_id in ids}
    # Each message is shown by one of its copies; all of those are mails of the corpus, untouched.
    assert originals <= {raw for _, raw in everything}
    assert len(originals) == len(ids)
    assert mailbox_id


def test_the_order_of_real_mail_changes_neither_messages_nor_conversations() -> None:
    some = [ArchiveMail(name, raw, None, unread=False, undated_at=OLD) for name, raw in mails("mime")]
    shuffled = list(some)
    random.Random(7).shuffle(shuffled)

    # Provider ids are keyed with the workspace, so the two are compared by the sizes of their groups.
    sizes = []
    for order in (some, shuffled):
        workspace_id, _, count = imported(order)
        assert count.unreadable == ()
        sizes.append((sorted(map(len, messages(workspace_id))), sorted(map(len, conversations(workspace_id)))))

    assert sizes[0] == sizes[1]


def imported(found: list[ArchiveMail]) -> tuple[int, int, ArchiveCount]:
    workspace_id, address = new_workspace(), f"{uuid4().hex}@acme.example"
    person = do_make_person(email=address, name="Anna", password=uuid4().hex)
    with workspace_scope(workspace_id):
        member_id = do_add_member(workspace_id=workspace_id, person_id=person.id, role="user", name="Anna", time_zone="UTC")
    mailbox_id = open_archive(workspace_id, member_id, address)
    return workspace_id, mailbox_id, import_mails(workspace_id, mailbox_id, found, lambda count: None)
