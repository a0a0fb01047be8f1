"""Mailboxes as cards: the state's dot, word and sentence, facts in a line, and what can be pressed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flowcrm.lib import clock
from flowcrm.mailboxes.states import BROKEN, Condition, Note, Shown, State, is_passing, shown
from flowcrm.pages.integrations.refusals import connect_url
from flowcrm.pages.integrations.words import DIRECTIONS, INTERVALS, KINDS, SELECTIONS, skipped
from flowcrm.store.models import Workspace
from flowcrm.store.plans import PLANS, Plan
from flowcrm.store.queries.mailboxes import MailboxRow
from flowcrm.store.writes.usage import read_room, read_stored

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """How the account stands against its plan. import_full: what the day leaves to older emails is used up, and new ones still
    come in. until: when its day begins anew."""

    plan: Plan
    day_full: bool
    import_full: bool
    stored_full: bool
    until: datetime


@dataclass(frozen=True, slots=True)
class Import:
    """The first walk in figures. total: None while more may be found, so that no bar pretends to know. parts: in words."""

    done: int
    total: int | None
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One mailbox. lively: it is worth looking again within seconds. without_plan: the account's plan reads no mail."""

    row: MailboxRow
    kind: str
    shown: Shown
    facts: tuple[str, ...]
    progress: Import | None
    lively: bool
    without_plan: bool

    @property
    def connect_url(self) -> str:
        """Where it is connected again."""
        return connect_url(self.row.id, self.row.kind)

    @property
    def broken(self) -> bool:
        return self.shown.dot == "bad"


def read_limits(workspace: Workspace) -> Limits:
    """Inside the workspace's scope."""
    plan, zone = PLANS[workspace.plan], ZoneInfo(workspace.time_zone)
    local = timezone.localtime(clock.now(), zone)
    room = read_room(workspace.id, plan, local.date())
    stored_full = plan.stored is not None and read_stored(workspace.id) >= plan.stored
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    day_full = room.new == 0 and not stored_full
    import_full = room.importing == 0 and not stored_full and not day_full
    return Limits(plan, day_full, import_full, stored_full, midnight)


def card(row: MailboxRow, limits: Limits) -> Card:
    """Everything that a mailbox's card says."""
    now = clock.now()
    condition = _condition(row, limits)
    words = shown(condition, now)
    under_way = row.importing and row.state == State.ON and limits.plan.email_integration
    progress = _import(row, now) if under_way else None
    # Due this moment: somebody pressed "Sync now" and waits to see what comes of it.
    due = row.state == State.ON and limits.plan.email_integration and row.next_run_at is not None and row.next_run_at <= now
    lively = words.dot == "busy" or due
    facts, without_plan = tuple(_facts(row, condition)), not limits.plan.email_integration
    return Card(row, str(KINDS.get(row.kind, row.kind)), words, facts, progress, lively, without_plan)


def _condition(row: MailboxRow, limits: Limits) -> Condition:
    return Condition(
        kind=row.kind,
        state=State(row.state),
        note=Note(row.state_code) if row.state_code in set(Note) else Note.NONE,
        state_since=row.state_since,
        retry_at=row.retry_at,
        tries=row.tries,
        begun=row.progress.listed > 0 or row.progress.kept > 0 or row.progress.waiting > 0 or row.synced_at is not None,
        lost=row.selection == "labels" and row.lost > 0,
        synced_at=row.synced_at,
        interval=timedelta(seconds=row.interval_s),
        importing=row.import_done_at is None,
        plan_allows=limits.plan.email_integration,
        day_full=limits.day_full,
        import_full=limits.import_full,
        stored_full=limits.stored_full,
        waiting=row.progress.waiting,
        until=limits.until,
    )


def _facts(row: MailboxRow, condition: Condition) -> list[str]:
    """What stands beside the sentence: since when, how it is set, when it looks again."""
    if condition.state is State.ARCHIVE:
        return [_kept(row)]
    if condition.state is not State.ON:
        facts = [] if condition.state is State.CHOOSING else [_("Since %(when)s") % {"when": moment(row.state_since)}]
        return [*facts, *_waiting(row), *([_kept(row)] if row.progress.kept else [])]
    return [*_settings(row), *(_times(row, condition) if condition.plan_allows else [_kept(row)])]


