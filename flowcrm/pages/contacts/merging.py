"""Merge two contacts, take addresses out into a contact of their own, and undo both."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from flowcrm.pages.contacts.merged import follows_merged
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.lists import as_text, place_after, typed_filter
from flowcrm.queue import wake_sync
from flowcrm.rules.persons import name_from_address
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.contacts import ContactRecord, access_contact, contact_page
from flowcrm.store.writes.contacts import ContactFields
from flowcrm.store.writes.merging import NothingToUndo, do_merge_contacts, do_split_contact, do_undo_contact

_OTHER = "other"
_LABELS: Mapping[str, str | Promise] = {
    "name": gettext_lazy("Name"),
    "company": gettext_lazy("Company"),
    "title": gettext_lazy("Job title"),
    "phone": gettext_lazy("Phone"),
    "note": gettext_lazy("Note"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A field in which the two differ. other: whether the other's value is chosen from the start, since this one has none."""

    field: str
    label: str
    mine: str
    theirs: str
    other: bool


@require_http_methods(["GET", "POST"])
@follows_merged
def merge(request: MemberRequest, contact_id: int) -> HttpResponse:
    """Whom with (`q`), what is kept of both (`with`), and done."""
    contact = access_contact(request.workspace.id, contact_id)
    wanted = (request.POST if request.method == "POST" else request.GET).get("with", "")
    other = access_contact(request.workspace.id, _number(wanted)) if wanted else None
    if other is not None and other.id == contact_id:
        raise NotFound
    if request.method == "POST" and other is not None:
        chosen = _chosen(request, contact, other)
        do_merge_contacts(workspace_id=request.workspace.id, kept_id=contact_id, other_id=other.id, chosen=chosen)
        wake_sync()
        messages.success(request, _("The two contacts are one now."))
        return redirect("contact", contact_id)
    if other is not None:
        context = {"contact": contact, "other": other, "choices": list(_differences(contact, other))}
        return render(request, "contacts/merge.html", context)
    typed = typed_filter(request)
    page = contact_page(request.workspace.id, prefix=typed, after=place_after(request))
    context = {"contact": contact, "page": page, "after": as_text(page.after), "typed": typed}
    return render(request, "contacts/merge_rows.html" if request.htmx else "contacts/merge_with.html", context)


@require_http_methods(["GET", "POST"])
@follows_merged
def split(request: MemberRequest, contact_id: int) -> HttpResponse:
    """Which addresses go, and what the new contact is called."""
    contact = access_contact(request.workspace.id, contact_id)
    ticked = [one for one in contact.addresses if one in request.POST.getlist("address")]
    name = " ".join(request.POST.get("name", "").split())[:200]
    trouble = ""
    if request.method == "POST":
        if not ticked:
            trouble = _("Tick the addresses that go to the new contact.")
        elif len(ticked) == len(contact.addresses):
            trouble = _("Leave at least one address here, or change the name of this contact instead.")
        else:
            new_id = do_split_contact(
                workspace_id=request.workspace.id,
                contact_id=contact_id,
                addresses=ticked,
                name=name or name_from_address(ticked[0]),
            )
            wake_sync()
            messages.success(request, _("The new contact was made. You can undo it on the page of the old one."))
            return redirect("contact", new_id)
    context = {"contact": contact, "ticked": ticked, "name": name, "trouble": trouble}
    return render(request, "contacts/split.html", context, status=422 if trouble else 200)


@require_POST
def undo(request: MemberRequest, contact_id: int) -> HttpResponse:
    """Take the last merge or split back."""
    try:
        do_undo_contact(workspace_id=request.workspace.id, contact_id=contact_id, undo_id=_number(request.POST.get("undo", "")))
    except NothingToUndo:
        messages.error(request, _("This cannot be taken back any more: a contact was changed since, or 30 days have passed."))
    else:
        wake_sync()
        messages.success(request, _("Taken back. Everything is as it was."))
    return redirect("contact", contact_id)


def _differences(contact: ContactRecord, other: ContactRecord) -> Iterator[Choice]:
    for field, label in _LABELS.items():
        mine, theirs = getattr(contact, field), getattr(other, field)
        if mine != theirs:
            yield Choice(field, str(label), mine, theirs, other=not mine)


def _chosen(request: MemberRequest, contact: ContactRecord, other: ContactRecord) -> ContactFields:
    def of(field: str) -> ContactRecord:
        return other if request.POST.get(field) == _OTHER else contact

    note = of("note").note
    if request.POST.get("note") == "both":
        note = f"{contact.note}\n\n{other.note}"
    return ContactFields(of("name").name, (), of("title").title, of("phone").phone, note[:5000], of("company").company_id)


def _number(text: str) -> int:
    """Raises NotFound for what is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise NotFound
    return int(text)
