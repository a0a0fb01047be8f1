"""Emails: the list of threads, a contact's and a company's tab, a thread, and one email's text."""

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Protocol

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from flowcrm.mail.types import Role
from flowcrm.pages.contacts.merged import follows_merged
from flowcrm.pages.emails import people
from flowcrm.pages.emails.bodies import body
from flowcrm.pages.emails.empty import Empty, why_empty
from flowcrm.pages.emails.lists import asked, came_newer, lines, who_looks
from flowcrm.pages.emails.search import search_page
from flowcrm.pages.emails.threads import thread
from flowcrm.pages.emails.unknown import named
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.lists import typed_filter
from flowcrm.pages.notes import note
from flowcrm.store.access import Actor, access_conversation
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.bin import count_bin
from flowcrm.store.queries.companies import access_company, companies_of
from flowcrm.store.queries.contacts import access_contact
from flowcrm.store.queries.mailboxes import own_mailboxes
from flowcrm.store.queries.one_email import conversation_of, shown_copy
from flowcrm.store.queries.threads import (
    PAGE_SIZE,
    THREAD_SIZE,
    Only,
    Place,
    ThreadPage,
    threads_of_company,
    threads_of_contact,
    threads_of_mine,
)
from flowcrm.store.reveal import reveal_heads
from flowcrm.store.vaults import vault
from flowcrm.store.writes.contacts import AddressInvalid, AddressTaken, ContactFields, check_addresses, do_create_contact
from flowcrm.store.writes.private import do_mark_email, do_mark_thread


@require_GET
def home(_request: MemberRequest) -> HttpResponse:
    """Where a member begins."""
    return redirect("emails")


@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """Every thread of which the member may know, newest first. Where colleagues share theirs, his own come first."""
    looking = who_looks(request)
    context: dict[str, object] = {"in_bin": count_bin(looking)} if not request.htmx else {}
    if typed := typed_filter(request).strip():
        context |= search_page(request, looking, typed)
        return render(request, "emails/found.html" if request.htmx else "emails/list.html", context)
    usual = Only.MINE if looking.own and looking.shared else Only.ALL
    return _list(request, looking, threads_of_mine, Shown("emails", "emails/list.html", usual), context, Empty())


@require_GET
@follows_merged
def of_contact(request: MemberRequest, contact_id: int) -> HttpResponse:
    """A contact's tab Emails (K28)."""
    contact = access_contact(request.workspace.id, contact_id)
    find = partial(threads_of_contact, contact_id=contact_id)
    about = Empty(contact=contact_id, name=contact.name, has_address=bool(contact.addresses))
    return _list(request, who_looks(request), find, Shown("contact", "contacts/emails.html"), {"contact": contact}, about)


@require_GET
def of_company(request: MemberRequest, company_id: int) -> HttpResponse:
    """A company's tab Emails: of all its contacts."""
    company = access_company(request.workspace.id, company_id)
    find = partial(threads_of_company, company_id=company_id)
    shown = Shown("company", "companies/emails.html")
    return _list(request, who_looks(request), find, shown, {"company": company}, Empty(company=company_id, name=company.name))


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
def mark_thread(request: MemberRequest, conversation_id: int) -> HttpResponse:
    """Private, or no longer: for the whole thread and what comes later in it. Only somebody who has one of its emails may."""
    looking = who_looks(request)
    known_as, private = access_conversation(looking.narrowed(None), conversation_id), "private" in request.POST
    do_mark_thread(workspace_id=looking.workspace_id, member_id=request.member.id, conversation_id=known_as, private=private)
    note(request, "private" if private else "not_private", [known_as], surface="thread")
    if private:
        messages.success(request, _("This thread is private now, and so is what comes later in it."))
    else:
        messages.success(request, _("Your mark is off. Colleagues see of this thread what the level of each mailbox says."))
    return redirect("thread", known_as)


@require_POST
def mark_email(request: MemberRequest, message_id: int) -> HttpResponse:
    """Private, or no longer: for one email."""
    looking, private = who_looks(request), "private" in request.POST
    marked = do_mark_email(workspace_id=looking.workspace_id, mailboxes=looking.own, message_id=message_id, private=private)
    if not marked:
        raise NotFound
    thread_id = conversation_of(looking.workspace_id, message_id)
    note(request, "private" if private else "not_private", [thread_id], surface="thread")
    messages.success(
        request, _("This email is private now.") if private else _("Your mark is off. The level of each mailbox counts again.")
    )
    return redirect(f"{reverse('thread', args=[thread_id])}?open={message_id}")


@require_POST
def add_contact(request: MemberRequest, message_id: int) -> HttpResponse:
    """Make a contact of an email's sender, or of whoever else it names (`address`), and go there to complete it."""
    looking = who_looks(request)
    heads = reveal_heads(looking, [shown_copy(looking, message_id)], "add_contact")
    head, wanted = next(iter(heads.values()), None), request.POST.get("address", "")
    found = head and (named(head, wanted) if wanted else next(iter(head.of(Role.FROM)), None))
    if not found:
        raise NotFound
    try:
        addresses = check_addresses(workspace_id=request.workspace.id, addresses=[found.email])
    except AddressTaken as taken:
        return redirect("contact", taken.contact_id)
    except AddressInvalid as invalid:
        messages.error(request, _("%(address)s is not an address that can be written to.") % {"address": invalid.address})
        return redirect("emails")
    company = companies_of(request.workspace.id, addresses).get(addresses[0])
    fields = ContactFields(people.full(found)[:200], addresses, company_id=company.id if company else None)
    contact_id = do_create_contact(workspace_id=request.workspace.id, fields=fields)
    messages.success(request, _("Contact added. Complete it, if you like."))
    return redirect(f"{reverse('contact_change', args=[contact_id])}?new")


@dataclass(frozen=True, slots=True)
class Shown:
    """Where a list stands. surface: for the audit record; page: its template; usual: what it shows where nothing is asked."""

    surface: str
    page: str
    usual: Only = Only.ALL


class _Find(Protocol):
    def __call__(self, looking: Actor, *, only: Only, after: Place | None = None, size: int = PAGE_SIZE) -> ThreadPage: ...


def _list(
    request: MemberRequest, looking: Actor, find: _Find, shown: Shown, context: dict[str, object], about: Empty
) -> HttpResponse:
    only, after = asked(request, shown.usual)
    if request.htmx and "newer" in request.GET:
        return _newer(request, find(looking, only=only, size=1), only)
    found = lines(request, looking, find(looking, only=only, after=after), only, shown.surface)
    context |= {"list": found, "most": THREAD_SIZE, "mark_unknown": shown.surface == "emails"}
    if request.htmx and "after" in request.GET:
        return render(request, "emails/rows.html", context)
    if not found.lines:
        context["empty"] = why_empty(request, looking, about)
    if request.htmx and "q" in request.GET:  # what was searched for is taken out again
        return render(request, "emails/threads.html", context)
    return render(request, shown.page, context)


def _newer(request: MemberRequest, page: ThreadPage, only: Only) -> HttpResponse:
    """The line that says so; 204 where nothing newer came in, and the page will ask again. Nothing is opened."""
    if not came_newer(request, page):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return render(request, "emails/newer.html", {"only": only})


def _number(request: MemberRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
