"""What ingest needs to know besides the mail itself. (What it returns is `mail.prepared.Prepared`: the store reads it too.)"""

from collections.abc import Callable
from dataclasses import dataclass

from flowcrm.mail.prepared import Prepared
from flowcrm.vault.seal import WorkspaceVault

__all__ = ["Context", "Prepared"]


@dataclass(frozen=True, slots=True)
class Context:
    """The mailbox as ingest sees it.

    own_addresses: normalised addresses of the mailbox's owner (aliases and send-as included).
    sent_folders: provider ids of the folders whose role is Sent.
    attachment_limit: bytes of one decoded attachment that may be stored.
    next_id: gives row ids that were taken from the database before (no call to it from here).
    """

    vault: WorkspaceVault
    mailbox_id: int
    own_addresses: frozenset[str]
    sent_folders: frozenset[str]
    attachment_limit: int
    next_id: Callable[[], int]
