"""Who stands in the mail, as look-up hashes."""

from flowcrm.ingest.draft import Draft
from flowcrm.mail.addresses import domain_of, domains_above
from flowcrm.mail.prepared import PreparedPerson
from flowcrm.mail.types import Role


def find_people(draft: Draft) -> tuple[PreparedPerson, ...]:
    """Everybody with an address, once for each role, in the order of the headers."""
    vault = draft.context.vault
    return tuple(
        PreparedPerson(role, vault.lookup("address", email), vault.lookup("domain", domain_of(email)))
        for role, email in dict.fromkeys((role, address.email) for role, address in draft.parsed.people)
        if email
    )


def find_domains(draft: Draft) -> frozenset[bytes]:
    """Everybody's domains, and those above them."""
    vault = draft.context.vault
    domains = {domain_of(address.email) for _, address in draft.parsed.people if address.email}
    return frozenset(vault.lookup("domain", one) for domain in domains for one in (domain, *domains_above(domain)))


def is_sent(draft: Draft) -> bool:
    """Sent is what lies in Sent, or is from one of the mailbox's own addresses (aliases and send-as included)."""
    senders = {address.email for address in draft.parsed.of(Role.FROM)}
    context = draft.context
    return bool(draft.fetched.folder_ids & context.sent_folders or senders & context.own_addresses)
