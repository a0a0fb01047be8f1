"""The demo's accounts with every state of a mailbox, and every reason for an empty list (docs/how-to/see-every-state.md).

They stand beside Acme, with sign-ins of their own: nothing of them is seen there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from django.db import transaction

from flowcrm.lib import clock
from flowcrm.ops.demo import scenes
from flowcrm.ops.demo.account import do_connect_at, do_join
from flowcrm.ops.demo.scenes import DOMAIN, Box, Scene
from flowcrm.store.db import workspace_scope
from flowcrm.store.levels import Level
from flowcrm.store.writes.companies import do_create_company
from flowcrm.store.writes.contacts import ContactFields, do_create_contact
from flowcrm.store.writes.private import do_level
from flowcrm.store.writes.workspaces import NewWorkspace, do_make_workspace
from flowcrm.sync.archive import ArchiveMail, import_mails, open_archive
from standins.google.client import Delivery, Standin

ZONE = "Europe/Copenhagen"
COMPANY = "Nordhus"
# Writes to every mailbox; is known and writes to nobody; has no address.
WRITES, SILENT, NO_ADDRESS = "Nora Lind", "Otto Brandt", "Pia Holm"
_NORA, _OTTO = "nora@nordhus.example", "otto@nordhus.example"


@dataclass(frozen=True, slots=True)
class Somebody:
    """A sign-in. what: what can be seen under it. archive: he has imported mail from files besides."""

    key: str
    name: str
    role: str
    what: str
    scenes: tuple[Scene, ...] = ()
    archive: bool = False

    @property
    def address(self) -> str:
        return f"{self.key}@{DOMAIN}"


@dataclass(frozen=True, slots=True)
class Account:
    slug: str
    title: str
    people: tuple[Somebody, ...] = field(default=())


ACCOUNTS = (
    Account(
        "states",
        "States",
        (
            Somebody("stella", "Stella Marsh", "user", "every state, with its buttons", scenes.MANY, archive=True),
            Somebody("axel", "Axel Bruun", "admin", "the same of others, without buttons; no mailbox of his own"),
            Somebody("hana", "Hana Oda", "user", "just connected, and a long import", scenes.BEGINNING),
        ),
    ),
    Account("limit", "Limit", (Somebody("limit", "Lev Limit", "admin", "the day's limit is reached", (scenes.DAY_FULL,)),)),
    Account("full", "Full", (Somebody("full", "Fay Full", "admin", "the plan's storage is full", (scenes.FULL,)),)),
    Account("starter", "Starter", (Somebody("starter", "Sam Start", "admin", "a plan without email", (scenes.STARTER,)),)),
)


def do_make_states(google: Standin) -> list[Box]:
    """All of these accounts; their mailboxes, each in its state."""
    return [box for account in ACCOUNTS for box in _account(account, google)]


def _account(account: Account, google: Standin) -> Iterator[Box]:
    with transaction.atomic():
        new = NewWorkspace(account.title, account.slug, "professional", ZONE, Level.ONLY_ME)
        workspace_id = do_make_workspace(new)
    with workspace_scope(workspace_id):
        members = {
            one.key: do_join(workspace_id, address=one.address, name=one.name, role=one.role, zone=ZONE)
            for one in account.people
        }
        company_id = do_create_company(workspace_id=workspace_id, name=COMPANY, domains=["nordhus.example"])
        for name, *addresses in ((WRITES, _NORA), (SILENT, _OTTO), (NO_ADDRESS,)):
            fields = ContactFields(name, tuple(addresses), company_id=company_id)
            do_create_contact(workspace_id=workspace_id, fields=fields)
    for somebody in account.people:
        for scene in somebody.scenes:
            yield _play(scene, google, workspace_id, members[somebody.key])
        if somebody.archive:
            _import_files(workspace_id, members[somebody.key], somebody.address)


def _play(scene: Scene, google: Standin, workspace_id: int, member_id: int) -> Box:
    google.create_account(scene.address, listed=False)
    google.deliver_many(scene.address, list(_mails(scene.address, scene.mails)))
    mailbox_id = do_connect_at(google, workspace_id, member_id, scene.address)
    with workspace_scope(workspace_id):
        do_level(workspace_id=workspace_id, mailbox_id=mailbox_id, level=Level.ONLY_ME)
    box = Box(google, workspace_id, member_id, mailbox_id, scene.address)
    scene.befall(box)
    return box


def _import_files(workspace_id: int, member_id: int, address: str) -> None:
    archive, now = open_archive(workspace_id, member_id, address), clock.now()
    mails = [
        ArchiveMail(where=f"mail {n}", raw=mail.raw, at=None, unread=False, undated_at=now)
        for n, mail in enumerate(_mails(address, 5))
    ]
    import_mails(workspace_id, archive, mails, lambda _count: None)


_ABOUT = (
    ("Delivery windows in the north", "We can take the early slot on Tuesdays and Thursdays, if the gate is open by six."),
    ("Revised offer", "Thank you. The tiers look right to us; only the freight line is still missing."),
    ("Minutes of Monday", "Attached are no files this time, only the three points we agreed on."),
    ("Who signs on your side?", "Our board meets on the 12th, so a name by Friday would help."),
    ("Pallets came back", "Eleven of forty pallets came back wet. Could you look at the photos before we call?"),
    ("Summer hours", "From July on the office closes at four. The hotline stays as it is."),
)


def _mails(address: str, count: int) -> Iterator[Delivery]:
    """One a day, the oldest first."""
    now = clock.now()
    for n in range(count, 0, -1):
        subject, text = _ABOUT[n % len(_ABOUT)]
        at = now - timedelta(days=n, minutes=37 * n % 600)
        yield Delivery(_mail(address, f"{subject} ({n})" if n > len(_ABOUT) else subject, text, at, n), ("INBOX",), _ms(at))


def _mail(address: str, subject: str, text: str, at: datetime, n: int) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"{WRITES} <{_NORA}>", address, subject
    mail["Date"], mail["Message-ID"] = format_datetime(at), f"<{n}.{address}>"
    mail.set_content(f"Hello,\n\n{text}\n\nBest regards\nNora\n")
    return mail.as_bytes()


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
