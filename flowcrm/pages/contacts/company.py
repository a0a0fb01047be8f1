"""The company that a contact's form suggests, by the domain of the address: filled in, to be seen and cleared."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from flowcrm.mail.addresses import normalise
from flowcrm.mail.company_domains import company_domains, name_from_domain
from flowcrm.pages.http import MemberRequest
from flowcrm.store.queries.companies import companies_of, find_company
from flowcrm.store.queries.contacts import ContactRecord

# Hidden fields of the form: the domain of the company that was suggested, and the name that was filled in for it.
SEEN, FILLED = "company_domain", "company_filled"
# Of somebody's addresses these tell the company; nobody types more.
_LOOKED_AT = 20


class Found(StrEnum):
    """How: it has the domain; it bears the domain's name; it is not there yet."""

    DOMAIN = "domain"
    NAME = "name"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """company_id: of one that has the domain, else None. domain: the one that was found, or would be the new company's."""

    kind: Found
    name: str
    domain: str
    company_id: int | None = None


@dataclass(frozen=True, slots=True)
class Hint:
    """What the form shows below its company. was: what stood in the field; filled, seen: what was filled in last by us, and for
    which domain. fills: whether the field takes the suggestion now; whoever has typed or cleared it keeps what he has."""

    suggestion: Suggestion | None
    was: str = ""
    filled: str = ""
    seen: str = ""
    fills: bool = False

    @property
    def value(self) -> str:
        """What will have been filled in."""
        return (self.suggestion.name if self.suggestion else "") if self.fills else self.filled

    @property
    def told(self) -> bool:
        """Whether it is said: only where there is something in the field to speak of."""
        return bool(self.suggestion and (self.fills or self.was))

    @property
    def domain(self) -> str:
        """For which domain a suggestion was seen."""
        return self.suggestion.domain if self.suggestion and self.told else self.seen


def suggested(workspace_id: int, addresses: Iterable[str]) -> Suggestion | None:
    """The company of the first of these addresses that tells one; rather one that is there than a new one."""
    emails = [normalise(one) for one in addresses]
    known = companies_of(workspace_id, emails)
    found = next((known[email] for email in emails if email in known), None)
    if found:
        return Suggestion(Found.DOMAIN, found.name, found.domain, found.id)
    domain = next((some[-1] for some in map(company_domains, emails) if some), "")
    name = name_from_domain(domain) if domain else ""
    if not name:
        return None
    return Suggestion(Found.NEW if find_company(workspace_id, name) is None else Found.NAME, name, domain)


def hint(request: MemberRequest, *, fills: bool = False) -> Hint:
    """For the form as it was posted. fills: its field takes the suggestion, if nobody has typed in it, nor cleared it."""
    found = suggested(request.workspace.id, request.POST.getlist("addresses")[:_LOOKED_AT])
    was, filled = request.POST.get("company", "").strip(), request.POST.get(FILLED, "")
    return Hint(found, was, filled, request.POST.get(SEEN, ""), fills=fills and was == filled)


def first_hint(workspace_id: int, contact: ContactRecord) -> Hint:
    """For the form of a contact that was just made."""
    found = None if contact.company_id else suggested(workspace_id, contact.addresses)
    return Hint(found, fills=found is not None)
