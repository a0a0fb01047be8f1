"""Companies as lists and records show them. Every function runs inside a workspace scope."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flowcrm.mail.company_domains import company_domains
from flowcrm.store.db import row, rows
from flowcrm.store.errors import NotFound
from flowcrm.store.sorting import Place, sort_key

PAGE_SIZE = 50
# How many names a form suggests while somebody types.
SUGGESTIONS = 8


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """One line of a list. contacts: how many belong to it."""

    id: int
    name: str
    domains: tuple[str, ...]
    contacts: int


@dataclass(frozen=True, slots=True)
class CompanyPage:
    """after: where the next page begins, None on the last one."""

    companies: tuple[CompanyRow, ...]
    after: Place | None


@dataclass(frozen=True, slots=True)
class CompanyRecord:
    id: int
    name: str
    domains: tuple[str, ...]
    contacts: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CompanyOfDomain:
    """A company, found by one of its domains."""

    id: int
    name: str
    domain: str


_DOMAINS = """ARRAY(SELECT d.domain FROM company_domain d
                    WHERE d.workspace_id = o.workspace_id AND d.company_id = o.id ORDER BY d.id)"""
_CONTACTS = "(SELECT count(*) FROM contact c WHERE c.workspace_id = o.workspace_id AND c.company_id = o.id)"


def company_page(workspace_id: int, *, prefix: str = "", after: Place | None = None, size: int = PAGE_SIZE) -> CompanyPage:
    """A page of companies by name. prefix: what a word of the name, or a domain, begins with."""
    found = rows(
        f"""SELECT o.id, o.name, {_DOMAINS}, {_CONTACTS}, o.sort_key
            FROM company o
            WHERE o.workspace_id = %(workspace)s
              AND (o.sort_key, o.id) > (%(sort_key)s, %(id)s)
              AND (%(word)s = '' OR strpos(' ' || o.sort_key, ' ' || %(word)s) > 0 OR o.id IN (
                    SELECT d.company_id FROM company_domain d
                    WHERE d.workspace_id = %(workspace)s AND starts_with(d.domain, %(domain)s)))
            ORDER BY o.sort_key, o.id
            LIMIT %(limit)s""",
        {
            "workspace": workspace_id,
            "sort_key": after.sort_key if after else "",
            "id": after.id if after else 0,
            "word": sort_key(prefix),
            "domain": prefix.strip().lower(),
            "limit": size + 1,
        },
    )
    companies = tuple(CompanyRow(one[0], one[1], tuple(one[2]), one[3]) for one in found[:size])
    more = len(found) > size
    return CompanyPage(companies, Place(found[size - 1][4], found[size - 1][0]) if more else None)


def access_company(workspace_id: int, company_id: int) -> CompanyRecord:
    """One company; raises NotFound."""
    found = row(
        f"SELECT o.id, o.name, {_DOMAINS}, {_CONTACTS}, o.created_at FROM company o WHERE o.workspace_id = %s AND o.id = %s",
        [workspace_id, company_id],
    )
    if found is None:
        raise NotFound
    return CompanyRecord(found[0], found[1], tuple(found[2]), found[3], found[4])


def find_company(workspace_id: int, name: str) -> int | None:
    """The company of that name, whatever its case and accents."""
    return find_companies(workspace_id, [sort_key(name)]).get(sort_key(name))


def find_companies(workspace_id: int, sort_keys: Iterable[str]) -> dict[str, int]:
    """The companies that are ordered by these: sort key -> id."""
    found = rows(
        "SELECT sort_key, min(id) FROM company WHERE workspace_id = %s AND sort_key = ANY(%s::text[]) GROUP BY sort_key",
        [workspace_id, list(sort_keys)],
    )
    return dict(found)


def company_names(workspace_id: int, prefix: str) -> tuple[str, ...]:
    """A few names of which a word begins like that, for a form's suggestions."""
    return tuple(company.name for company in company_page(workspace_id, prefix=prefix, size=SUGGESTIONS).companies)


def companies_of(workspace_id: int, emails: Iterable[str]) -> Mapping[str, CompanyOfDomain]:
    """By (normalised) address: the company whose domain it has, or is below; of two the nearer one. Free mail has none."""
    wanted = {email: company_domains(email) for email in emails}
    domains = {one for some in wanted.values() for one in some}
    found = domains and rows(
        """SELECT o.id, o.name, d.domain FROM company_domain d
           JOIN company o ON o.workspace_id = d.workspace_id AND o.id = d.company_id
           WHERE d.workspace_id = %s AND d.domain = ANY(%s::text[])""",
        [workspace_id, sorted(domains)],
    )
    known = {domain: CompanyOfDomain(company_id, name, domain) for company_id, name, domain in found or ()}
    nearest = {email: next((known[one] for one in some if one in known), None) for email, some in wanted.items()}
    return {email: company for email, company in nearest.items() if company}
