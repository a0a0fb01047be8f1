"""The catalogue of a mailbox whose provider names mails by their places, in the database.

Each call is a transaction of its own: what lies where is true whatever becomes of the page that told it.
"""

from collections.abc import Sequence

from flowcrm.mail.places import Entry, Sighting, Spot
from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.places import read_places, read_spots, read_thread_places
from flowcrm.store.writes.places import do_displace, do_place
from flowcrm.vault.seal import WorkspaceVault


class StoredCatalogue:
    """See `connectors.imap.catalogue.Catalogue`. vault: at the generation with which the mailbox was made, for good."""

    def __init__(self, vault: WorkspaceVault, mailbox_id: int) -> None:
        self._vault = vault
        self._mailbox_id = mailbox_id

    def place(self, sightings: Sequence[Sighting]) -> None:
        with workspace_scope(self._vault.workspace_id):
            do_place(self._vault, mailbox_id=self._mailbox_id, sightings=sightings)

    def displace(self, spots: Sequence[Spot]) -> None:
        with workspace_scope(self._vault.workspace_id):
            do_displace(workspace_id=self._vault.workspace_id, mailbox_id=self._mailbox_id, spots=spots)

    def look_up(self, spots: Sequence[Spot]) -> dict[Spot, Entry]:
        with workspace_scope(self._vault.workspace_id):
            return read_places(self._vault.workspace_id, self._mailbox_id, spots)

    def spots(self, mail_ids: Sequence[str]) -> dict[str, Spot]:
        with workspace_scope(self._vault.workspace_id):
            return read_spots(self._vault.workspace_id, self._mailbox_id, mail_ids)

    def threads(self, thread_ids: Sequence[str]) -> dict[str, tuple[Entry, ...]]:
        with workspace_scope(self._vault.workspace_id):
            return read_thread_places(self._vault.workspace_id, self._mailbox_id, thread_ids)
