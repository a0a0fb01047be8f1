"""Who stands in a mail, from its header fields alone, or as ingest has found them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from flowcrm.mail.addresses import domain_of, domains_above, normalise, parse
from flowcrm.mail.prepared import Prepared
from flowcrm.vault.seal import WorkspaceVault

_LOOKS_LIKE = re.compile(r"[^\s<>,;:\"()\[\]]+@[^\s<>,;:\"()\[\]]+")
FIELDS = frozenset({"from", "sender", "to", "cc", "bcc", "reply-to"})


@dataclass(frozen=True, slots=True)
class People:
    """Look-up hashes of everybody's address, and of their domains with those above them."""

    addresses: frozenset[bytes] = frozenset()
    domains: frozenset[bytes] = frozenset()


def header_hashes(vault: WorkspaceVault, fields: Iterable[tuple[str, str]]) -> People:
    """Everybody in the address headers, rather too many than too few.

    Providers give these values decoded: a comma or a bracket out of an encoded name can then hide an address. So whatever looks
    like one counts too; a mail that is fetched for it in vain is decided again on its own bytes.
    """
    values = [value for name, value in fields if name.lower() in FIELDS]
    parsed = {address.email for value in values for address in parse(value.encode("utf-8", "replace"))}
    looks = {found for value in values for found in _LOOKS_LIKE.findall(value)}
    people = {normalise(address) for address in parsed | looks}
    domains = {one for domain in map(domain_of, people) for one in (domain, *domains_above(domain))}
    return People(
        frozenset(vault.lookup("address", one) for one in people), frozenset(vault.lookup("domain", one) for one in domains)
    )


def prepared_hashes(prepared: Prepared) -> People:
    """The same of a mail that was read whole."""
    return People(frozenset(person.h_address for person in prepared.people), prepared.h_domains)
