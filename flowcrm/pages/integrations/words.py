"""The words of a mailbox's settings and of why a mail was not kept."""

from collections.abc import Callable
from datetime import datetime

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from flowcrm.mail.errors import MailError, NeedsLogin, RateLimited
from flowcrm.pages.integrations.wording import wording
from flowcrm.pages.words import Option

Text = str | Promise

KINDS: dict[str, Text] = {"gmail": _("Gmail"), "imap": _("Other email"), "archive": _("Archive")}

# K10 to K12. The order is the page's; "contacts" is preselected.
SELECTIONS: dict[str, Option] = {
    "contacts": Option(
        _("Contacts only"),
        _(
            "Emails with a contact in From, To, Cc, Bcc or Reply-To. By address, not by domain. A contact that you add later"
            " brings past emails too."
        ),
    ),
    # Its words differ between providers: wording.py.
    "labels": wording("gmail").chosen,
    "all": Option(_("All emails"), _("Every email except drafts, spam and trash.")),
}

DIRECTIONS: dict[str, Option] = {"one_way": wording("gmail").direction}

STAYING: dict[str, Text] = {
    "keep": _("keep it here"),
    "remove": _("remove it here, after 30 days in the bin"),
}

INTERVALS: dict[int, Text] = {300: _("Every 5 minutes"), 900: _("Every 15 minutes"), 3600: _("Every hour")}

# rules.decide's names of rules -> "1,196 not for contacts". What is told apart by selection stands below.
_SKIPPED: dict[str, Promise] = {
    "erased": ngettext_lazy("%(n)s removed for good", "%(n)s removed for good", "count"),
    "privacy_address": ngettext_lazy("%(n)s kept out by privacy@", "%(n)s kept out by privacy@", "count"),
    "excluded": ngettext_lazy("%(n)s kept out by No-CRM", "%(n)s kept out by No-CRM", "count"),
    "exclusion_list": ngettext_lazy("%(n)s kept out by a list", "%(n)s kept out by lists", "count"),
    "draft_spam_trash": ngettext_lazy("%(n)s draft, spam or trash", "%(n)s drafts, spam or trash", "count"),
    "members_only": ngettext_lazy("%(n)s among colleagues", "%(n)s among colleagues", "count"),
    "before_since": ngettext_lazy("%(n)s before the start date", "%(n)s before the start date", "count"),
}
_NOT_SELECTED: dict[str, Promise] = {
    "contacts": ngettext_lazy("%(n)s not for contacts", "%(n)s not for contacts", "count"),
    "labels": ngettext_lazy("%(n)s without a chosen label", "%(n)s without a chosen label", "count"),
}
_OTHER = ngettext_lazy("%(n)s not kept", "%(n)s not kept", "count")


def skipped(rule: str, count: int, selection: str) -> str:
    """How many were looked at and not kept, and why."""
    words = _NOT_SELECTED.get(selection, _OTHER) if rule == "not_selected" else _SKIPPED.get(rule, _OTHER)
    return str(words % {"count": count, "n": f"{count:,}"})


def trouble(error: MailError, moment: Callable[[datetime], str], kind: str = "gmail") -> str:
    """Why the provider could not be asked just now. moment: how a moment is said. kind: of the mailbox."""
    who = capfirst(str(wording(kind).who))
    if isinstance(error, RateLimited):
        when = moment(error.retry_at) if error.retry_at else gettext("in a minute")
        return gettext("%(who)s lets us ask no more just now. Try again %(when)s; nothing is lost.") % {
            "who": who,
            "when": when,
        }
    if isinstance(error, NeedsLogin):
        return gettext("The provider refuses to answer for this mailbox. Re-authorize it first.")
    return gettext("%(who)s cannot be reached right now. Nothing is lost; try again in a minute.") % {"who": who}
