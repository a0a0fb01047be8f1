"""Changes to companies. A name and a domain belong to one company only. Every function runs inside a workspace scope."""

import re
from collections.abc import Iterable, Sequence

from flowcrm.lib import clock
from flowcrm.mail.addresses import domain_of, normalise
from flowcrm.mail.company_domains import is_free_mail, registrable
from flowcrm.store.db import next_id, next_ids, row, rows, run
from flowcrm.store.errors import UserError
from flowcrm.store.queries.companies import find_companies, find_company
from flowcrm.store.sorting import sort_key

# RFC 1035 section 2.3.1, letters as IDNA writes them, and at least two labels: "localhost" is nobody's company.
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


class NameTaken(UserError):
    """There is a company of that name."""

    def __init__(self, name: str, company_id: int) -> None:
        super().__init__("the name belongs to another company")
        self.name = name
        self.company_id = company_id


class DomainInvalid(UserError):
    """That is not a domain."""

    def __init__(self, domain: str) -> None:
        super().__init__("not a domain")
        self.domain = domain


class DomainOfEverybody(UserError):
    """Private addresses of people everywhere end in it: it tells nothing of a company."""

    def __init__(self, domain: str) -> None:
        super().__init__("a domain of free mail")
        self.domain = domain


class DomainTaken(UserError):
    """The domain is another company's."""

    def __init__(self, domain: str, company_id: int, company_name: str) -> None:
        super().__init__("the domain belongs to another company")
        self.domain = domain
        self.company_id = company_id
        self.company_name = company_name


def check_company_name(*, workspace_id: int, name: str, company_id: int | None = None) -> str:
    """The name without needless blanks. Raises NameTaken. Holds the account's row, like check_domains."""
    _hold(workspace_id)
    found = find_company(workspace_id, name)
    if found is not None and found != company_id:
        raise NameTaken(name, found)
    return " ".join(name.split())


def check_domains(*, workspace_id: int, domains: Iterable[str], company_id: int | None = None) -> tuple[str, ...]:
    """The domains in normal form, each once. Raises DomainInvalid, DomainOfEverybody or DomainTaken.

    Holds the account's row until the transaction ends, so that no one else can take a domain between check and write.
    """
    wanted = tuple(dict.fromkeys(_normal(domain) for domain in domains))
    _hold(workspace_id)
    owners = rows(
        """SELECT d.domain, o.id, o.name
           FROM company_domain d JOIN company o ON o.workspace_id = d.workspace_id AND o.id = d.company_id
           WHERE d.workspace_id = %s AND d.domain = ANY(%s) ORDER BY d.domain""",
        [workspace_id, list(wanted)],
    )
    for domain, owner_id, owner in owners:
        if owner_id != company_id:
            raise DomainTaken(domain, owner_id, owner)
    return wanted


def do_create_company(*, workspace_id: int, name: str, domains: Sequence[str] = ()) -> int:
    """A new company; returns its id."""
    company_id = next_id()
    run(
        "INSERT INTO company (workspace_id, id, name, sort_key, created_at) VALUES (%s, %s, %s, %s, %s)",
        [workspace_id, company_id, name, sort_key(name), clock.now()],
    )
    _insert_domains(workspace_id, company_id, domains)
    return company_id


def do_change_company(*, workspace_id: int, company_id: int, name: str, domains: Sequence[str]) -> None:
    """Replace what is known of a company."""
    run(
        "UPDATE company SET name = %s, sort_key = %s WHERE workspace_id = %s AND id = %s",
        [name, sort_key(name), workspace_id, company_id],
    )
    run("DELETE FROM company_domain WHERE workspace_id = %s AND company_id = %s", [workspace_id, company_id])
    _insert_domains(workspace_id, company_id, domains)


def do_name_company(*, workspace_id: int, name: str, domain: str = "") -> int | None:
    """The company that a contact's form names: the one there is, else a new one; None for an empty name.

    domain: what a new one gets, unless another company has it.
    """
    wanted = " ".join(name.split())
    if not wanted:
        return None
    _hold(workspace_id)
    found = find_company(workspace_id, wanted)
    if found is not None:
        return found
    taken = row("SELECT 1 FROM company_domain WHERE workspace_id = %s AND domain = %s", [workspace_id, domain])
    return do_create_company(workspace_id=workspace_id, name=wanted, domains=(domain,) if domain and not taken else ())


def do_name_companies(*, workspace_id: int, names: Iterable[str]) -> dict[str, int]:
    """The same for many names: name, as it was given -> company. What differs only in case, accents and blanks is one."""
    keys = {name: sort_key(name) for name in names if name.split()}
    if not keys:
        return {}
    _hold(workspace_id)
    found = find_companies(workspace_id, set(keys.values()))
    new: dict[str, str] = {}
    for name, key in keys.items():
        if key not in found:
            new.setdefault(key, " ".join(name.split()))
    ids = dict(zip(new, next_ids(len(new)), strict=True))
    run(
        """INSERT INTO company (workspace_id, id, name, sort_key, created_at)
           SELECT %s, c.id, c.name, c.sort_key, %s
           FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS c (id, name, sort_key)""",
        [workspace_id, clock.now(), list(ids.values()), list(new.values()), list(new)],
    )
    known = found | ids
    return {name: known[key] for name, key in keys.items()}


def _hold(workspace_id: int) -> None:
    row("SELECT 1 FROM workspace WHERE id = %s FOR NO KEY UPDATE", [workspace_id])


def _insert_domains(workspace_id: int, company_id: int, domains: Sequence[str]) -> None:
    run(
        """INSERT INTO company_domain (workspace_id, id, company_id, domain)
           SELECT %s, d.id, %s, d.domain FROM unnest(%s::bigint[], %s::text[]) AS d (id, domain)""",
        [workspace_id, company_id, next_ids(len(domains)), list(domains)],
    )


def _normal(domain: str) -> str:
    """The domain in ASCII and lower case; people paste addresses of websites and "@acme.example" too."""
    bare = domain.strip().lower().split("://")[-1].split("/")[0].rpartition("@")[2].removeprefix("www.").rstrip(".")
    normal = domain_of(normalise(f"x@{bare}"))
    if not _DOMAIN.fullmatch(normal) or not registrable(normal):
        raise DomainInvalid(domain.strip())
    if is_free_mail(normal):
        raise DomainOfEverybody(normal)
    return normal
