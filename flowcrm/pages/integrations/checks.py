"""Article KB-010, "Emails Not Syncing": connection, selection, permissions, quota. The page looks for its reader (K35)."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flowcrm.mailboxes.states import State
from flowcrm.pages.integrations.cards import Card, Limits, moment
from flowcrm.pages.integrations.words import SELECTIONS


@dataclass(frozen=True, slots=True)
class Check:
    """dot: good, wait or bad."""

    title: str
    dot: str
    sentence: str


def checks(card: Card, limits: Limits, *, any_contact: bool) -> tuple[Check, ...]:
    """The four things that the article asks to check, answered."""
    return (_connection(card), _selection(card, any_contact=any_contact), _permissions(card), _quota(card, limits))


def _connection(card: Card) -> Check:
    dot = "good" if card.shown.dot in ("good", "busy") else "bad" if card.broken else "wait"
    return Check(_("Connection status"), dot, f"{card.shown.word}. {card.shown.sentence}")


def _selection(card: Card, *, any_contact: bool) -> Check:
    title, row = _("Sync settings"), card.row
    if row.import_from is None:
        return Check(title, "wait", _("Nothing was chosen yet, so nothing is read."))
    if row.selection == "labels" and row.lost:
        lost = ngettext(
            "%(n)s chosen label or folder was deleted there.", "%(n)s chosen labels or folders were deleted there.", row.lost
        )
        return Check(title, "wait", f"{lost % {'n': row.lost}} {_('Open Settings and choose again.')}")
    if row.selection == "labels" and not row.chosen:
        return Check(title, "bad", _("No label is chosen, so nothing comes in. Open Settings and choose some."))
    if row.selection == "contacts" and not any_contact:
        return Check(title, "wait", _("Contacts only, and no contact has an email address yet: nothing comes in."))
    return Check(title, "good", str(SELECTIONS[row.selection].title))


def _permissions(card: Card) -> Check:
    title = _("Permissions")
    match State(card.row.state):
        case State.PERMISSION_MISSING:
            return Check(title, "bad", _("Reading email was not allowed at the provider. Allow it, and leave its box ticked."))
        case State.REAUTHORIZE:
            return Check(
                title, "bad", _("The provider ended the permission: revoked, or the password was changed. Re-authorize.")
            )
        case State.ADMIN_MUST_ACT:
            return Check(
                title, "wait", _("The provider does not let this FlowCRM in, so it does not say. An admin must act first.")
            )
        case State.DISCONNECTED:
            return Check(title, "wait", _("Given up when the mailbox was disconnected."))
    return Check(title, "good", _("Reading email is allowed."))


def _quota(card: Card, limits: Limits) -> Check:
    title = _("Quota limits")
    if limits.stored_full:
        return Check(title, "wait", _("The plan's storage is full. New emails wait in the mailbox; nothing is lost."))
    if limits.day_full and card.row.progress.waiting:
        sentence = _("Today's limit is reached. The sync goes on by itself at %(when)s; nothing is lost.")
        return Check(title, "wait", sentence % {"when": moment(limits.until)})
    if limits.import_full and card.row.progress.waiting:
        sentence = _("Today's share for older emails is used up; new ones still come in. The rest follows at %(when)s.")
        return Check(title, "wait", sentence % {"when": moment(limits.until)})
    return Check(title, "good", _("There is room within the plan."))
