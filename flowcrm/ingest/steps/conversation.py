"""What ties this mail to others: its own id, the ids that it names, and the provider's thread inside this mailbox."""

from flowcrm.ingest.draft import Draft
from flowcrm.mail import references


def find_ties(draft: Draft) -> tuple[bytes, ...]:
    """Keyed ids, each once. Case does not distinguish Message-IDs: gateways change it."""
    vault, parsed = draft.context.vault, draft.parsed
    named = (*([parsed.message_id] if parsed.message_id else []), *parsed.references, *parsed.in_reply_to)
    ties = [vault.lookup("message_id", one) for one in dict.fromkeys(map(references.key, named))]
    if draft.fetched.thread_id is not None:
        ties.append(vault.lookup("thread", f"{draft.context.mailbox_id}/{draft.fetched.thread_id}"))
    return tuple(ties)
