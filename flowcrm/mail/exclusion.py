"""One entry of an exclusion list: an address, or a domain with all that lies below it."""

import re
from dataclasses import dataclass
from enum import StrEnum

import idna

from flowcrm.mail.addresses import domain_of, is_domain, normalise
from flowcrm.mail.company_domains import is_free_mail

_NOT_IN_LOCAL = re.compile(r"[\s,;:<>\x00()\[\]\\]")
_MARKS_OF_A_DOMAIN = ("*@", "@", "*.")
# RFC 5321 section 4.5.3.1.3.
_LONGEST = 254


class ListedKind(StrEnum):
    ADDRESS = "address"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class ListEntry:
    """value: normalised; of a domain without any mark."""

    kind: ListedKind
    value: str

    def covers(self, address: str) -> bool:
        """Does it keep out mail with this (normalised) address?"""
        if self.kind is ListedKind.ADDRESS:
            return address == self.value
        domain = domain_of(address)
        return domain == self.value or domain.endswith(f".{self.value}")

    @property
    def shown(self) -> str:
        """As people write it: an international domain by its letters."""
        local, at, domain = self.value.rpartition("@")
        try:
            return f"{local}{at}{idna.decode(domain)}"
        except (idna.IDNAError, UnicodeError):
            return self.value

    @property
    def is_free_mail(self) -> bool:
        """A domain at which half the world has its private address."""
        return self.kind is ListedKind.DOMAIN and is_free_mail(self.value)


def read_entry(text: str) -> ListEntry | None:
    """What somebody typed: `carla@x.example`, `x.example`, `@x.example`, `*@x.example`, `*.x.example`; None for anything else.

    Case and the spelling of international domains are forgiven. A domain has two parts at least: nobody means all of "com".
    """
    typed = text.strip().strip("<>").strip()
    domain = _without_mark(typed)
    local, at, host = normalise(domain if domain is not None else typed).rpartition("@")
    if domain is not None or not at:
        host = normalise(f"x@{domain if domain is not None else typed}").rpartition("@")[2]
        return ListEntry(ListedKind.DOMAIN, host) if is_domain(host) and "@" not in (domain or typed) else None
    if not local or _NOT_IN_LOCAL.search(local) or "@" in local or "*" in local or not is_domain(host):
        return None
    address = f"{local}@{host}"
    return ListEntry(ListedKind.ADDRESS, address) if len(address.encode()) <= _LONGEST else None


def _without_mark(typed: str) -> str | None:
    """What follows the mark of a domain; None where there is none."""
    mark = next((one for one in _MARKS_OF_A_DOMAIN if typed.startswith(one)), None)
    return None if mark is None else typed.removeprefix(mark)
