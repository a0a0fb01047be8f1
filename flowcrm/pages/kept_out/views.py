"""Settings, Kept out: whose mail stays out of FlowCRM. A member's own list, and the account's, which admins change."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from flowcrm.mail.exclusion import ListEntry
from flowcrm.pages.emails import people
from flowcrm.pages.emails.lists import subject, who_looks
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.kept_out.forms import ACCOUNT, MINE, EntryForm
from flowcrm.pages.notes import note
from flowcrm.queue import wake_exclusions, wake_sync
from flowcrm.store.access import Actor
from flowcrm.store.queries.exclusion_reach import COUNT_AT_MOST, Reach, reach_of, wanted_of
from flowcrm.store.queries.exclusions import access_entry, entries_of, own_addresses
from flowcrm.store.reveal import reveal_heads
from flowcrm.store.vaults import vault
from flowcrm.store.writes.exclusions import do_exclude, do_include

SURFACE = "kept_out"


@dataclass(frozen=True, slots=True)
class Example:
    """A line of an email that would go."""

    sender: str
    subject: str
    date: datetime | None


@require_http_methods(["GET", "POST"])
def kept_out(request: MemberRequest) -> HttpResponse:
    """Both lists. POST shows what an entry would take out, and with `save` puts it on its list."""
    form = EntryForm(request.POST or None, admin=request.member.is_admin, initial={"scope": MINE})
    if not form.is_valid():
        return _lists(request, form)
    entry, account = form.cleaned_data["entry"], form.for_account
    warning = _warning(request, entry)
    if "save" in request.POST and (not warning or "sure" in request.POST):
        _save(request, entry, account=account)
        return redirect("kept_out")
    return _preview(request, entry, warning, account=account, unsure="save" in request.POST)


@require_POST
def take_off(request: MemberRequest, entry_id: int) -> HttpResponse:
    """An entry keeps nothing out any more."""
    keys, me = vault(request.workspace.id), request.member
    listed = access_entry(keys, entry_id, member_id=me.id, admin=me.is_admin)
    if do_include(keys, listed=listed):
        wake_exclusions()
    note(request, "let_in_again", [entry_id], surface=SURFACE)
    wake_sync()
    messages.success(
        request,
        _("%(entry)s may come in again. What is in the bin for it comes back, and your mailboxes are looked through.")
        % {"entry": listed.entry.shown},
    )
    return redirect("kept_out")


def _lists(request: MemberRequest, form: EntryForm) -> HttpResponse:
    keys = vault(request.workspace.id)
    context = {"form": form, "mine": entries_of(keys, request.member.id), "account": entries_of(keys, None)}
    return render(request, "kept_out/lists.html", context, status=422 if form.is_bound else 200)


def _preview(request: MemberRequest, entry: ListEntry, warning: str, *, account: bool, unsure: bool) -> HttpResponse:
    looking, keys = who_looks(request), vault(request.workspace.id)
    reach = reach_of(looking, wanted_of(keys, entry), account=account)
    if account:
        # A figure is a small look into colleagues' mail.
        note(request, "counted", surface=SURFACE)
    context = {
        "entry": entry,
        "scope": ACCOUNT if account else MINE,
        "account": account,
        "reach": reach,
        "most": COUNT_AT_MOST,
        "examples": _examples(looking, reach),
        "warning": warning,
        "unsure": unsure,
    }
    return render(request, "kept_out/preview.html", context, status=422 if unsure else 200)


def _examples(looking: Actor, reach: Reach) -> list[Example]:
    heads = reveal_heads(looking, reach.examples, SURFACE)
    return [Example(people.sender(heads[one]), subject(heads[one]), heads[one].date) for one in reach.examples if one in heads]


def _warning(request: MemberRequest, entry: ListEntry) -> str:
    """What is seldom meant, and is asked about once more."""
    if any(entry.covers(one) for one in own_addresses(vault(request.workspace.id))):
        return _("Somebody in your account writes from there: nearly all of your emails would go.")
    if entry.is_free_mail:
        return _("Half the world has its private address there: customers, too, may stay out.")
    return ""


def _save(request: MemberRequest, entry: ListEntry, *, account: bool) -> None:
    member_id = None if account else request.member.id
    entry_id, follows = do_exclude(vault(request.workspace.id), member_id=member_id, entry=entry)
    if follows:
        wake_exclusions()
    note(request, "keep_out", [entry_id], surface=SURFACE)
    messages.success(
        request,
        _("%(entry)s is kept out from now on. What was here is in the bin for 30 days; Let in again brings it back.")
        % {"entry": entry.shown},
    )
