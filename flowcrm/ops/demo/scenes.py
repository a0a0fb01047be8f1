"""Every state that a mailbox can be in, as a scene of the demo: what has to befall it, and what its card says then.

The state is always the sync engine's own finding. Most causes are the stand-in's doing; where only time or a provider's temper
would bring one, a figure is set that the engine goes by (what it may spend in a minute, what the plan has used up), never the
state itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from flowcrm.lib import clock
from flowcrm.mailboxes.connect import do_disconnect
from flowcrm.mailboxes.control import do_pause
from flowcrm.mailboxes.snapshot import read_snapshot
from flowcrm.ops.demo.account import do_connect_at
from flowcrm.store.db import run, workspace_scope
from flowcrm.store.models import Mailbox
from flowcrm.store.plans import Plan
from flowcrm.store.writes.budget import do_open_budget
from flowcrm.store.writes.due import do_due
from flowcrm.store.writes.lease import process_name, take
from flowcrm.store.writes.mailbox import Selection, do_settings
from flowcrm.store.writes.usage import do_count_stored
from flowcrm.store.writes.workspaces import do_set_plan
from flowcrm.sync.engine import run_slice
from standins.google.client import Standin

DOMAIN = "states.example"
LABEL = "CRM"
LABELS_ONLY = ("https://www.googleapis.com/auth/gmail.labels",)
SINCE = timedelta(days=730)
FORGETS_EVERY = timedelta(minutes=30)
# Quota units a minute. A mail costs 20: so an import of some hundreds, or a look at what is kept, lasts an hour and more.
A_LITTLE, HARDLY_ANY = 200, 30


@dataclass(frozen=True, slots=True)
class Box:
    """One mailbox of a scene, connected."""

    google: Standin
    workspace_id: int
    member_id: int
    mailbox_id: int
    address: str

    def choose(self, selection: str = "all", labels: frozenset[str] = frozenset()) -> None:
        with workspace_scope(self.workspace_id):
            chosen = Selection(selection, clock.now() - SINCE, 300, labels)
            do_settings(workspace_id=self.workspace_id, mailbox_id=self.mailbox_id, chosen=chosen)

    def sync(self, slices: int = 1) -> None:
        """As a worker does it when the mailbox is due."""
        for _ in range(slices):
            lease = take(self.workspace_id, self.mailbox_id, "sync", f"{process_name()}/demo")
            if lease is not None:
                run_slice(lease)

    def read(self) -> None:
        """Everything that is there has come in."""
        self.choose()
        self.sync()

    def allow(self, units: int) -> None:
        """So much, and no more, is known to be allowed at the provider in a minute."""
        with workspace_scope(self.workspace_id):
            run("DELETE FROM budget WHERE workspace_id = %s AND mailbox_id = %s", [self.workspace_id, self.mailbox_id])
            do_open_budget(workspace_id=self.workspace_id, mailbox_id=self.mailbox_id, per_minute=units)

    def refuse(self, status: int, *, reason: str = "", retry_after: str = "") -> None:
        """Gmail answers so from now on, to this mailbox."""
        self.google.fault(
            "gmail.*", "status", account=self.address, status=status, reason=reason, retry_after=retry_after, count=0
        )


@dataclass(frozen=True, slots=True)
class Scene:
    """name: before the @. word: what the card says; button: what mends it or goes on, "" where nobody need act.

    befall: brings it about. mails: that lie at the provider.
    """

    name: str
    word: str
    button: str
    befall: Callable[[Box], None]
    mails: int = 12

    @property
    def address(self) -> str:
        return f"{self.name}@{DOMAIN}"


def _choosing(_box: Box) -> None:
    """Connected, and the page was left before anything was chosen."""


def _connected(box: Box) -> None:
    """No worker comes by: in life it is there within seconds."""
    box.choose()
    with workspace_scope(box.workspace_id):
        do_due(workspace_id=box.workspace_id, mailbox_id=box.mailbox_id, at=clock.now() + timedelta(days=1))


def _importing(box: Box) -> None:
    box.allow(A_LITTLE)
    box.choose()
    box.sync()


def _good(box: Box) -> None:
    box.read()


def _slowed(box: Box) -> None:
    box.read()
    box.refuse(429, retry_after="3600")
    box.sync()


def _unreachable(box: Box) -> None:
    box.read()
    box.refuse(503)
    box.sync()


def _revoked(box: Box) -> None:
    """The first refusal is of the token, the second one of the grant."""
    box.read()
    box.google.revoke(box.address)
    box.sync(2)


def _permission(box: Box) -> None:
    """Re-authorized, with the box of the permission left empty."""
    box.read()
    do_connect_at(box.google, box.workspace_id, box.member_id, box.address, LABELS_ONLY)
    box.sync()


def _administrator(box: Box) -> None:
    box.read()
    box.refuse(403, reason="domainPolicy")
    box.sync()


def _rereading(box: Box) -> None:
    box.read()
    box.allow(HARDLY_ANY)
    box.google.expire_history(box.address)
    box.sync(2)


def _paused(box: Box) -> None:
    box.read()
    with workspace_scope(box.workspace_id):
        do_pause(Mailbox.objects.get(workspace_id=box.workspace_id, id=box.mailbox_id))


def _disconnected(box: Box) -> None:
    box.read()
    do_disconnect(workspace_id=box.workspace_id, member_id=box.member_id, mailbox_id=box.mailbox_id)


def _label_gone(box: Box) -> None:
    """The label by which everything was chosen is deleted at the provider."""
    label = box.google.create_label(box.address, LABEL)
    box.google.label(box.address, [one["id"] for one in box.google.snapshot(box.address)["mails"][:5]], add=[label])
    do_connect_at(box.google, box.workspace_id, box.member_id, box.address)
    box.choose("labels", frozenset({label}))
    box.sync()
    box.google.control("delete_label", account=box.address, label=label)
    do_connect_at(box.google, box.workspace_id, box.member_id, box.address)
    box.sync()


def _day_full(box: Box) -> None:
    """The account has taken in what the plan allows in a day; more arrives."""
    plan, today = _plan(box)
    with workspace_scope(box.workspace_id):
        run(
            "INSERT INTO usage_day (workspace_id, local_date, used, import_used) VALUES (%s, %s, %s, %s)",
            [box.workspace_id, today, plan.sync_per_day, int((plan.sync_per_day or 0) * 0.8)],
        )
    box.read()


def _full(box: Box) -> None:
    """The account holds as many emails as the plan allows; more arrives."""
    plan, _today = _plan(box)
    with workspace_scope(box.workspace_id):
        do_count_stored(box.workspace_id, plan.stored or 0)
    box.read()


def _starter(box: Box) -> None:
    """The account went down to the smallest plan."""
    box.read()
    with workspace_scope(box.workspace_id):
        do_set_plan(workspace_id=box.workspace_id, plan="starter")


def _plan(box: Box) -> tuple[Plan, date]:
    """The account's plan, and its day."""
    found = read_snapshot(box.workspace_id, box.mailbox_id)
    if found is None:
        raise LookupError(box.address)
    return found.plan, found.today


