"""Mails for store tests without any parsing: a few words stand for what makes mails one, and the hashes follow from them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from flowcrm.mail.prepared import MessageFlag, Prepared, PreparedPerson
from flowcrm.mail.types import Role
from flowcrm.store.db import next_ids, rows, run, workspace_scope
from flowcrm.store.plans import PLANS, Plan
from flowcrm.store.vaults import vault
from flowcrm.store.writes.lease import Lease, take
from flowcrm.store.writes.mailbox import do_create_mailbox
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.page import Hold, Kept, Page, PageResult, do_page
from flowcrm.store.writes.workspaces import NewWorkspace, do_make_workspace

TODAY = date(2026, 11, 23)
START = datetime(2026, 11, 1, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Mail:
    """provider_id within the mailbox; key: its Message-ID, if any; content, core: its text; names: other ids it names.
    people: (role, address)."""

    provider_id: str
    key: str | None
    content: str
    core: str
    names: tuple[str, ...] = ()
    minute: int = 0
    people: tuple[tuple[Role, str], ...] = ((Role.FROM, "anna@acme.example"),)
    unread: bool = False
    files: bool = False


def new_workspace(plan: str = "enterprise") -> int:
    slug = f"t{uuid4().hex[:20]}"
    return do_make_workspace(NewWorkspace(title="Test", slug=slug, plan=plan, time_zone="Europe/Berlin"))


def new_hold(workspace_id: int, owner: str = "test") -> Hold:
    """A mailbox of a new member, switched on, with its lease taken."""
    address = f"{uuid4().hex[:12]}@acme.example"
    person = do_make_person(email=address, name="Anna", password=uuid4().hex)
    with workspace_scope(workspace_id):
        member_id = do_add_member(workspace_id=workspace_id, person_id=person.id, role="user", name="Anna", time_zone="UTC")
        mailbox_id = do_create_mailbox(vault(workspace_id), member_id=member_id, kind="gmail", address=address, state="on")
    lease = take(workspace_id, mailbox_id, "sync", owner)
    assert lease is not None
    return hold_of(lease)


def hold_of(lease: Lease) -> Hold:
    return Hold(lease, 1)


def keep(hold: Hold, mails: Sequence[Mail], *, plan: Plan = PLANS["enterprise"], importing: bool = False) -> PageResult:
    """Write one page of these mails, each with a row on the work-list."""
    with workspace_scope(hold.workspace_id):
        work = next_ids(len(mails))
        for work_id, mail in zip(work, mails, strict=True):
            run(
                """INSERT INTO work (workspace_id, id, mailbox_id, provider_id, lane, sort, due_at)
                   VALUES (%s, %s, %s, %s, 2, 0, %s) ON CONFLICT DO NOTHING""",
                [hold.workspace_id, work_id, hold.mailbox_id, mail.provider_id, START],
            )
        kept = tuple(
            Kept(work_id, importing, prepared(hold, mail, next_ids(3)), body_size=1, s_data=b"x")
            for work_id, mail in zip(work, mails, strict=True)
        )
    return do_page(hold, Page(plan=plan, today=TODAY, kept=kept))


def prepared(hold: Hold, mail: Mail, ids: list[int]) -> Prepared:
    content = _hash("content", mail.content)
    keys = [content]
    if mail.key is not None:
        keys.insert(0, _hash("id", mail.key, mail.core))
    own = [] if mail.key is None else [_hash("mid", mail.key)]
    return Prepared(
        provider_id=mail.provider_id,
        thread_id=None,
        folder_ids=frozenset({"INBOX"}),
        at=START + timedelta(minutes=mail.minute),
        unread=mail.unread,
        sent=False,
        flags=MessageFlag.HAS_FILES if mail.files else MessageFlag(0),
        copy_id=ids[0],
        variant_id=ids[1],
        body_id=ids[2],
        gen=1,
        h_candidate=_hash("id", mail.key) if mail.key is not None else content,
        h_keys=tuple(keys),
        h_content=content,
        h_core=_hash("core", mail.core),
        h_files=_hash("files"),
        h_mids=(*own, *(_hash("mid", name) for name in mail.names)),
        people=tuple(_person(hold, role, address) for role, address in mail.people),
        files=(),
        tokens=(len(mail.content), 7),
        s_head=b"head",
        s_headers=b"headers",
        s_body=b"body",
        h_body=_hash("body", mail.content),
        body=b"",
    )


def _person(hold: Hold, role: Role, address: str) -> PreparedPerson:
    keys = vault(hold.workspace_id)
    return PreparedPerson(role, keys.lookup("address", address), keys.lookup("domain", address.partition("@")[2]))


def messages(workspace_id: int) -> set[frozenset[str]]:
    """Which mails (by provider id) are one message."""
    return _groups(workspace_id, "message_id")


def conversations(workspace_id: int) -> set[frozenset[str]]:
    """Which mails are one conversation."""
    return _groups(workspace_id, "m.conversation_id")


def stored(workspace_id: int) -> int:
    with workspace_scope(workspace_id):
        return int(rows("SELECT stored FROM usage_total WHERE workspace_id = %s", [workspace_id])[0][0])


def _groups(workspace_id: int, by: str) -> set[frozenset[str]]:
    with workspace_scope(workspace_id):
        found = rows(f"SELECT {by}, provider_id FROM copy c JOIN message m ON m.id = c.message_id", [])
    groups: dict[int, set[str]] = {}
    for group, provider_id in found:
        groups.setdefault(group, set()).add(provider_id)
    return {frozenset(one) for one in groups.values()}


def _hash(*words: str) -> bytes:
    return hashlib.sha256("\0".join(words).encode()).digest()[:16]