def _waiting(row: MailboxRow) -> list[str]:
    """How much mail the owner misses while something is wrong. Of a few hours nobody needs to read."""
    days = (clock.now() - row.synced_at).days if row.synced_at is not None and State(row.state) in BROKEN else 0
    return [ngettext("%(n)s day of email waits", "%(n)s days of email wait", days) % {"n": days}] if days else []


def lets_in(row: MailboxRow) -> str:
    """What comes in, in a few words: "Contacts only, since 14 June"."""
    if row.state == State.ARCHIVE:
        return _("imported from files")
    if row.since is None:
        return _selection(row)
    return _("%(what)s, since %(day)s") % {"what": _selection(row), "day": day(row.since)}


def _selection(row: MailboxRow) -> str:
    if row.selection == "labels":
        return ngettext("%(n)s label", "%(n)s labels", row.chosen) % {"n": row.chosen}
    return str(SELECTIONS[row.selection].title)


def _settings(row: MailboxRow) -> list[str]:
    direction = str(DIRECTIONS[row.direction].title).partition(" ")[0] if row.direction in DIRECTIONS else row.direction
    return [direction, _selection(row), str(INTERVALS.get(row.interval_s, ""))]


def _times(row: MailboxRow, condition: Condition) -> list[str]:
    if (condition.day_full or condition.import_full) and row.progress.waiting:
        return [_("Goes on at %(when)s") % {"when": moment(condition.until)}]
    if condition.retry_at is not None and condition.retry_at > clock.now():
        tried = _("Try %(n)s at %(when)s") if condition.note is Note.UNREACHABLE else _("Goes on at %(when)s")
        return [tried % {"n": row.tries + 1, "when": moment(condition.retry_at)}]
    if is_passing(condition, clock.now()):
        return [_("Trying again now")]
    if row.importing or row.checked_at is None:
        return []
    return [_("Checked %(when)s") % {"when": moment(row.checked_at)}, *_next(row)]


def _next(row: MailboxRow) -> list[str]:
    if row.next_run_at is None:
        return []
    soon = row.next_run_at <= clock.now()
    return [_("next any moment") if soon else _("next about %(when)s") % {"when": moment(row.next_run_at)}]


def _kept(row: MailboxRow) -> str:
    kept = row.progress.kept
    return ngettext("%(n)s email stays here", "%(n)s emails stay here", kept) % {"n": f"{kept:,}"}


def _import(row: MailboxRow, now: datetime) -> Import:
    progress = row.progress
    parts = [skipped(rule, count, row.selection) for rule, count in sorted(progress.skipped.items(), key=lambda one: -one[1])]
    if progress.oldest is not None:
        parts.append(_("back to %(day)s") % {"day": day(progress.oldest)})
    parts.extend(_pace(row, now))
    return Import(progress.read, None if progress.listing else progress.listed, tuple(parts))


def _pace(row: MailboxRow, now: datetime) -> list[str]:
    """Rate and time left, once there is something to reckon with. A pause in between makes both more careful than true."""
    minutes = (now - (row.import_from or now)).total_seconds() / _MINUTE
    if row.progress.read == 0 or minutes <= 0:
        return []
    rate = row.progress.read / minutes
    pace = [_("%(n)s a minute") % {"n": f"{max(round(rate), 1):,}"}]
    if not row.progress.listing and row.progress.left:
        left = max(round(row.progress.left / rate), 1)
        pace.append(_("about %(n)s min") % {"n": left} if left < _MINUTE else _("about %(n)s h") % {"n": round(left / _MINUTE)})
    return pace


def moment(at: datetime) -> str:
    """A moment in a sentence, in the viewer's zone: 14:02, or 21 Nov, 09:12."""
    local, today = timezone.localtime(at), timezone.localtime(clock.now())
    return date_format(local, _("H:i")) if local.date() == today.date() else date_format(local, _("j M, H:i"))


def day(at: datetime) -> str:
    """A day in a sentence: 14 June, or 14 June 2024."""
    local = timezone.localtime(at)
    return date_format(local, _("j F") if local.year == timezone.localtime(clock.now()).year else _("j F Y"))