@dataclass(slots=True)
class Forgetful:
    """Gmail forgets the place in one mailbox again and again: else the comparison would be over after an hour."""

    google: Standin
    next_at: datetime = field(default_factory=lambda: clock.now() + FORGETS_EVERY)

    def forget_if_due(self) -> None:
        if clock.now() >= self.next_at:
            self.google.expire_history(REREADING.address)
            self.next_at = clock.now() + FORGETS_EVERY


REREADING = Scene("re-reading", "Re-reading", "", _rereading, mails=60)
# Of one owner, in the order of their cards: first what needs nobody, last what was ended.
MANY = (
    Scene("up-to-date", "Up to date", "Sync now", _good),
    Scene("finish-set-up", "Finish set-up", "Continue", _choosing),
    Scene("slowed", "Slowed by Google", "", _slowed),
    Scene("out-of-reach", "Cannot reach the server", "Try now", _unreachable),
    Scene("revoked", "Re-authorize needed", "Re-authorize", _revoked),
    Scene("permission", "Permission missing", "Allow reading email", _permission),
    Scene("not-allowed", "Your administrator must act", "Copy message", _administrator),
    REREADING,
    Scene("label-gone", "Label deleted", "Choose again", _label_gone),
    Scene("paused", "Paused", "Resume", _paused),
    Scene("disconnected", "Disconnected", "Connect", _disconnected),
)
# Of another one, so that an empty tab can say that the import is under way.
BEGINNING = (
    Scene("reading", "Reading your history", "Stop import", _importing, mails=400),
    Scene("connected", "Connected", "", _connected),
)
DAY_FULL = Scene("limit", "Limit reached", "See plans", _day_full)
FULL = Scene("full", "Storage full", "See plans", _full)
STARTER = Scene("starter", "Paused by the plan", "See plans", _starter)
