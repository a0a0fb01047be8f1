"""What ingest needs besides a mail: a vault, a mailbox, ids."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import count
from tempfile import TemporaryDirectory

from flowcrm.ingest.pipeline import prepare
from flowcrm.ingest.types import Context
from flowcrm.mail.prepared import Prepared
from flowcrm.mail.types import Fetched
from flowcrm.vault.keys import KeyStore
from flowcrm.vault.seal import WorkspaceVault
from tests.unit.mail.corpus import mail

AT = datetime(2026, 11, 2, 8, 0, 5, tzinfo=UTC)
TEXT = b"Hello Ben,\r\n\r\nplease find our offer below.\r\n\r\nAnna\r\n"


@cache
def vault(workspace_id: int = 1) -> WorkspaceVault:
    """The opened keys of a workspace of its own."""
    with TemporaryDirectory() as folder:
        keys = KeyStore(folder)
        keys.create_workspace(workspace_id)
        return keys.workspace(workspace_id)


def context(mailbox_id: int = 7, *, limit: int = 1_000, own: frozenset[str] = frozenset({"ben@acme.example"})) -> Context:
    ids = count(100)
    return Context(
        vault=vault(),
        mailbox_id=mailbox_id,
        own_addresses=own,
        sent_folders=frozenset({"SENT"}),
        attachment_limit=limit,
        next_id=lambda: next(ids),
    )


def offer(body: bytes = TEXT, **fields: str) -> bytes:
    """A mail from Anna to Ben. Fields given as "" are left out."""
    every = {
        "From": "Anna Berg <anna@nord.example>",
        "To": "Ben <ben@acme.example>",
        "Subject": "Offer",
        "Date": "Mon, 02 Nov 2026 08:00:00 +0000",
        "Message_ID": "<offer@nord.example>",
        **fields,
    }
    return mail(body, **{name: value for name, value in every.items() if value})


def fetched(raw: bytes, **other: object) -> Fetched:
    plain = Fetched(provider_id="p1", thread_id=None, folder_ids=frozenset({"INBOX"}), at=AT, unread=True, raw=raw)
    return replace(plain, **other)


def prepared(raw: bytes, *, mailbox_id: int = 7, limit: int = 1_000, **other: object) -> Prepared:
    return prepare(fetched(raw, **other), context(mailbox_id, limit=limit))


def same_message(one: bytes, other: bytes, *, mailboxes: tuple[int, int] = (7, 8)) -> bool:
    """Would the store make one message of these? It does for any key that both have."""
    left, right = prepared(one, mailbox_id=mailboxes[0]), prepared(other, mailbox_id=mailboxes[1], provider_id="p2")
    return bool(set(left.h_keys) & set(right.h_keys))
