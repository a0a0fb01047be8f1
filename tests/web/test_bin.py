"""The bin as its owner sees it, and as nobody else does."""

from datetime import timedelta

import pytest

from flowcrm.lib import clock
from flowcrm.store.db import rows, run, workspace_scope
from flowcrm.store.levels import Level
from flowcrm.store.writes.bin import BinReason, do_bin
from flowcrm.store.writes.mailbox import do_state
from flowcrm.store.writes.private import do_level
from tests.mail_helper import connect, conversation_of, keep, raw
from tests.people import Someone, colleague, member, stranger

__all__ = ["colleague", "member", "stranger"]

pytestmark = pytest.mark.needs_postgres

CARLA = "carla@nordlicht.example"


def _binned(owner: Someone) -> tuple[int, int]:
    """(message, copy) of an email in his bin; his mailbox shows everything."""
    box = connect(owner)
    (message,) = keep(
        owner.workspace_id, box, raw("Budget", "The figures.", sender=CARLA, files=[("a.pdf", "application/pdf", b"x")])
    )
    with owner.scope():
        do_level(workspace_id=owner.workspace_id, mailbox_id=box, level=Level.EVERYTHING)
        [(copy_id,)] = rows("SELECT id FROM copy WHERE message_id = %s", [message])
        do_bin(workspace_id=owner.workspace_id, mailbox_id=box, copy_ids=[copy_id], reason=BinReason.DELETED)
    return message, copy_id


def test_what_is_in_the_bin_is_nowhere_else_not_even_for_its_owner(member: Someone, colleague: Someone) -> None:
    contact = member.contact("Carla Stein", CARLA)
    message, _ = _binned(colleague)
    thread = conversation_of(member.workspace_id, message)
    with workspace_scope(member.workspace_id):
        [(file,)] = rows("SELECT id FROM attachment")
    for someone in (member, colleague):
        for path in ("/emails?only=all", f"/contacts/{contact}/emails"):
            page = someone.get(path).content.decode()
            assert "Budget" not in page
            assert "held by" not in page
        for path in (f"/emails/{thread}", *(f"/emails/message/{message}{part}" for part in ("", "/formatted", "/original"))):
            assert someone.get(path).status_code == 404, path
        assert someone.get(f"/emails/files/{file}").status_code == 404


def test_its_owner_sees_why_and_until_when_and_brings_it_back(colleague: Someone) -> None:
    _message, copy_id = _binned(colleague)
    assert 'href="/emails/bin"' in colleague.get("/emails").content.decode()
    page = " ".join(colleague.get("/emails/bin").content.decode().split())
    assert "Budget" in page
    assert "deleted in the mailbox" in page
    assert "goes on" in page
    answer = colleague.post(f"/emails/bin/{copy_id}/back", follow=True)
    assert "It is back where it was." in answer.content.decode()
    assert "The bin is empty" in answer.content.decode()
    assert "Budget" in colleague.get("/emails").content.decode()
    assert colleague.post(f"/emails/bin/{copy_id}/back").status_code == 404


def test_nobody_else_sees_it_or_brings_it_back(member: Someone, colleague: Someone, stranger: Someone) -> None:
    _message, copy_id = _binned(colleague)
    for someone in (member, stranger):
        assert "Budget" not in someone.get("/emails/bin").content.decode()
        assert someone.post(f"/emails/bin/{copy_id}/back").status_code == 404


def test_a_full_plan_says_so_and_loses_nothing(colleague: Someone) -> None:
    _message, copy_id = _binned(colleague)
    with colleague.scope():
        rows("UPDATE usage_total SET stored = 100000 RETURNING 1")
    answer = colleague.post(f"/emails/bin/{copy_id}/back", follow=True)
    assert "storage is full" in answer.content.decode()
    assert "Budget" in answer.content.decode()


def test_a_long_bin_is_walked_to_its_end_once(colleague: Someone) -> None:
    box = connect(colleague)
    keep(colleague.workspace_id, box, *(raw(f"Number {n}.") for n in range(60)))
    with colleague.scope():
        copies = [one for (one,) in rows("SELECT id FROM copy")]
        do_bin(workspace_id=colleague.workspace_id, mailbox_id=box, copy_ids=copies, reason=BinReason.LEFT)
    page = text = colleague.get("/emails/bin").content.decode()
    while "Show more" in page:
        query = page.rsplit('hx-get="?', 1)[1].split('"', 1)[0]
        page = colleague.part(f"/emails/bin?{query}").content.decode()
        text += page
    assert all(text.count(f"<bdi>Number {n}.</bdi>") == 1 for n in range(60))


def test_an_email_and_a_thread_are_removed_and_brought_back_by_their_owner_alone(
    member: Someone, colleague: Someone, stranger: Someone
) -> None:
    box = connect(colleague)
    one, other = keep(colleague.workspace_id, box, raw("Budget", sender=CARLA), raw("Plan", sender=CARLA))
    with colleague.scope():
        do_level(workspace_id=colleague.workspace_id, mailbox_id=box, level=Level.EVERYTHING)
    thread = conversation_of(colleague.workspace_id, other)
    for someone in (member, stranger):
        assert someone.post(f"/emails/message/{one}/remove").status_code == 404
        assert someone.post(f"/emails/{thread}/remove").status_code == 404
        assert someone.post(f"/settings/integrations/{box}/let-back").status_code == 404
    assert (
        "kept out; nothing changed in the mailbox"
        in colleague.post(f"/emails/message/{one}/remove", follow=True).content.decode()
    )
    page = " ".join(colleague.post(f"/emails/{thread}/remove", follow=True).content.decode().split())
    assert "removed by you" in page
    assert "Budget" in page
    assert "Plan" in page
    assert "2 emails and threads are kept out." in colleague.get(f"/settings/integrations/{box}/settings").content.decode()
    with colleague.scope():
        [(copy_id,)] = rows("SELECT id FROM copy WHERE message_id = %s", [one])
    colleague.post(f"/emails/bin/{copy_id}/back")
    assert "Budget" in colleague.get("/emails").content.decode()
    assert "One email or thread is kept out." in colleague.get(f"/settings/integrations/{box}/settings").content.decode()
    colleague.post(f"/settings/integrations/{box}/let-back")
    assert "kept out." not in colleague.get(f"/settings/integrations/{box}/settings").content.decode()


def test_letting_back_makes_no_paused_mailbox_due(colleague: Someone) -> None:
    for state, due in (("paused", 0), ("on", 1)):
        box = connect(colleague)
        (message,) = keep(colleague.workspace_id, box, raw("Budget", sender=CARLA))
        colleague.post(f"/emails/message/{message}/remove")
        with colleague.scope():
            do_state(workspace_id=colleague.workspace_id, mailbox_id=box, state=state)
            later = clock.now() + timedelta(hours=1)
            run("UPDATE mailbox_due SET next_run_at = %s WHERE mailbox_id = %s", [later, box])
        colleague.post(f"/settings/integrations/{box}/let-back")
        with colleague.scope():
            assert rows("SELECT 1 FROM kept_out") == []
            found = rows("SELECT 1 FROM mailbox_due WHERE mailbox_id = %s AND next_run_at < %s", [box, later])
        assert len(found) == due, state
