"""What a mailbox's owner lets in: after connecting, and whenever he changes his mind. Then the import can be watched."""

from dataclasses import dataclass, replace
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowcrm.mailboxes.connect import mailbox_address
from flowcrm.mailboxes.states import BROKEN, State, check_move
from flowcrm.pages.emails.lists import lines, who_looks
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.integrations.cards import card, read_limits
from flowcrm.pages.integrations.forms import ChoiceForm
from flowcrm.pages.integrations.words import DIRECTIONS
from flowcrm.pages.notes import note
from flowcrm.queue import wake_sync
from flowcrm.rules.exclusion import is_no_crm
from flowcrm.store.access import access_mailbox
from flowcrm.store.levels import Level
from flowcrm.store.models import Mailbox
from flowcrm.store.queries.gain import gain_of_level
from flowcrm.store.queries.kept_out import count_kept_out
from flowcrm.store.queries.mailboxes import LabelRow, any_contact_address, labels, mailbox_rows
from flowcrm.store.queries.threads import THREAD_SIZE, Only, threads_of_mine
from flowcrm.store.vaults import vault
from flowcrm.store.writes.asked import do_interval
from flowcrm.store.writes.bin import do_staying
from flowcrm.store.writes.due import do_due_now
from flowcrm.store.writes.kept_out import do_let_all_back
from flowcrm.store.writes.mailbox import do_settings
from flowcrm.store.writes.marks import do_let_in
from flowcrm.store.writes.private import do_level

# Threads that the page of a running import shows.
NEWEST = 10

# Where something else has to be done first, or there is no provider.
_CLOSED = BROKEN | {State.DISCONNECTED, State.ARCHIVE}


@require_http_methods(["GET", "POST"])
def choose(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """What to sync, since when, how often. Saving starts the import of what that lets in."""
    mailbox = access_mailbox(request.member, mailbox_id)
    if mailbox.state in _CLOSED:
        messages.info(request, _("This mailbox is not connected right now. Connect it, then choose what comes in."))
        return redirect("integrations")
    every = labels(vault(request.workspace.id), mailbox_id)
    known = tuple(one for one in every if not one.excluded)
    default = request.workspace.default_level
    form = ChoiceForm(request.POST or None, mailbox=mailbox, labels=known, default_level=default)
    if form.is_valid():
        return _save(request, mailbox, form, only_interval=form.only_interval(known))
    fresh = mailbox.import_from is None
    context = {
        "frame": "plain.html" if fresh else "app.html",
        "fresh": fresh,
        "form": form,
        "mailbox": mailbox,
        "address": mailbox_address(request.workspace.id, mailbox_id),
        "lost": [one for one in known if one.gone],
        "kept_out": [KeptOut(one, may_come_in=one.gone or not is_no_crm(one.name)) for one in every if one.excluded],
        "removed": count_kept_out(request.workspace.id, mailbox_id),
        "direction": DIRECTIONS["one_way"],
        "any_contact": any_contact_address(request.workspace.id),
    }
    return render(request, "integrations/choose.html", context, status=422 if form.is_bound else 200)


@require_GET
def gain(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """What another level would mean for colleagues, before it is saved."""
    mailbox, wanted = access_mailbox(request.member, mailbox_id), request.GET.get("level", "")
    if wanted not in set(Level):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    found = gain_of_level(request.workspace.id, mailbox.id, Level(wanted))
    return render(request, "integrations/gain.html", {"gain": found, "same": mailbox.level == wanted})


@dataclass(frozen=True, slots=True)
class KeptOut:
    """A label that keeps out the threads of what bears it. may_come_in: it is not called No-CRM (any more)."""

    label: LabelRow
    may_come_in: bool


@require_POST
def let_in(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """A label that was called No-CRM once, or that is deleted at the provider, keeps nothing out any more."""
    mailbox = access_mailbox(request.member, mailbox_id)
    workspace_id, wanted = request.workspace.id, request.POST.get("label", "")
    known = {one.provider_id: one for one in labels(vault(workspace_id), mailbox_id) if one.excluded}
    label = known.get(wanted)
    if label is None or (is_no_crm(label.name) and not label.gone):
        messages.warning(request, _("While a label is called No-CRM, it keeps emails out. Rename it in Gmail first."))
    elif do_let_in(workspace_id=workspace_id, mailbox_id=mailbox_id, folder_id=wanted):
        note(request, "let_in", [mailbox.id])
        _look_again(mailbox)
        messages.success(request, _("Emails under %(label)s may come in from now on.") % {"label": label.name})
    return redirect("mailbox_choose", mailbox_id)


@require_POST
def let_back(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """What the owner removed and kept out may come in again, by the rules there are now."""
    mailbox = access_mailbox(request.member, mailbox_id)
    if do_let_all_back(workspace_id=request.workspace.id, mailbox_id=mailbox.id):
        note(request, "let_back", [mailbox.id])
        _look_again(mailbox)
    messages.success(request, _("What you removed may come in again. What is in the bin stays there until you bring it back."))
    return redirect("mailbox_choose", mailbox_id)


def _look_again(mailbox: Mailbox) -> None:
    """Soon, unless it is paused or disconnected: then it looks when it is on again."""
    if mailbox.state == State.ON:
        do_due_now(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.id)
        wake_sync()


def _save(request: MemberRequest, mailbox: Mailbox, form: ChoiceForm, *, only_interval: bool) -> HttpResponse:
    chosen, workspace_id = form.chosen(), request.workspace.id
    check_move(State(mailbox.state), State.ON)
    typed = form.cleaned_data
    do_staying(workspace_id=workspace_id, mailbox_id=mailbox.id, on_leave=typed["on_leave"], on_delete=typed["on_delete"])
    _save_level(request, mailbox, Level(typed["level"]))
    if only_interval:
        do_interval(workspace_id=workspace_id, mailbox_id=mailbox.id, interval_s=chosen.interval_s)
    else:
        do_settings(workspace_id=workspace_id, mailbox_id=mailbox.id, chosen=chosen)
    note(request, "settings", [mailbox.id])
    wake_sync()
    if only_interval:
        messages.success(request, _("Saved."))
        return redirect("integrations")
    return redirect("mailbox_running", mailbox.id)


def _save_level(request: MemberRequest, mailbox: Mailbox, level: Level) -> None:
    if mailbox.level == level:
        return
    do_level(workspace_id=request.workspace.id, mailbox_id=mailbox.id, level=level)
    note(request, "level", [mailbox.id])


@require_GET
def running(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """The import, as it goes; it goes on when the page is left."""
    access_mailbox(request.member, mailbox_id)
    (row,) = mailbox_rows(vault(request.workspace.id), mailbox_id=mailbox_id)
    context = {"card": card(row, read_limits(request.workspace)), "running": True}
    template = "integrations/running_card.html" if request.htmx else "integrations/running.html"
    return render(request, template, context)


@require_GET
def newest(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """The newest threads of one mailbox while it is being read; 204 while there are none, and it is asked again."""
    mailbox = access_mailbox(request.member, mailbox_id)
    looking = who_looks(request)
    page = threads_of_mine(looking.within(mailbox.id), size=NEWEST)
    found = lines(request, looking, page, Only.ALL, "running")
    if not found.lines:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return render(
        request, "integrations/newest.html", {"list": replace(found, next=""), "mailbox": mailbox, "most": THREAD_SIZE}
    )
