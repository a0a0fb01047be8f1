"""Settings, Audit: who did or saw what, for admins (claim K53). Ids and names: an admin sees no more emails than others."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from flowcrm.lib import clock
from flowcrm.pages.emails.lists import who_looks
from flowcrm.pages.emails.stream import download
from flowcrm.pages.forms import Form
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.notes import note
from flowcrm.pages.settings.audit_csv import pieces
from flowcrm.pages.settings.audit_words import GROUPS, Kind, Text, kind, surface
from flowcrm.store.access import Actor
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.audit_log import (
    Email,
    Place,
    Record,
    Wanted,
    audit_page,
    chain,
    emails_in_log,
    surfaces,
)
from flowcrm.store.queries.mailboxes import owners
from flowcrm.store.queries.members import called, team

_OPERATOR = "0"


class FilterForm(Form):
    """Who, what, where, when. Nonsense in the address filters nothing and says so at its field."""

    who = forms.ChoiceField(label=_("Who"), required=False)
    what = forms.ChoiceField(label=_("What"), required=False)
    where = forms.ChoiceField(label=_("Where"), required=False)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, request: MemberRequest) -> None:
        super().__init__(request.GET)
        people = [(str(one.id), one.name) for one in team(request.workspace.id)]
        places = [(one, surface(one)) for one in surfaces(request.workspace.id)]
        self._offer("who", [("", _("Anybody")), *people, (_OPERATOR, _("the operator (command line)"))])
        self._offer("what", [("", _("Anything")), *((name, title) for name, (title, _verbs) in GROUPS.items())])
        self._offer("where", [("", _("Anywhere")), *places])

    def _offer(self, name: str, choices: list[tuple[str, Text]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def wanted(self) -> Wanted:
        """What is valid of it."""
        self.full_clean()
        typed = self.cleaned_data
        until = typed.get("until")
        return Wanted(
            actor_id=int(typed["who"]) if typed.get("who") else None,
            verbs=GROUPS[typed["what"]][1] if typed.get("what") else (),
            surface=typed.get("where", ""),
            since=_midnight(typed.get("since")),
            until=_midnight(until + timedelta(days=1) if until else None),
        )

    def query(self) -> dict[str, str]:
        """The same for an address."""
        return {name: self.data.get(name, "") for name in self.fields if self.data.get(name)}


@dataclass(frozen=True, slots=True)
class Line:
    """A record in words. email: the one it is about, where it is one; whose: the mailbox, or
    the member or the invitation; more: how many emails, where several."""

    record: Record
    kind: Kind
    surface: Text
    email: Email | None = None
    whose: str = ""
    more: int = 0


@require_GET
def audit(request: MemberRequest) -> HttpResponse:
    """The log, newest first."""
    _check_admin(request)
    form = FilterForm(request)
    page = audit_page(request.workspace.id, form.wanted(), after=_place(request))
    query = form.query()
    context = {
        "form": form,
        "lines": _lines(who_looks(request), page.records),
        "next": urlencode(query | _written(page.after)) if page.after else "",
        "csv": urlencode(query),
        "filtered": bool(query),
        "chain": chain(request.workspace.id),
    }
    return render(request, "settings/audit_rows.html" if request.htmx else "settings/audit.html", context)


@require_GET
def audit_csv(request: MemberRequest) -> HttpResponseBase:
    """The filtered log as a file. That it was taken is a record too."""
    _check_admin(request)
    wanted, workspace_id = FilterForm(request).wanted(), request.workspace.id
    note(request, "audit_export", surface="audit")
    name = f"audit-{timezone.localtime(clock.now()):%Y-%m-%d}.csv"
    return download(pieces(workspace_id, wanted), name=name, type="text/csv", size=None)


def _check_admin(request: MemberRequest) -> None:
    if not request.member.is_admin:
        raise NotFound


def _lines(looking: Actor, records: tuple[Record, ...]) -> list[Line]:
    kinds = {record.id: kind(record.verb) for record in records}
    single = {record.id: record.object_ids[0] for record in records if record.object_ids}
    emails = emails_in_log(looking, [single[one.id] for one in records if one.id in single and kinds[one.id].about == "emails"])
    ids = list(single.values())
    whose = {"mailbox": owners(looking.workspace_id, ids), "person": called(looking.workspace_id, ids)}
    return [_line(record, kinds[record.id], single.get(record.id, 0), emails, whose) for record in records]


def _line(record: Record, of: Kind, first: int, emails: Mapping[int, Email], whose: Mapping[str, Mapping[int, str]]) -> Line:
    counted = of.about == "contacts" or (of.about == "emails" and record.verb != "file")
    several = len(record.object_ids) if counted else 1
    email = emails.get(first, Email(None, ())) if of.about == "emails" and several == 1 else None
    name = whose.get(of.about, {}).get(first, "")
    return Line(record, of, surface(record.surface), email, name, several if several > 1 else 0)


def _place(request: MemberRequest) -> Place | None:
    record_id, _sep, moment = request.GET.get("after", "").partition(":")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    valid = record_id.isascii() and record_id.isdigit() and len(record_id) <= 18 and at.tzinfo is not None
    return Place(at, int(record_id)) if valid else None


def _written(place: Place) -> dict[str, str]:
    return {"after": f"{place.id}:{place.at.isoformat()}"}


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), tzinfo=timezone.get_current_timezone()) if day else None
