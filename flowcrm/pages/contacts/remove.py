"""Remove a contact with all its emails, and keep out what comes later."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from flowcrm.mail.exclusion import ListedKind, ListEntry
from flowcrm.pages import undo
from flowcrm.pages.contacts.merged import follows_merged
from flowcrm.pages.emails.lists import who_looks
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.kept_out.forms import ACCOUNT
from flowcrm.pages.kept_out.views import SURFACE
from flowcrm.pages.notes import note
from flowcrm.queue import wake_exclusions, wake_sync
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.contacts import ContactRecord, access_contact
from flowcrm.store.queries.exclusion_reach import COUNT_AT_MOST, Reach, held_elsewhere, reach_of, wanted_people
from flowcrm.store.queries.exclusions import access_entry, entries_of, own_addresses
from flowcrm.store.vaults import vault
from flowcrm.store.writes.contacts import DeletedContact, do_delete_contact
from flowcrm.store.writes.exclusions import do_exclude, do_include


@dataclass(frozen=True, slots=True)
class Removal:
    """What is asked. mine: what goes of the member's own; held: how many emails colleagues have and he does not.
    own: an address of the contact is a member's."""

    mine: Reach
    held: int
    own: bool


@require_http_methods(["GET", "POST"])
@follows_merged
def remove(request: MemberRequest, contact_id: int) -> HttpResponse:
    """What would go, and then: its addresses on a list, and the contact deleted or not (`keep`)."""
    contact = access_contact(request.workspace.id, contact_id)
    if not contact.addresses:
        return redirect("contact", contact_id)
    asked = _asked(request, contact)
    if request.method == "POST" and (not asked.own or "sure" in request.POST):
        return _remove(request, contact)
    context = {
        "contact": contact,
        "asked": asked,
        "most": COUNT_AT_MOST,
        "unsure": request.method == "POST",
    }
    return render(request, "contacts/remove.html", context, status=422 if request.method == "POST" else 200)


def let_in_again(request: MemberRequest, kept: dict[str, object]) -> None:
    """Undo: the entries that came with a removed contact leave their list; one that is not there any more has left it."""
    keys, me = vault(request.workspace.id), request.member
    for entry_id in list(kept.get("entries", ())):  # type: ignore[call-overload]
        try:
            listed = access_entry(keys, entry_id, member_id=me.id, admin=me.is_admin)
        except NotFound:
            continue
        if do_include(keys, listed=listed):
            wake_exclusions()
        note(request, "let_in_again", [entry_id], surface=SURFACE)
        wake_sync()


def _asked(request: MemberRequest, contact: ContactRecord) -> Removal:
    looking, keys = who_looks(request), vault(request.workspace.id)
    wanted = wanted_people(keys, contact.addresses)
    own = not own_addresses(keys).isdisjoint(contact.addresses)
    return Removal(reach_of(looking, wanted, account=False), held_elsewhere(looking, wanted), own)


def _remove(request: MemberRequest, contact: ContactRecord) -> HttpResponse:
    account = request.member.is_admin and request.POST.get("scope") == ACCOUNT
    entries = _exclude(request, contact, account=account)
    if "keep" in request.POST:
        messages.success(
            request,
            _("Emails with %(name)s are kept out. What was here is in the bin for 30 days; Let in again brings it back.")
            % {"name": contact.name},
        )
        return redirect("kept_out")
    deleted = do_delete_contact(workspace_id=request.workspace.id, contact_id=contact.id)
    undo.remember(request, contact.id, _with_entries(deleted, entries))
    said = _("%(name)s was deleted, and emails with these addresses are kept out. What was here is in the bin for 30 days.")
    messages.info(request, said % {"name": contact.name}, undo.UNDO)
    return redirect("contacts")


def _exclude(request: MemberRequest, contact: ContactRecord, *, account: bool) -> list[int]:
    """The ids of the entries that were not there before."""
    keys, member_id = vault(request.workspace.id), None if account else request.member.id
    before = {one.id for one in entries_of(keys, member_id)}
    made = [
        do_exclude(keys, member_id=member_id, entry=ListEntry(ListedKind.ADDRESS, address)) for address in contact.addresses
    ]
    if any(follows for _id, follows in made):
        wake_exclusions()
    fresh = [entry_id for entry_id, _follows in made if entry_id not in before]
    if fresh:
        note(request, "keep_out", fresh, surface=SURFACE)
    return fresh


def _with_entries(deleted: DeletedContact, entries: list[int]) -> dict[str, object]:
    return {**deleted.as_json(), "entries": entries}
