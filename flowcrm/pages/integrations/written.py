"""People you have written to: looked for when the mailbox's owner asks, and made contacts by his ticks."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from flowcrm.lib import clock
from flowcrm.mailboxes.connect import mailbox_address
from flowcrm.mailboxes.states import State
from flowcrm.pages.contacts.made import say_made
from flowcrm.pages.emails.lists import who_looks
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.notes import note
from flowcrm.queue import wake_written
from flowcrm.rules.persons import name_from_address
from flowcrm.store.access import access_mailbox
from flowcrm.store.models import Mailbox
from flowcrm.store.plans import PLANS
from flowcrm.store.queries.people import ScanProgress, read_progress
from flowcrm.store.reveal import MOST_PEOPLE, Person, reveal_people
from flowcrm.store.writes.made import NewPerson, do_make_contacts
from flowcrm.store.writes.people import LOOKS_BACK, do_begin_scan, do_forget_people, do_scan_again

# Ticked from the start: whoever was written to more than once is hardly a chance acquaintance.
TICKED_FROM = 2

_STOPPED: dict[str, str | Promise] = {
    State.PAUSED: gettext_lazy("The mailbox is paused. Resume it, and go on here."),
    State.DISCONNECTED: gettext_lazy("The mailbox is disconnected. Connect it, and go on here."),
}
_WAITS: dict[str, str | Promise] = {
    "slowed": gettext_lazy("The provider wants us to read more slowly."),
    "keys": gettext_lazy("The key store cannot be reached right now."),
    "fault": gettext_lazy("Something went wrong on our side."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One person as the table shows him. ticked: from the start."""

    person: Person
    name: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class Look:
    """How a scan stands, in words. trouble: why it waits or has stopped; until: when it goes on by itself."""

    progress: ScanProgress
    trouble: str = ""
    until: datetime | None = None

    @property
    def ready(self) -> bool:
        return self.progress.scan.state == "ready"

    @property
    def stopped(self) -> bool:
        return self.progress.scan.state == "stopped"


@require_http_methods(["GET", "POST"])
def people(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """POST begins to look, or goes on. GET: what was found so far, to be ticked. A part (htmx): how far it is."""
    mailbox = access_mailbox(request.member, mailbox_id)
    if request.method == "POST":
        return _begin(request, mailbox)
    progress = read_progress(request.workspace.id, mailbox_id)
    look = _look(progress) if progress else None
    if request.htmx:
        return _part(request, mailbox, look)
    found = reveal_people(who_looks(request), mailbox_id) if progress and progress.people else ()
    context = {
        "mailbox": mailbox,
        "address": mailbox_address(request.workspace.id, mailbox_id),
        "look": look,
        "lines": [_line(one) for one in found],
        "shown": progress.people if progress else 0,
        "most": MOST_PEOPLE,
        "days": LOOKS_BACK.days,
        "readable": _is_readable(request, mailbox),
        "importing": mailbox.state == State.ON and mailbox.import_done_at is None,
    }
    return render(request, "integrations/people.html", context)


@require_POST
def decide(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """Make contacts of those who are ticked, or of none; what was found is forgotten either way."""
    mailbox = access_mailbox(request.member, mailbox_id)
    workspace_id = request.workspace.id
    ticked = [int(one) for one in request.POST.getlist("person") if one.isascii() and one.isdigit() and len(one) <= 18]
    if "skip" not in request.POST:
        if not ticked:
            messages.warning(request, _("Tick somebody first, or skip."))
            return redirect("mailbox_people", mailbox_id)
        found = reveal_people(who_looks(request), mailbox_id, only=ticked)
        made = do_make_contacts(workspace_id=workspace_id, people=[NewPerson(_name(one), one.email) for one in found])
        say_made(request, made)
    do_forget_people(workspace_id=workspace_id, mailbox_id=mailbox_id)
    if mailbox.state == State.ON and mailbox.import_done_at is None:
        return redirect("mailbox_running", mailbox_id)
    return redirect("contacts")


def _begin(request: MemberRequest, mailbox: Mailbox) -> HttpResponse:
    if not _is_readable(request, mailbox):
        messages.warning(request, _("This mailbox is not being read right now, so nothing can be looked for in it."))
    elif "again" in request.POST:
        do_scan_again(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.id)
        wake_written()
    else:
        do_begin_scan(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.id)
        note(request, "people_scan", [mailbox.id])
        wake_written()
    return redirect("mailbox_people", mailbox.id)


def _part(request: MemberRequest, mailbox: Mailbox, look: Look | None) -> HttpResponse:
    """The card above the table. Whoever has no table yet gets the whole page as soon as there is one to show."""
    shown = request.GET.get("shown", "")
    number = int(shown) if shown.isascii() and shown.isdigit() and len(shown) <= 9 else 0
    if look is None or (look.ready and not number):
        answer = HttpResponse()
        answer["HX-Refresh"] = "true"
        return answer
    return render(request, "integrations/people_card.html", {"mailbox": mailbox, "look": look, "shown": number})


def _look(progress: ScanProgress) -> Look:
    scan = progress.scan
    if scan.state == "stopped":
        usual = _("The provider refuses to let the mailbox be read. See Integrations, and go on here when it is mended.")
        return Look(progress, str(_STOPPED.get(scan.code, usual)))
    if scan.state == "reading" and scan.code and scan.next_at > clock.now():
        return Look(progress, str(_WAITS.get(scan.code, _("The provider cannot be reached right now."))), scan.next_at)
    return Look(progress)


def _line(person: Person) -> Line:
    return Line(person, _name(person), person.written >= TICKED_FROM)


def _name(person: Person) -> str:
    return person.name or name_from_address(person.email)


def _is_readable(request: MemberRequest, mailbox: Mailbox) -> bool:
    return mailbox.state == State.ON and PLANS[request.workspace.plan].email_integration
