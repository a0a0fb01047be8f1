"""The articles of the product's own help: their numbers are part of addresses and stay."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Article:
    """template: its text."""

    slug: str
    title: Text
    summary: Text
    template: str


ARTICLES = (
    Article("kb-001", _("What FlowCRM is"), _("The rooms, the roles, the words, and a first walk."), "help/kb_001.html"),
    Article(
        "kb-010",
        _("Setting up email integration"),
        _("Connect a mailbox, choose what comes in, read threads on a contact, and what the limits are."),
        "help/kb_010.html",
    ),
    Article("kb-011", _("Email tracking"), _("Opens, clicks and reply times: not there yet."), "help/kb_011.html"),
    Article(
        "kb-012", _("When emails do not arrive"), _("What each state of a mailbox means and what to press."), "help/kb_012.html"
    ),
    Article(
        "kb-015",
        _("Security and privacy"),
        _("What is encrypted, who can read what, and what is recorded."),
        "help/kb_015.html",
    ),
)

BY_SLUG = {article.slug: article for article in ARTICLES}
