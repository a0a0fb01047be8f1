"""People whom a member has written to and who are no contacts yet: suggested on Contacts, added or passed over."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from flowcrm.mail.company_domains import company_domains
from flowcrm.mail.types import Address
from flowcrm.pages import undo
from flowcrm.pages.contacts.made import say_made
from flowcrm.pages.emails.lists import who_looks
from flowcrm.pages.http import MemberRequest
from flowcrm.rules.persons import name_from_address, name_of, why_no_person
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.exclusions import kept_out_people, own_addresses
from flowcrm.store.queries.passed_over import is_decided
from flowcrm.store.reveal import MOST_WRITTEN_TO, WrittenTo, reveal_written_to
from flowcrm.store.vaults import vault
from flowcrm.store.writes.made import NewPerson, do_make_contacts
from flowcrm.store.writes.passed_over import do_pass_over, do_suggest_again

# What somebody who was passed over is remembered under, for Undo.
PASSED_OVER = "passed_over"
# Shown at once. Whoever has looked through these sees the next ones.
MOST = 25
_HASH_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Line:
    """One person. key: what the form sends."""

    person: WrittenTo
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Suggestions:
    """people: how many there are. more: there may be others. open: he has just decided about one, and goes on."""

    lines: tuple[Line, ...]
    people: int
    more: bool
    open: bool


def suggestions(request: MemberRequest) -> Suggestions:
    """Those to whom he wrote most often first."""
    found = reveal_written_to(who_looks(request))
    lines = _lines(request, found)
    more = len(found) == MOST_WRITTEN_TO
    return Suggestions(lines[:MOST], len(lines), more, open="suggested" in request.GET)


@require_POST
def decide(request: MemberRequest) -> HttpResponse:
    """Add one, or not this one; both can be undone."""
    line = _access_suggested(request, request.POST.get("person", ""))
    if line is None:
        messages.info(request, _("Already decided."))
    elif request.POST.get("do") == "add":
        made = do_make_contacts(workspace_id=request.workspace.id, people=[NewPerson(line.name, line.person.email)])
        say_made(request, made)
    else:
        keys = vault(request.workspace.id)
        do_pass_over(keys, member_id=request.member.id, h_address=line.person.h_address)
        undo.remember(request, request.member.id, {PASSED_OVER: line.key})
        messages.info(request, _("%(name)s is not suggested to you any more.") % {"name": line.name}, undo.UNDO)
    return _back()


def suggest_again(request: MemberRequest, key: str) -> HttpResponse:
    """Undo: whom he passed over is suggested again."""
    do_suggest_again(vault(request.workspace.id), member_id=request.member.id, h_address=bytes.fromhex(key))
    messages.success(request, _("Suggested again."))
    return _back()


def _access_suggested(request: MemberRequest, key: str) -> Line | None:
    """One of those who are suggested to this member now; None where that is over, as after a double click. Raises NotFound."""
    if len(key) != _HASH_DIGITS or not set(key) <= set("0123456789abcdef"):
        raise NotFound
    h_address = bytes.fromhex(key)
    lines = _lines(request, reveal_written_to(who_looks(request), only=h_address))
    if lines:
        return lines[0]
    if is_decided(vault(request.workspace.id), member_id=request.member.id, h_address=h_address):
        return None
    raise NotFound


def _lines(request: MemberRequest, found: tuple[WrittenTo, ...]) -> tuple[Line, ...]:
    """Without machines, lists and desks, whom the members' own companies employ, and whose mail is kept out."""
    if not found:
        return ()
    keys = vault(request.workspace.id)
    ours = {domain for email in own_addresses(keys) for domain in company_domains(email)[-1:]}
    people = [
        one
        for one in found
        if why_no_person(one.email, lambda _email: False) is None and ours.isdisjoint(company_domains(one.email)[-1:])
    ]
    out = kept_out_people(keys, request.member.id, [one.email for one in people])
    return tuple(_line(one) for one in people if one.email not in out)


def _line(person: WrittenTo) -> Line:
    name = name_of(Address(person.name, person.email)) or name_from_address(person.email)
    return Line(person, person.h_address.hex(), name)


def _back() -> HttpResponse:
    return redirect(f"{reverse('contacts')}?suggested#suggested")
