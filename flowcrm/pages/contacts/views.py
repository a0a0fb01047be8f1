"""Contacts: list, record, create, change, delete and bring back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowcrm.lib import clock
from flowcrm.pages import undo
from flowcrm.pages.contact_files.importing import IMPORTED, unmake_import
from flowcrm.pages.contacts.company import first_hint, hint
from flowcrm.pages.contacts.forms import ContactForm, initial
from flowcrm.pages.contacts.leaving import leaving
from flowcrm.pages.contacts.made import MADE, say_unmade, unmake
from flowcrm.pages.contacts.merged import follows_merged
from flowcrm.pages.contacts.remove import let_in_again
from flowcrm.pages.contacts.suggested import PASSED_OVER, suggest_again, suggestions
from flowcrm.pages.forms import checked
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.lists import as_text, place_after, typed_filter
from flowcrm.store.queries.contacts import ContactRecord, access_contact, contact_page, last_undo
from flowcrm.store.writes.contacts import (
    DeletedContact,
    do_change_contact,
    do_create_contact,
    do_delete_contact,
    do_restore_contact,
)
from flowcrm.store.writes.merging import UNDO_FOR


@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """All contacts by name, or those of whom a word or an address begins like the filter."""
    typed = typed_filter(request)
    page = contact_page(request.workspace.id, prefix=typed, after=place_after(request))
    context = {"page": page, "after": as_text(page.after), "typed": typed}
    if request.htmx:
        return render(request, "contacts/rows.html", context)
    if not typed:
        context["suggested"] = suggestions(request)
    return render(request, "contacts/list.html", context)


@require_GET
@follows_merged
def record(request: MemberRequest, contact_id: int) -> HttpResponse:
    """Tab Overview."""
    contact = access_contact(request.workspace.id, contact_id)
    undoable = last_undo(request.workspace.id, contact_id, since=clock.now() - UNDO_FOR)
    return render(request, "contacts/overview.html", {"contact": contact, "undoable": undoable})


@require_http_methods(["GET", "POST"])
def create(request: MemberRequest) -> HttpResponse:
    form = ContactForm(request.POST or None, workspace_id=request.workspace.id, check_url=request.path)
    if "check" in request.POST:
        return _checked(request, form)
    if form.is_valid():
        contact_id = do_create_contact(workspace_id=request.workspace.id, fields=form.fields_to_store())
        messages.success(request, _("Contact saved."))
        return redirect("contact", contact_id)
    return render(request, "contacts/form.html", {"form": form, "hint": hint(request)})


@require_http_methods(["GET", "POST"])
@follows_merged
def change(request: MemberRequest, contact_id: int) -> HttpResponse:
    contact = access_contact(request.workspace.id, contact_id)
    # To whom has just been added out of an email, a company is suggested at once.
    just_made = request.method == "GET" and "new" in request.GET
    found = first_hint(request.workspace.id, contact) if just_made else hint(request)
    form = ContactForm(
        request.POST or None,
        initial={**initial(contact), "company": contact.company or found.value},
        workspace_id=request.workspace.id,
        contact_id=contact_id,
        check_url=request.path,
    )
    if "check" in request.POST:
        return _checked(request, form, contact)
    if form.is_valid():
        do_change_contact(workspace_id=request.workspace.id, contact_id=contact_id, fields=form.fields_to_store())
        messages.success(request, _("Contact saved."))
        return redirect("contact", contact_id)
    return render(request, "contacts/form.html", {"form": form, "contact": contact, "hint": found})


@require_POST
def delete(request: MemberRequest, contact_id: int) -> HttpResponse:
    """Delete at once, and offer to take it back."""
    deleted = do_delete_contact(workspace_id=request.workspace.id, contact_id=contact_id)
    undo.remember(request, contact_id, deleted.as_json())
    messages.info(request, _("%(name)s was deleted. Emails stay where they are.") % {"name": deleted.fields.name}, undo.UNDO)
    return redirect("contacts")


@require_POST
def restore(request: MemberRequest) -> HttpResponse:
    """Undo: bring back what this person deleted last, take back the contacts that he made by ticks, out of suggestions or of
    a file, or suggest again whom he passed over."""
    kept = undo.take_back(request)
    if kept is None:
        messages.error(request, _("There is nothing left to bring back: undo works for an hour, for the last deletion."))
        return redirect("contacts")
    if MADE in kept:
        return unmake(request, kept[MADE])
    if IMPORTED in kept:
        return say_unmade(request, *unmake_import(request, kept[IMPORTED]))
    if PASSED_OVER in kept:
        return suggest_again(request, kept[PASSED_OVER])
    deleted = DeletedContact.from_json(kept)
    taken = do_restore_contact(workspace_id=request.workspace.id, deleted=deleted)
    let_in_again(request, kept)
    messages.success(request, _("%(name)s is back.") % {"name": deleted.fields.name})
    if taken:
        sentence = ngettext(
            "%(addresses)s now belongs to another contact and was left there.",
            "%(addresses)s now belong to other contacts and were left there.",
            len(taken),
        )
        messages.warning(request, sentence % {"addresses": ", ".join(taken)})
    return redirect("contact", deleted.id)


def _checked(request: MemberRequest, form: ContactForm, contact: ContactRecord | None = None) -> HttpResponse:
    """The errors of the field that was left. With addresses the company that they tell comes along, and what becomes of the
    emails of those that are gone."""
    if request.POST["check"] != "addresses":
        return checked(request, form)
    errors, gone = form["addresses"].errors, leaving(request, contact) if contact else None
    context = {"errors": errors, "hint": hint(request, fills=True), "leaving": gone}
    return render(request, "contacts/checked_addresses.html", context)
