"""The state machine of a mailbox, and the words in which people meet it.

    choosing ──settings──> on <──────────────────────────┐
       │                   │ ├─ pause ──> paused ─ resume ┤
       │                   │ ├─ grant dead ──> reauthorize ─ Re-authorize ─┤
       │                   │ ├─ scope missing ──> permission_missing ──────┤
       │                   │ ├─ registration broken ──> admin_must_act ────┤
       └── Disconnect ──┬──┘ │                                             │
                        └──> disconnected ── Connect ──────────────────────┘

Only `on` is synced. What passes by itself (slowed, unreachable, the plan's limit) is not a state but a note on `on`: `retry_at`
and `state_code` say it, and the next success clears it. A mailbox is never put out of `on` by an outage.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class State(StrEnum):
    CHOOSING = "choosing"
    ON = "on"
    PAUSED = "paused"
    REAUTHORIZE = "reauthorize"
    PERMISSION_MISSING = "permission_missing"
    ADMIN_MUST_ACT = "admin_must_act"
    DISCONNECTED = "disconnected"
    ARCHIVE = "archive"


class Note(StrEnum):
    """What passes by itself while the mailbox is on (`state_code`)."""

    NONE = ""
    SLOWED = "slowed"
    UNREACHABLE = "unreachable"
    RENEWING = "renewing"
    REREADING = "rereading"
    KEYS = "keys"
    STORE = "store"
    FAULT = "fault"


BROKEN = frozenset({State.REAUTHORIZE, State.PERMISSION_MISSING, State.ADMIN_MUST_ACT})
# Where something else has to be done before settings can be changed, or there is no provider.
CLOSED = BROKEN | {State.DISCONNECTED, State.ARCHIVE}

MOVES: dict[State, frozenset[State]] = {
    State.CHOOSING: frozenset({State.ON, State.DISCONNECTED}) | BROKEN,
    State.ON: frozenset({State.PAUSED, State.DISCONNECTED}) | BROKEN,
    State.PAUSED: frozenset({State.ON, State.DISCONNECTED}) | BROKEN,
    State.REAUTHORIZE: frozenset({State.ON, State.CHOOSING, State.DISCONNECTED}) | BROKEN,
    State.PERMISSION_MISSING: frozenset({State.ON, State.CHOOSING, State.DISCONNECTED}) | BROKEN,
    State.ADMIN_MUST_ACT: frozenset({State.ON, State.CHOOSING, State.DISCONNECTED}) | BROKEN,
    State.DISCONNECTED: frozenset({State.ON, State.CHOOSING, State.PERMISSION_MISSING}),
    State.ARCHIVE: frozenset(),
}


class Forbidden(Exception):
    """The state machine has no such move: a bug, or two people pressed at once."""


def check_move(now_in: State, to: State) -> None:
    """Raise Forbidden unless the machine has that arrow (staying is always allowed)."""
    if now_in is not to and to not in MOVES[now_in]:
        raise Forbidden(f"{now_in} -> {to}")


@dataclass(frozen=True, slots=True)
class Condition:
    """All that a mailbox's words depend on. stored_full, day_full: the plan's limits, as they stand now.

    waiting: mails on the work-list; until: when the day's limit begins anew (workspace's midnight).
    """

    kind: str
    state: State
    note: Note
    state_since: datetime
    retry_at: datetime | None
    tries: int
    checked_at: datetime | None
    synced_at: datetime | None
    interval: timedelta
    importing: bool
    plan_allows: bool
    day_full: bool
    stored_full: bool
    waiting: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """dot: good, busy, wait, bad or off. button: the name of the action that mends or goes on, or "" (nobody need act)."""

    dot: str
    word: Text
    sentence: Text
    button: str = ""


_BROKEN_WORDS: dict[State, Shown] = {
    State.REAUTHORIZE: Shown(
        "bad",
        _("Re-authorize needed"),
        _("The provider refused the sign-in. Nothing is lost: what arrives meanwhile comes in when you re-authorize."),
        "reauthorize",
    ),
    State.PERMISSION_MISSING: Shown(
        "bad",
        _("Permission missing"),
        _("Reading email was not allowed at the provider. Nothing was read. Allow it, and the sync starts."),
        "reauthorize",
    ),
    State.ADMIN_MUST_ACT: Shown(
        "bad",
        _("Your administrator must act"),
        _("The provider does not accept this installation's registration. Nothing is lost. An admin can mend it."),
        "message_for_admin",
    ),
    State.DISCONNECTED: Shown(
        "off", _("Disconnected"), _("The emails kept so far stay here. Nothing new comes in."), "connect"
    ),
    State.PAUSED: Shown("off", _("Paused"), _("Nothing is read until you resume. Nothing is lost."), "resume"),
    State.CHOOSING: Shown("wait", _("Finish set-up"), _("Nothing is read until you choose what comes in."), "continue"),
    State.ARCHIVE: Shown("off", _("Archive"), _("Imported from files; it has no provider to sync with.")),
}


def shown(condition: Condition, now: datetime) -> Shown:
    """The words of a mailbox, worst news first. A green check means: authorised, and synced within two intervals."""
    if condition.state is not State.ON:
        return _BROKEN_WORDS[condition.state]
    if not condition.plan_allows:
        return Shown("off", _("Paused by the plan"), _("This plan has no email integration. Nothing is deleted."), "plan")
    if condition.retry_at is not None and condition.note is not Note.NONE and condition.retry_at > now:
        return _passing(condition.note)
    if condition.stored_full:
        return Shown("wait", _("Storage full"), _("New emails wait at the provider. Nothing is lost."), "plan")
    if condition.day_full and condition.waiting:
        return Shown(
            "wait", _("Limit reached"), _("Today's limit is reached. Nothing is lost: the sync goes on after midnight."), "plan"
        )
    if condition.note is Note.REREADING:
        return Shown(
            "busy", _("Re-reading"), _("The provider forgot our place, so the mailbox is compared again. No duplicates appear.")
        )
    if condition.importing:
        nothing_yet = condition.checked_at is None and not condition.waiting
        word = _("Connected") if nothing_yet else _("Reading your history")
        return Shown("busy", word, _("The newest emails come first and can be read already."))
    if condition.synced_at is not None and now - condition.synced_at <= 2 * condition.interval:
        return Shown("good", _("Up to date"), _("In step with the provider."), "sync_now")
    return Shown(
        "wait", _("Running late"), _("The last check is longer ago than it should be. Is a worker running?"), "sync_now"
    )


def _passing(note: Note) -> Shown:
    if note is Note.SLOWED:
        return Shown(
            "wait", _("Slowed by the provider"), _("It asked us to wait. Nothing is lost, and the sync goes on by itself.")
        )
    if note is Note.KEYS:
        return Shown(
            "wait", _("Key store out of reach"), _("Emails cannot be sealed or opened until it is back. Nothing is lost.")
        )
    if note is Note.RENEWING:
        return Shown(
            "wait",
            _("Renewing the sign-in"),
            _("The provider did not take our key to it. Nothing is lost; a new one is asked for."),
        )
    if note is Note.FAULT:
        return Shown(
            "wait", _("A fault of ours"), _("FlowCRM stumbled here and wrote down why. Nothing is lost; it tries again.")
        )
    if note is Note.STORE:
        return Shown("wait", _("No room for emails"), _("The disk or object store is full or out of reach. Nothing is lost."))
    return Shown("wait", _("Cannot reach the server"), _("Email will catch up. The next try comes by itself."), "try_now")
