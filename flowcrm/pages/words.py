"""The words of choices that several screens show: levels, plans, roles."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Option:
    """A choice in a word or two, and what it means in one line."""

    title: Text
    meaning: Text


LEVELS: dict[str, Option] = {
    "only_me": Option(
        _("Only me"),
        _("Colleagues see nothing of it. Where a thread would look whole without it, they are told that you have more of it."),
    ),
    "people_and_times": Option(_("People and times"), _("Colleagues see who wrote to whom, and when.")),
    "subject": Option(_("Subject line too"), _("Colleagues also see what it is about.")),
    "everything": Option(_("Everything"), _("Colleagues read the email and its attachments.")),
}

PLANS: dict[str, Option] = {
    "starter": Option(_("Starter"), _("Contacts and companies. No email integration.")),
    "professional": Option(
        _("Professional"), _("Email integration: 10,000 emails synced a day, 100,000 stored, attachments up to 50 MB.")
    ),
    "enterprise": Option(_("Enterprise"), _("Email integration without limits on emails, attachments up to 100 MB.")),
}

ROLES: dict[str, Text] = {"admin": _("Admin"), "user": _("User")}
