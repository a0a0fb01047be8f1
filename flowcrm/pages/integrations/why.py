"""Why is this email (not) here? Asked at the provider, live, for a mailbox's owner; nothing of the answer is stored."""

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from flowcrm.mail.errors import MailError
from flowcrm.mail.types import Search
from flowcrm.mailboxes.connect import mailbox_address
from flowcrm.mailboxes.open import open_connector
from flowcrm.mailboxes.snapshot import read_snapshot
from flowcrm.mailboxes.states import State
from flowcrm.pages.http import MemberRequest, asks_provider
from flowcrm.pages.integrations.cards import moment
from flowcrm.pages.integrations.wording import wording
from flowcrm.pages.integrations.words import trouble
from flowcrm.rules.decide import KEPT, Answer, Verdict
from flowcrm.store.access import access_mailbox
from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.exclusions import Listed
from flowcrm.sync.explain import Explained, Place, explain

Text = str | Promise

# The end of a Gmail address, or an id by itself: hexadecimal, as the API has it.
_ID = re.compile(r"(?:^|[/#=])([0-9a-f]{1,20})$")
_SHORTEST_ID = 10
# Rules that also take out what is here.
_GOES = frozenset({"excluded", "exclusion_list"})
_LONGEST = 500

# rules.decide's names -> (what the rule asks, what would change it).
_RULES: Mapping[str, tuple[Text, Text]] = {
    "erased": (
        gettext_lazy("Was it, or its thread, removed here?"),
        gettext_lazy("Bring it back from the bin, or let what you removed in again by this mailbox's settings."),
    ),
    "privacy_address": (gettext_lazy("Does it name your account's privacy address?"), gettext_lazy("It stays out.")),
    "excluded": (
        gettext_lazy("Does its thread bear No-CRM?"),
        gettext_lazy("Take No-CRM off every email of its thread in the mailbox, and it comes in."),
    ),
    "exclusion_list": (
        gettext_lazy("Does it name somebody who is kept out?"),
        gettext_lazy(
            "Take the entry off the list by Settings, Kept out, and it comes in. What is for everybody, an admin takes off."
        ),
    ),
    "logged_by_hand": (gettext_lazy("Was it logged by hand?"), ""),
    "draft_spam_trash": (
        gettext_lazy("Is it a draft, spam or in the trash?"),
        gettext_lazy("Send it, or take it out of spam or trash in the mailbox, and it comes in."),
    ),
    "members_only": (gettext_lazy("Is it only among colleagues?"), gettext_lazy("Your account leaves those out.")),
    "before_since": (
        gettext_lazy("Is it older than “Import since”?"),
        gettext_lazy("Choose an earlier day in this mailbox's settings, and it comes in."),
    ),
    "not_selected": (
        gettext_lazy("Is it what this mailbox syncs?"),
        gettext_lazy(
            "Add one of its people as a contact, put a chosen label on its thread, or let more in by this mailbox's settings."
        ),
    ),
    "limit": (
        gettext_lazy("Is there room in the plan?"),
        gettext_lazy("Nothing: it comes in by itself as soon as there is room again."),
    ),
}
_PLACES: Mapping[Place, Text] = {
    Place.HERE: gettext_lazy("It is here."),
    Place.BIN: gettext_lazy("It is in the bin."),
    Place.WAITING: gettext_lazy("It is on its way: it waits to be fetched."),
    Place.SET_APART: gettext_lazy("It could not be taken in and was set apart."),
    Place.NOWHERE: gettext_lazy("It is not here."),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One rule in words. answer: yes, no, not looked at, not reached; decided: this one had the last word."""

    question: Text
    answer: str
    decided: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """One mail explained. verdict: what the rules say; change: what would change it, empty where it comes in. entries: of the
    exclusion lists, where they decided."""

    mail: Explained
    place: Text
    verdict: str
    steps: tuple[Step, ...]
    change: Text
    entries: tuple[str, ...] = ()


@require_GET
@asks_provider
def why(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """Ask for a subject, a Message-ID or a Gmail address (`q`)."""
    with workspace_scope(request.workspace.id):
        mailbox = access_mailbox(request.member, mailbox_id)
        address = mailbox_address(request.workspace.id, mailbox_id)
    asked = request.GET.get("q", "").strip()[:_LONGEST]
    context: dict[str, object] = {"mailbox": mailbox, "address": address, "asked": asked}
    context["by_id"] = wording(mailbox.kind).by_id
    if asked:
        if mailbox.state != State.ON:
            context["trouble"] = _("This mailbox is not connected right now, so it cannot be asked. Connect it first.")
        else:
            try:
                context["reasons"] = _ask(request.workspace.id, mailbox_id, asked)
            except MailError as error:
                context["trouble"] = trouble(error, moment, mailbox.kind)
    with workspace_scope(request.workspace.id):
        return render(request, "integrations/why.html", context)


def _ask(workspace_id: int, mailbox_id: int, asked: str) -> list[Reason]:
    snapshot = read_snapshot(workspace_id, mailbox_id)
    if snapshot is None:
        return []
    with closing(open_connector(snapshot)) as connector:
        return [_reason(one) for one in explain(snapshot, connector, search=as_search(asked), some_id=as_id(asked))]


def as_id(asked: str) -> str:
    """The id in what was asked for, if it ends in one."""
    found = _ID.search(asked)
    return found[1] if found and len(found[1]) >= _SHORTEST_ID else ""


def as_search(asked: str) -> Search | None:
    """What to search for; None for an id."""
    if as_id(asked):
        return None
    if "@" in asked and " " not in asked:
        return Search(message_id=asked.strip("<>"))
    return Search(subject=asked)


def _reason(mail: Explained) -> Reason:
    decision = mail.decision
    change: Text = "" if decision.rule == KEPT else _RULES[decision.rule][1]
    verdicts = {
        Verdict.KEEP: _("By the rules it comes in."),
        Verdict.SKIP: _("By the rules it stays out."),
        Verdict.WAIT: _("By the rules it comes in, and waits for room."),
        Verdict.NEED: _("What decides cannot be told right now."),
    }
    steps = tuple(Step(_RULES[rule][0], _answer(rule, answer), rule == decision.rule) for rule, answer in decision.trace)
    entries = tuple(map(_entry, mail.listed)) if decision.rule == "exclusion_list" else ()
    return Reason(mail, _PLACES[mail.place], _but_here(mail) or verdicts[decision.verdict], steps, change, entries)


def _entry(listed: Listed) -> str:
    whose = _("%(entry)s (for everybody)") if listed.member_id is None else _("%(entry)s (your own list)")
    return whose % {"entry": listed.entry.value}


def _answer(rule: str, answer: Answer) -> str:
    """Some rules ask for what must be, the others for what must not be."""
    matched = {"not_selected": _("no"), "limit": _("no")}.get(rule, _("yes"))
    other = {"not_selected": _("yes"), "limit": _("yes")}.get(rule, _("no"))
    words = {
        Answer.YES: matched,
        Answer.NO: other,
        Answer.NOT_LOOKED_AT: _("not looked at"),
        Answer.NOT_REACHED: _("not asked any more"),
    }
    return words[answer]


def _but_here(mail: Explained) -> str:
    """What was kept stays: the rules ask what may come in."""
    if mail.place is Place.HERE and mail.decision.verdict is Verdict.SKIP and mail.decision.rule not in _GOES:
        return _("It would not come in now, and what came in before stays.")
    return ""
