"""Notices in words: on the bell's list, and in the mails that the operator's server sends."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from flowcrm.mailboxes.states import State, shown_state
from flowcrm.store.models import Member
from flowcrm.store.queries.notices import NoticeRow
from flowcrm.store.writes.notices import Kind

Text = str | Promise

# Who a member is, in the place of a role's name.
_ROLES: dict[str, Text] = {"admin": gettext_lazy("You are an admin now"), "user": gettext_lazy("You are a user now")}


@dataclass(frozen=True, slots=True)
class Said:
    """One notice as its reader meets it. dot: good, info, wait or bad; place: the path of where it leads."""

    title: str
    text: str
    dot: str
    place: str


def said(notice: NoticeRow, reader: Member) -> Said:
    """The words for whoever reads it. A kind of a newer release is said without details."""
    words = _WORDS.get(notice.kind)
    return words(notice, reader) if words else Said(_("Something happened"), "", "info", reverse("notices"))


def _trouble(notice: NoticeRow, reader: Member) -> Said:
    shown = shown_state(State(notice.detail))
    if notice.owner_id == reader.id:
        return Said(f"{notice.address}: {shown.word}", str(shown.sentence), shown.dot, reverse("integrations"))
    title = _("%(address)s of %(owner)s: %(state)s") % {
        "address": notice.address,
        "owner": notice.owner,
        "state": shown.word if notice.detail != State.ADMIN_MUST_ACT else _("An admin must act"),
    }
    if notice.detail == State.ADMIN_MUST_ACT:
        text = _("The provider does not accept this installation's registration. Nothing is lost. Any admin can mend it.")
        return Said(title, text, shown.dot, reverse("google_setup"))
    text = _("Only its owner can mend it. Nothing is lost: what arrives meanwhile comes in afterwards.")
    return Said(title, text, shown.dot, reverse("integrations"))


def _imported(notice: NoticeRow, reader: Member) -> Said:
    del reader
    title = _("%(address)s: import finished") % {"address": notice.address}
    return Said(title, _("What may come in from the past is here. New emails follow by themselves."), "good", reverse("emails"))


def _day_full(notice: NoticeRow, reader: Member) -> Said:
    del notice, reader
    text = _("Nothing is lost: the sync goes on after midnight.")
    return Said(_("Today's limit of the plan is reached"), text, "wait", reverse("plan"))


def _stored_full(notice: NoticeRow, reader: Member) -> Said:
    del notice, reader
    return Said(_("Storage full"), _("New emails wait at the provider. Nothing is lost."), "wait", reverse("plan"))


def _label_gone(notice: NoticeRow, reader: Member) -> Said:
    del reader
    title = _("%(address)s: a label that you chose is gone") % {"address": notice.address}
    text = _("It was deleted at the provider. What came in by it stays here. Look at what comes in from now on.")
    return Said(title, text, "wait", reverse("mailbox_choose", args=[notice.mailbox_id]))


def _joined(notice: NoticeRow, reader: Member) -> Said:
    del reader
    title = _("%(name)s has joined") % {"name": notice.by or _("Somebody")}
    return Said(title, _("By the invitation that you made."), "good", reverse("team"))


def _role(notice: NoticeRow, reader: Member) -> Said:
    del reader
    by = _("Changed by %(name)s.") % {"name": notice.by} if notice.by else _("Changed by whoever runs this FlowCRM.")
    return Said(str(_ROLES.get(notice.detail, _("Your role has changed"))), by, "info", reverse("team"))


_WORDS: dict[str, Callable[[NoticeRow, Member], Said]] = {
    Kind.TROUBLE: _trouble,
    Kind.IMPORTED: _imported,
    Kind.DAY_FULL: _day_full,
    Kind.STORED_FULL: _stored_full,
    Kind.LABEL_GONE: _label_gone,
    Kind.JOINED: _joined,
    Kind.ROLE: _role,
}
