"""Puts real mails into a member's mailbox: through ingest and the page transaction, without provider and engine."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import count
from uuid import uuid4

from flowcrm.ingest.pipeline import prepare
from flowcrm.ingest.types import Context
from flowcrm.mail.types import Fetched
from flowcrm.mailboxes.snapshot import Snapshot, read_snapshot
from flowcrm.store.db import next_ids, rows, workspace_scope
from flowcrm.store.vaults import vault
from flowcrm.store.writes.lease import release, take
from flowcrm.store.writes.mailbox import do_create_mailbox, do_identities
from flowcrm.store.writes.page import Hold, Kept, Page, do_page
from flowcrm.sync.bodies import store_bodies
from tests.people import Someone

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
_numbers = count(1)


@dataclass(frozen=True)
class Mail:
    """raw: the bytes as the provider gives them. minutes: after START, by the provider's clock."""

    raw: bytes = field(repr=False)
    minutes: int = 0
    unread: bool = False
    folders: frozenset[str] = frozenset({"INBOX"})
    thread: str | None = None


def raw(
    subject: str = "Hello",
    text: str = "",
    *,
    sender: str = "Anna Berg <anna@nordlicht.example>",
    to: str = "me@acme.example",
    html: str = "",
    message_id: str = "",
    reply_to: str = "",
    headers: Sequence[tuple[str, str]] = (),
    files: Sequence[tuple[str, str, bytes]] = (),
) -> bytes:
    """A plain mail. Without `text` it says something that no other mail says (equal texts of one second are one message).
    reply_to: the Message-ID that it answers. files: (name, type, content)."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = "Mon, 02 Nov 2026 08:00:00 +0000"
    mail["Message-ID"] = message_id or f"<{next(_numbers)}.{uuid4().hex}@nordlicht.example>"
    if reply_to:
        mail["In-Reply-To"] = mail["References"] = reply_to
    for name, value in headers:
        mail[name] = value
    mail.set_content(text or f"This is text number {next(_numbers)}.")
    if html:
        mail.add_alternative(html, subtype="html")
    for name, kind, content in files:
        main, _, sub = kind.partition("/")
        mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes()


def connect(owner: Someone, address: str = "", *, kind: str = "gmail", state: str = "on") -> int:
    """A mailbox of that member, without any provider behind it; returns its id."""
    address = address or f"me-{uuid4().hex[:8]}@acme.example"
    keys = vault(owner.workspace_id)
    with owner.scope():
        mailbox_id = do_create_mailbox(keys, member_id=owner.member_id, kind=kind, address=address, state=state)
        do_identities(keys, mailbox_id=mailbox_id, addresses=[address])
    return mailbox_id


def keep(workspace_id: int, mailbox_id: int, *mails: Mail | bytes) -> list[int]:
    """Keep these mails as the sync engine would; returns the ids of their messages, in order. Call it outside of any scope: it
    takes and gives back the mailbox's lease."""
    mailbox = read_snapshot(workspace_id, mailbox_id)
    lease = take(workspace_id, mailbox_id, "sync", "mail_helper")
    assert mailbox is not None
    assert lease is not None
    ids = [f"m{next(_numbers)}" for _ in mails]
    kept = [_kept(mailbox, name, mail if isinstance(mail, Mail) else Mail(mail)) for name, mail in zip(ids, mails, strict=True)]
    hold = Hold(lease, mailbox.settings_rev)
    do_page(hold, Page(plan=mailbox.plan, today=mailbox.today, kept=tuple(store_bodies(mailbox.vault, kept))))
    release(lease)
    with workspace_scope(workspace_id):
        found = dict(
            rows(
                "SELECT provider_id, message_id FROM copy WHERE workspace_id = %s AND provider_id = ANY(%s)",
                [workspace_id, ids],
            )
        )
    return [found[one] for one in ids]


def conversation_of(workspace_id: int, message_id: int) -> int:
    """The conversation that the message is in."""
    with workspace_scope(workspace_id):
        found = rows("SELECT conversation_id FROM message WHERE workspace_id = %s AND id = %s", [workspace_id, message_id])
    return int(found[0][0])


def _kept(mailbox: Snapshot, provider_id: str, mail: Mail) -> Kept:
    with workspace_scope(mailbox.workspace_id):
        ids = iter(next_ids(32))
    context = Context(
        vault=mailbox.vault,
        mailbox_id=mailbox.mailbox_id,
        own_addresses=mailbox.own_addresses,
        sent_folders=mailbox.sent_folders,
        attachment_limit=mailbox.plan.attachment_bytes,
        next_id=lambda: next(ids),
    )
    at = START + timedelta(minutes=mail.minutes)
    fetched = Fetched(provider_id, mail.thread, mail.folders, at, mail.unread, mail.raw)
    return Kept(0, False, prepare(fetched, context))
