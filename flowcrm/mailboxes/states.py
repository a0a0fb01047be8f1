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

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.text import capfirst
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
    """All that a mailbox's words depend on. stored_full, day_full: the plan's limits, as they stand now; import_full: only what
    the day leaves to older emails is used up.

    begun: something of it was listed or looked at. lost: a label by which the owner chose is gone at the provider. waiting:
    mails on the work-list; until: when the day's limit begins anew (workspace's midnight).
    """

    kind: str
    state: State
    note: Note
    state_since: datetime
    retry_at: datetime | None
    tries: int
    begun: bool
    lost: bool
    synced_at: datetime | None
    interval: timedelta
    importing: bool
    plan_allows: bool
    day_full: bool
    import_full: bool
    stored_full: bool
    waiting: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """dot: good, busy, wait, bad or off. hollow: the dot is a ring. sentence: for the owner; of_another: for an admin who looks
    at somebody else's mailbox, where that differs.

    button: the name of the action that mends or goes on, or "" (nobody need act).
    """

    dot: str
    word: Text
    sentence: Text
    button: str = ""
    of_another: Text = ""
    hollow: bool = False


# Who is meant when a sentence says who acts. Both are parts of sentences: {who} within one, {Who} at its beginning.
_PROVIDERS: dict[str, Text] = {"gmail": _("Google"), "imap": _("the mail server")}

_STATES: dict[State, Shown] = {
    State.REAUTHORIZE: Shown(
        "bad",
        _("Re-authorize needed"),
        _("{Who} refused the sign-in. Nothing is lost: what arrives meanwhile comes in when you re-authorize."),
        "reauthorize",
        _("{Who} refused the sign-in. Nothing is lost: what arrives meanwhile comes in when its owner re-authorizes."),
    ),
    State.PERMISSION_MISSING: Shown(
        "bad",
        _("Permission missing"),
        _("Reading email was not allowed at {who}, so nothing is read. Allow it, and the sync starts."),
        "allow",
        _("Reading email was not allowed at {who}, so nothing is read. Its owner can allow it."),
    ),
    State.ADMIN_MUST_ACT: Shown(
        "bad",
        _("Your administrator must act"),
        _("{Who} does not let this FlowCRM in. Nothing is lost. An admin can mend it."),
        "message_for_admin",
    ),
    State.DISCONNECTED: Shown(
        "off", _("Disconnected"), _("The emails kept so far stay here. Nothing new comes in."), "connect", hollow=True
    ),
    State.PAUSED: Shown(
        "off",
        _("Paused"),
        _("Paused by you. Nothing is read until you resume. Nothing is lost."),
        "resume",
        _("Paused by its owner. Nothing is read until it is resumed. Nothing is lost."),
        hollow=True,
    ),
    State.CHOOSING: Shown(
        "wait",
        _("Finish set-up"),
        _("Nothing is read until you choose what comes in."),
        "continue",
        _("Nothing is read until its owner chooses what comes in."),
    ),
    State.ARCHIVE: Shown("off", _("Archive"), _("Imported from files; it has no provider to sync with."), hollow=True),
}

_NOTES: dict[Note, Shown] = {
    Note.SLOWED: Shown(
        "wait", _("Slowed by {who}"), _("It asked us to wait. Nothing is lost, and the sync goes on by itself.")
    ),
    Note.UNREACHABLE: Shown(
        "wait",
        _("Cannot reach the server"),
        _("{Who} does not answer, or has a problem of its own. Nothing is lost: email will catch up."),
        "try_now",
    ),
    Note.RENEWING: Shown(
        "wait",
        _("Renewing the sign-in"),
        _("{Who} did not take our key to it. Nothing is lost; a new one is asked for."),
    ),
    Note.KEYS: Shown(
        "wait", _("Key store out of reach"), _("Emails cannot be sealed or opened until it is back. Nothing is lost.")
    ),
    Note.STORE: Shown("wait", _("No room for emails"), _("The disk or object store is full or out of reach. Nothing is lost.")),
    Note.FAULT: Shown(
        "wait", _("A fault of ours"), _("FlowCRM stumbled here and wrote down why. Nothing is lost; it tries again.")
    ),
}

_PLAN = Shown("off", _("Paused by the plan"), _("This plan has no email integration. Nothing is deleted."), "plan", hollow=True)
_STORED = Shown("off", _("Storage full"), _("New emails wait at {who}. Nothing is lost, and nothing is deleted."), "plan")
_DAY = Shown(
    "off", _("Limit reached"), _("Today's limit is reached. Nothing is lost: the sync goes on after midnight."), "plan"
)
_IMPORT = Shown(
    "off",
    _("Limit reached"),
    _("Today's share for older emails is used up. New emails still come in; the older ones follow after midnight."),
    "plan",
)
_REREADING = Shown(
    "busy",
    _("Re-reading"),
    _("{Who} forgot our place, so the mailbox is compared again. Nothing is removed, and no duplicates appear."),
)
_CONNECTED = Shown("busy", _("Connected"), _("Nothing is read yet. The first read starts in a few seconds."), hollow=True)
_IMPORTING = Shown("busy", _("Reading your history"), _("The newest emails come first and can be read already."), "stop")
_LOST = Shown(
    "wait",
    _("Label deleted"),
    _("A label that you chose was deleted at {who}. What it brought in stays; nothing new comes in by it."),
    "choose",
    _("A label that its owner chose was deleted at {who}. What it brought in stays; nothing new comes in by it."),
)
_GOOD = Shown("good", _("Up to date"), _("In step with the provider."), "sync_now")
_LATE = Shown("wait", _("Running late"), _("The last check is longer ago than it should be. Is a worker running?"), "sync_now")

# A try that is due is under way, or about to be: until it has failed or not, what is known still holds.
_BEING_TRIED = timedelta(minutes=1)


def is_passing(condition: Condition, now: datetime) -> bool:
    """Something that passes by itself is the matter, and is being waited for or tried again."""
    return condition.note in _NOTES and condition.retry_at is not None and condition.retry_at > now - _BEING_TRIED


def shown_state(state: State, kind: str = "") -> Shown:
    """The words of a state other than `on`, which depends on more. kind: of the mailbox, where it is known."""
    return _of(_STATES[state], kind)


def shown(condition: Condition, now: datetime) -> Shown:
    """The words of a mailbox, worst news first. A green check means: authorised, and synced within two intervals."""
    return _of(_which(condition, now), condition.kind)


def _of(found: Shown, kind: str) -> Shown:
    who = str(_PROVIDERS.get(kind, _("the provider")))
    word, sentence, other = (_named(text, who) for text in (found.word, found.sentence, found.of_another))
    return replace(found, word=word, sentence=sentence, of_another=other or sentence)


def _named(text: Text, who: str) -> str:
    return str(text).format(who=who, Who=capfirst(who))


def _which(condition: Condition, now: datetime) -> Shown:
    if condition.state is not State.ON:
        return _STATES[condition.state]
    if not condition.plan_allows:
        return _PLAN
    if is_passing(condition, now):
        return _NOTES[condition.note]
    if condition.stored_full:
        return _STORED
    if condition.waiting and condition.day_full:
        return _DAY
    if condition.waiting and condition.import_full:
        return _IMPORT
    if condition.note is Note.REREADING:
        return _REREADING
    if condition.importing:
        return _IMPORTING if condition.begun else _CONNECTED
    if condition.lost:
        return _LOST
    return _GOOD if condition.synced_at is not None and now - condition.synced_at <= 2 * condition.interval else _LATE
