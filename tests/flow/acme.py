"""A team with Gmail mailboxes at a stand-in, synced by the real engine: what flow, crash and simulation tests start from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import uuid4

from django.test import override_settings

from flowcrm.connectors.gmail.client import GmailConnector
from flowcrm.lib import clock
from flowcrm.mail.types import Tokens
from flowcrm.mailboxes.connect import Owner, Visit, do_connect
from flowcrm.mailboxes.open import GMAIL_SCOPES, gmail_settings, open_connector
from flowcrm.mailboxes.snapshot import read_snapshot
from flowcrm.store.db import row, rows, run, workspace_scope
from flowcrm.store.vaults import key_store
from flowcrm.store.writes.contacts import ContactFields, do_change_contact, do_create_contact
from flowcrm.store.writes.instance import do_instance_setting
from flowcrm.store.writes.lease import take
from flowcrm.store.writes.mailbox import Selection, do_settings
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.sync.engine import run_slice
from flowcrm.sync.folders import refresh_folders
from standins.google.client import GoogleStandin, Standin
from standins.google.world import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.store.pages import new_workspace

OLD = datetime(2026, 6, 1, 9, tzinfo=UTC)


@contextmanager
def google() -> Iterator[GoogleStandin]:
    """A stand-in for Google, and the product's settings that point at it."""
    with GoogleStandin() as standin:
        standin.quota(units_per_minute=0)
        settings = {**standin.settings(), "ALLOW_LOOPBACK_PROVIDERS": True, "GMAIL_UNITS_PER_MINUTE": 10_000_000}
        with override_settings(**settings):
            key_store().create_instance()
            do_instance_setting(
                key="google_app", value={"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET}
            )
            yield standin


@dataclass(frozen=True)
class Team:
    """One workspace at a stand-in."""

    google: Standin
    workspace_id: int = field(default_factory=lambda: new_workspace())

    def mailbox(self, selection: str = "all", labels: Iterable[str] = (), since: datetime | None = None) -> "Box":
        """A new member connects an account of the stand-in and chooses what comes in (None: only connected)."""
        address = f"m{uuid4().hex[:10]}@acme.example"
        self.google.create_account(address, "Anna")
        person = do_make_person(email=address, name="Anna", password=uuid4().hex)
        with workspace_scope(self.workspace_id):
            member_id = do_add_member(
                workspace_id=self.workspace_id, person_id=person.id, role="user", name="Anna", time_zone="UTC"
            )
        box = Box(self, member_id, connect(self, member_id, address), address)
        if selection:
            box.choose(selection, labels=labels, since=since)
        return box

    def contact(self, *addresses: str) -> int:
        with workspace_scope(self.workspace_id):
            return do_create_contact(workspace_id=self.workspace_id, fields=ContactFields(addresses[0], addresses))

    def add_address(self, contact_id: int, *addresses: str) -> None:
        """The contact has these addresses now."""
        with workspace_scope(self.workspace_id):
            do_change_contact(
                workspace_id=self.workspace_id, contact_id=contact_id, fields=ContactFields(addresses[0], addresses)
            )


def connect(team: Team, member_id: int, address: str, mailbox_id: int | None = None) -> int:
    """As the page after Google's consent does it, with tokens made without a browser."""
    given = team.google.tokens(address)
    connector = GmailConnector(access_token=given["access_token"], settings=gmail_settings(), spend=lambda units: None)
    visit = Visit(connector.check(), connector.folders(), _tokens(given))
    connector.close()
    return do_connect("gmail", Owner(team.workspace_id, member_id, mailbox_id), visit)


def _tokens(given: dict[str, str]) -> Tokens:
    return Tokens(given["access_token"], given["refresh_token"], clock.now() + timedelta(hours=1), frozenset(GMAIL_SCOPES))


@dataclass(frozen=True)
class Box:
    """One connected mailbox."""

    team: Team
    member_id: int
    mailbox_id: int
    address: str

    def choose(self, selection: str, labels: Iterable[str] = (), since: datetime | None = None) -> None:
        mailbox = read_snapshot(self.team.workspace_id, self.mailbox_id)
        assert mailbox is not None
        # As the form does it: labels made since the last look are there to be chosen.
        with closing(open_connector(mailbox)) as connector:
            refresh_folders(mailbox, connector)
        with workspace_scope(self.team.workspace_id):
            do_settings(
                workspace_id=self.team.workspace_id,
                mailbox_id=self.mailbox_id,
                chosen=Selection(selection, since, 300, frozenset(labels)),
            )

    def deliver(self, raw: bytes, labels: Sequence[str] = ("INBOX", "UNREAD"), at: datetime = OLD) -> str:
        return self.team.google.deliver(self.address, raw, labels, int(at.timestamp() * 1000))

    def slice(self) -> None:
        """One slice, whether the mailbox is due or not."""
        lease = take(self.team.workspace_id, self.mailbox_id, "sync", "test")
        assert lease is not None
        run_slice(lease)

    def rest(self, slices: int = 60) -> None:
        """Slices until the mailbox is due only later."""
        for _ in range(slices):
            self.slice()
            due = self.due()
            if due is None or due > clock.now():
                return
        raise AssertionError("the mailbox does not come to rest")

    def due(self) -> datetime | None:
        with workspace_scope(self.team.workspace_id):
            found = row("SELECT next_run_at FROM mailbox_due WHERE mailbox_id = %s", [self.mailbox_id])
        return found[0] if found else None

    def kept(self, *, gone: bool | None = None) -> set[str]:
        """Provider ids of the copies. gone: only those that are (not) there any more at the provider."""
        with workspace_scope(self.team.workspace_id):
            found = rows("SELECT provider_id, gone_at FROM copy WHERE mailbox_id = %s", [self.mailbox_id])
        return {one for one, gone_at in found if gone is None or (gone_at is not None) is gone}

    def folders(self, provider_id: str) -> set[str]:
        with workspace_scope(self.team.workspace_id):
            found = rows(
                """SELECT f.provider_id FROM copy_folder f JOIN copy c ON c.id = f.copy_id
                   WHERE c.mailbox_id = %s AND c.provider_id = %s""",
                [self.mailbox_id, provider_id],
            )
        return {one for (one,) in found}

    def unread(self) -> set[str]:
        with workspace_scope(self.team.workspace_id):
            found = rows("SELECT provider_id FROM copy WHERE mailbox_id = %s AND unread", [self.mailbox_id])
        return {one for (one,) in found}

    def skipped(self) -> dict[str, int]:
        with workspace_scope(self.team.workspace_id):
            return dict(rows("SELECT rule, n FROM skipped WHERE mailbox_id = %s", [self.mailbox_id]))

    def work(self) -> dict[str, str]:
        """Provider id -> state of what is on the work-list."""
        with workspace_scope(self.team.workspace_id):
            return dict(rows("SELECT provider_id, state FROM work WHERE mailbox_id = %s", [self.mailbox_id]))

    def imported(self) -> bool:
        """The first walk has reached its end."""
        with workspace_scope(self.team.workspace_id):
            found = row("SELECT import_done_at IS NOT NULL FROM mailbox WHERE id = %s", [self.mailbox_id])
        return found == (True,)

    def state(self) -> tuple[str, str]:
        with workspace_scope(self.team.workspace_id):
            found = row("SELECT state, state_code FROM mailbox WHERE id = %s", [self.mailbox_id])
        assert found is not None
        return found[0], found[1]

    def set(self, **columns: object) -> None:
        """Put the mailbox into a condition that only time would bring."""
        with workspace_scope(self.team.workspace_id):
            for name, value in columns.items():
                run(f"UPDATE mailbox SET {name} = %s WHERE id = %s", [value, self.mailbox_id])


def letter(
    subject: str,
    *,
    sender: str = "carla@nordlicht.example",
    to: str = "anna@acme.example",
    cc: str = "",
    answers: str = "",
    reply_to: str = "",
    text: str = "",
    message_id: str = "",
    at: datetime = OLD,
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    """A plain mail. answers: the Message-ID that it replies to; files: name -> content."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id or f"<{uuid4().hex}@nordlicht.example>"
    for name, value in (("Cc", cc), ("Reply-To", reply_to), ("In-Reply-To", answers), ("References", answers)):
        if value:
            mail[name] = value
    mail.set_content(text or f"About {subject}.\n")
    for name, content in (files or {}).items():
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()
