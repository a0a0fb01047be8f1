"""The audit log in plain words: kinds of records as people would name them, and the surfaces they come from."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record. about: what its ids are of: "emails", "thread", "mailbox", "contacts", "person" (a member, or an
    invitation) or nothing that can be shown."""

    title: Text
    about: str = ""


KINDS: Mapping[str, Kind] = {
    "read": Kind(_("Read an email"), "emails"),
    "file": Kind(_("Opened an attachment"), "emails"),
    "original": Kind(_("Downloaded an original"), "emails"),
    "list": Kind(_("Saw lines of a list"), "emails"),
    "search": Kind(_("Found emails by a search"), "emails"),
    "export": Kind(_("Exported emails"), "emails"),
    "people": Kind(_("Saw people a mailbox's owner has written to"), "mailbox"),
    "people_scan": Kind(_("Looked for people written to"), "mailbox"),
    "import_contacts": Kind(_("Imported contacts"), "contacts"),
    "export_contacts": Kind(_("Exported contacts")),
    "private": Kind(_("Made private"), "thread"),
    "not_private": Kind(_("Took the mark Private off"), "thread"),
    "connect": Kind(_("Connected a mailbox"), "mailbox"),
    "disconnect": Kind(_("Disconnected a mailbox"), "mailbox"),
    "settings": Kind(_("Changed what comes in"), "mailbox"),
    "undo_settings": Kind(_("Undid a change of what comes in"), "mailbox"),
    "level": Kind(_("Changed who sees a mailbox"), "mailbox"),
    "remove": Kind(_("Removed emails and keeps them out")),
    "let_back": Kind(_("Let removed emails in again"), "mailbox"),
    "bring_back": Kind(_("Brought an email back from the bin"), "mailbox"),
    "let_in": Kind(_("Let a label's emails in"), "mailbox"),
    "keep_out": Kind(_("Put an entry on a list of what is kept out")),
    "let_in_again": Kind(_("Took an entry off a list of what is kept out")),
    "counted": Kind(_("Counted what an entry would take out of the account")),
    "pause": Kind(_("Paused a mailbox"), "mailbox"),
    "resume": Kind(_("Resumed a mailbox"), "mailbox"),
    "invite": Kind(_("Invited somebody"), "person"),
    "mail_invite": Kind(_("Sent an invitation by email"), "person"),
    "mail_test": Kind(_("Sent a test email")),
    "revoke_invite": Kind(_("Took an invitation back"), "person"),
    "stop_import": Kind(_("Stopped an import"), "mailbox"),
    "join": Kind(_("Joined the account")),
    "role": Kind(_("Changed a role"), "person"),
    "deactivate": Kind(_("Deactivated a member"), "person"),
    "reactivate": Kind(_("Let a member in again"), "person"),
    "default_level": Kind(_("Changed what is preselected for mailboxes")),
    "google_setup": Kind(_("Set up Google")),
    "prune": Kind(_("Dropped old records")),
    "audit_export": Kind(_("Exported the audit log")),
}

_MAILBOXES = (
    *("connect", "disconnect", "settings", "undo_settings", "pause", "resume", "stop_import"),
    *("let_in", "remove", "let_back", "bring_back", "keep_out", "let_in_again", "counted", "people_scan"),
)
_ACCOUNT = (
    *("invite", "mail_invite", "mail_test", "revoke_invite", "join", "role", "deactivate", "reactivate"),
    *("default_level", "google_setup", "prune", "audit_export"),
)

# What the filter offers: more than one kind each, since nobody looks for "downloaded an original" alone.
GROUPS: Mapping[str, tuple[Text, tuple[str, ...]]] = {
    "opened": (_("Opened emails"), ("read", "file", "original", "export")),
    "listed": (_("Saw lists"), ("list", "search", "people")),
    "sight": (_("Who sees what"), ("level", "private", "not_private")),
    "mailboxes": (_("Mailboxes"), _MAILBOXES),
    "contacts": (_("Contacts"), ("import_contacts", "export_contacts")),
    "account": (_("The account"), _ACCOUNT),
}

SURFACES: Mapping[str, Text] = {
    "emails": _("list of emails"),
    "bin": _("bin"),
    "search": _("search"),
    "contact": _("contact's tab"),
    "company": _("company's tab"),
    "contacts": _("list of contacts"),
    "running": _("running import"),
    "preview": _("preview of a change"),
    "thread": _("thread"),
    "formatted": _("formatted text"),
    "inline": _("picture in the text"),
    "download": _("download"),
    "people": _("people written to"),
    "suggested": _("suggestions on Contacts"),
    "add_contact": _("adding a contact"),
    "command_line": _("command line"),
    "page": _("settings"),
    "join": _("invitation"),
    "kept_out": _("lists of what is kept out"),
    "audit": _("audit page"),
}


def kind(verb: str) -> Kind:
    """Also of what an older or newer version wrote: by its own name."""
    return KINDS.get(verb) or Kind(verb)


def surface(name: str) -> Text:
    return SURFACES.get(name) or name
