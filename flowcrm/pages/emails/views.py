"""Emails: the list of threads, a contact's and a company's tab, a thread, and one email's text."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from flowcrm.mail.types import Role
from flowcrm.pages.emails import people
from flowcrm.pages.emails.bodies import body
from flowcrm.pages.emails.empty import Empty, why_empty
from flowcrm.pages.emails.lists import Lines, asked, lines, who_looks
from flowcrm.pages.emails.threads import thread
from flowcrm.pages.http import MemberRequest
from flowcrm.store.access import Actor, access_conversation
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.companies import access_company
from flowcrm.store.queries.contacts import access_contact
from flowcrm.store.queries.mailboxes import own_mailboxes
from flowcrm.store.queries.threads import (
    THREAD_SIZE,
    shown_copy,
    threads_of_company,
    threads_of_contact,
    threads_of_mine,
)
from flowcrm.store.reveal import reveal_heads
from flowcrm.store.vaults import vault
from flowcrm.store.writes.contacts import AddressInvalid, AddressTaken, ContactFields, check_addresses, do_create_contact


@require_GET
def home(_request: MemberRequest) -> HttpResponse:
    """Where a member begins."""
    return redirect("emails")


@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """Every thread that the member may read, newest first."""
    looking, (only, after) = who_looks(request), asked(request)
    found = lines(request, looking, threads_of_mine(looking, only=only, after=after), only, "emails")
    return _list(request, looking, "emails/list.html", found, {}, Empty())


@require_GET
def of_contact(request: MemberRequest, contact_id: int) -> HttpResponse:
    """A contact's tab Emails (K28)."""
    contact = access_contact(request.workspace.id, contact_id)
    looking, (only, after) = who_looks(request), asked(request)
    found = lines(request, looking, threads_of_contact(looking, contact_id, only=only, after=after), only, "contact")
    about = Empty(contact=contact_id, has_address=bool(contact.addresses))
    return _list(request, looking, "contacts/emails.html", found, {"contact": contact}, about)


@require_GET
def of_company(request: MemberRequest, company_id: int) -> HttpResponse:
    """A company's tab Emails: of all its contacts."""
    company = access_company(request.workspace.id, company_id)
    looking, (only, after) = who_looks(request), asked(request)
    found = lines(request, looking, threads_of_company(looking, company_id, only=only, after=after), only, "company")
    return _list(request, looking, "companies/emails.html", found, {"company": company}, Empty(company=company_id))


@require_GET
def one_thread(request: MemberRequest, conversation_id: int) -> HttpResponse:
    """A thread: on its own page, opened under its line (htmx), or more of its beginning (`before`)."""
    looking = who_looks(request)
    known_as = access_conversation(looking, conversation_id)
    if known_as != conversation_id and not request.htmx:
        return redirect("thread", known_as)
    before = _number(request, "before")
    shown = thread(request, looking, known_as, before=before, opened=_number(request, "open"))
    template = "emails/thread_page.html"
    if request.htmx:
        template = "emails/folds.html" if before else "emails/thread_inside.html"
    return render(request, template, {"thread": shown})


@require_GET
def one_email(request: MemberRequest, message_id: int) -> HttpResponse:
    """The inside of one email, put into its fold."""
    looking = who_looks(request)
    own = own_mailboxes(vault(looking.workspace_id), request.member.id)
    return render(request, "emails/body.html", {"body": body(looking, message_id, own)})


@require_POST
def add_contact(request: MemberRequest, message_id: int) -> HttpResponse:
    """Make a contact of an email's sender, and go there to complete it."""
    looking = who_looks(request)
    heads = reveal_heads(looking, [shown_copy(looking, message_id)], "add_contact")
    senders = next(iter(heads.values())).of(Role.FROM) if heads else ()
    if not senders:
        raise NotFound
    try:
        addresses = check_addresses(workspace_id=request.workspace.id, addresses=[senders[0].email])
    except AddressTaken as taken:
        return redirect("contact", taken.contact_id)
    except AddressInvalid as invalid:
        messages.error(request, _("%(address)s is not an address that can be written to.") % {"address": invalid.address})
        return redirect("emails")
    contact_id = do_create_contact(
        workspace_id=request.workspace.id, fields=ContactFields(people.full(senders[0])[:200], addresses)
    )
    messages.success(request, _("Contact added. Complete it, if you like."))
    return redirect("contact_change", contact_id)


def _list(
    request: MemberRequest, looking: Actor, page: str, found: Lines, context: dict[str, object], about: Empty
) -> HttpResponse:
    context |= {"list": found, "most": THREAD_SIZE}
    if request.htmx and "after" in request.GET:
        return render(request, "emails/rows.html", context)
    if not found.lines:
        context["empty"] = why_empty(request, looking, about)
    return render(request, page, context)


def _number(request: MemberRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
