"""What a mailbox's owner lets in: after connecting, and whenever he changes his mind. Then the import can be watched."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowcrm.mailboxes.connect import mailbox_address
from flowcrm.mailboxes.states import CLOSED, State, check_move
from flowcrm.pages.emails.lists import lines, who_looks
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.integrations.cards import card, read_limits
from flowcrm.pages.integrations.forms import ChoiceForm
from flowcrm.pages.notes import note
from flowcrm.queue import wake_sync
from flowcrm.rules.exclusion import is_no_crm
from flowcrm.store.access import access_mailbox
from flowcrm.store.levels import Level
from flowcrm.store.models import Mailbox
from flowcrm.store.queries.changes import last_change
from flowcrm.store.queries.gain import gain_of_level
from flowcrm.store.queries.kept_out import count_kept_out
from flowcrm.store.queries.mailboxes import LabelRow, any_contact_address, labels, mailbox_rows
from flowcrm.store.queries.threads import THREAD_SIZE, Only, threads_of_mine
from flowcrm.store.vaults import vault
from flowcrm.store.writes.changes import do_change
from flowcrm.store.writes.due import do_due_now
from flowcrm.store.writes.kept_out import do_let_all_back
from flowcrm.store.writes.marks import do_let_in

# Threads that the page of a running import shows.
NEWEST = 10


@require_http_methods(["GET", "POST"])
def choose(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """What to sync, since when, how often. Saving starts the import of what that lets in."""
    mailbox = access_mailbox(request.member, mailbox_id)
    if mailbox.state in CLOSED:
        messages.info(request, _("This mailbox is not connected right now. Connect it, then choose what comes in."))
        return redirect("integrations")
    every = labels(vault(request.workspace.id), mailbox_id)
    known = tuple(one for one in every if not one.excluded)
    default = request.workspace.default_level
    form = ChoiceForm(request.POST or None, mailbox=mailbox, labels=known, default_level=default)
    if form.is_valid():
        only_interval = form.only_interval(known)
        if request.POST.get("step") == "preview" and not only_interval:
            asked = [(name, value) for name in form.fields for value in request.POST.getlist(name)]
            return redirect(f"{reverse('mailbox_preview', args=[mailbox_id])}?{urlencode(asked)}")
        return _save(request, mailbox, form, only_interval=only_interval)
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
        "words": form.wording,
        "any_contact": any_contact_address(request.workspace.id),
        "change": last_change(request.workspace.id, mailbox_id),
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
        messages.warning(request, _("While a label is called No-CRM, it keeps emails out. Rename it there first."))
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
    check_move(State(mailbox.state), State.ON)
    wanted = form.settings()
    listed = do_change(
        workspace_id=request.workspace.id,
        mailbox_id=mailbox.id,
        wanted=wanted,
        bins=request.POST.get("out") == "bin",
        anew=not only_interval,
    )
    if wanted.level != mailbox.level:
        note(request, "level", [mailbox.id])
    note(request, "settings", [mailbox.id])
    return _saved(request, mailbox, "" if listed else _("Saved."), listed=listed)


@require_POST
def undo(request: MemberRequest, mailbox_id: int) -> HttpResponse:
    """Set everything as it was before the last change (`change`); `out` as when it is saved."""
    mailbox = access_mailbox(request.member, mailbox_id)
    change = None if mailbox.state in CLOSED else last_change(request.workspace.id, mailbox_id)
    if change is None or request.POST.get("change") != str(change.id):
        messages.warning(request, _("That change cannot be undone any more: it was undone, changed again, or is too old."))
        return redirect("mailbox_choose", mailbox_id)
    check_move(State(mailbox.state), State.ON)
    listed = do_change(
        workspace_id=request.workspace.id,
        mailbox_id=mailbox.id,
        wanted=change.before,
        bins=request.POST.get("out") == "bin",
        undoes=change.id,
    )
    note(request, "undo_settings", [mailbox.id])
    return _saved(request, mailbox, _("The change is undone."), listed=listed)


def _saved(request: MemberRequest, mailbox: Mailbox, said: str, *, listed: bool) -> HttpResponse:
    wake_sync()
    if said:
        messages.success(request, said)
    return redirect("mailbox_running", mailbox.id) if listed else redirect("integrations")


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
