"""Sentences about a mailbox that differ between providers: what its folders are called, and where things are done to emails."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from flowcrm.pages.words import Option


@dataclass(frozen=True, slots=True)
class Wording:
    """who: within a sentence; who_has: after "in". chosen: the selection by labels or folders. leave, delete: labels of the two
    settings."""

    who: Promise
    who_has: Promise
    chosen: Option
    folders: Promise
    choose_one: Promise
    no_folders: Promise
    leave: Promise
    delete: Promise
    filing: Promise
    keep_out: Promise
    kept_out: Promise
    gone: Promise
    direction: Option
    by_id: Promise


_GMAIL = Wording(
    who=_("Gmail"),
    who_has=_("Gmail"),
    chosen=Option(
        _("Specific labels"),
        _(
            "Emails that bear one of the labels you choose, also when they get it later; with them what comes later in the"
            " thread and what you sent in it."
        ),
    ),
    folders=_("Labels"),
    choose_one=_("Choose at least one label, or nothing would come in."),
    no_folders=_("This mailbox has no labels of its own. Make one in Gmail; it appears here within a quarter of an hour."),
    leave=_("When an email leaves the chosen labels"),
    delete=_("When an email is deleted in Gmail"),
    filing=_("Archiving or filing an email in Gmail never takes it out of FlowCRM."),
    keep_out=_(
        "Put the label No-CRM on an email in Gmail: its whole thread stays out, also what came in before and what is answered"
        " later. Take it off, and the thread comes in."
    ),
    kept_out=_("Labels that keep emails out"),
    gone=_("(deleted in Gmail)"),
    direction=Option(
        _("One-way (Gmail → FlowCRM)"),
        _("Emails are visible in FlowCRM; nothing changes in Gmail. FlowCRM asks for permission to read, and for no other."),
    ),
    by_id=_("Subject, Message-ID or the email's address in Gmail"),
)

_IMAP = Wording(
    who=_("the mail server"),
    who_has=_("the mailbox"),
    chosen=Option(
        _("Specific folders"),
        _(
            "Emails that lie in one of the folders you choose, also when they are moved there later; with them what comes later"
            " in the thread and what you sent in it."
        ),
    ),
    folders=_("Folders"),
    choose_one=_("Choose at least one folder, or nothing would come in."),
    no_folders=_(
        "This mailbox has no folders of its own. Make one in your email program; it appears here within a quarter of an hour."
    ),
    leave=_("When an email leaves the chosen folders"),
    delete=_("When an email is deleted in the mailbox"),
    filing=_("Archiving or filing an email in your email program never takes it out of FlowCRM."),
    keep_out=_(
        "Make a folder called No-CRM and move an email there: its whole thread stays out, also what came in before and what is"
        " answered later. Move it out again, and the thread comes in."
    ),
    kept_out=_("Folders that keep emails out"),
    gone=_("(deleted in the mailbox)"),
    direction=Option(
        _("One-way (mailbox → FlowCRM)"),
        _(
            "Emails are visible in FlowCRM; nothing changes in the mailbox. Folders are opened for reading only, and nothing is"
            " marked as read."
        ),
    ),
    by_id=_("Subject or Message-ID"),
)


def wording(kind: str) -> Wording:
    """Of a mailbox of that kind."""
    return _IMAP if kind == "imap" else _GMAIL
