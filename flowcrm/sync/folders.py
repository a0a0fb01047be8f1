"""Labels and folders, read again now and then: new ones appear, renamed ones keep their id, deleted ones are marked."""

from datetime import timedelta

from flowcrm.connectors.base import Connector
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.rules.exclusion import excluded_ids
from flowcrm.store.db import workspace_scope
from flowcrm.store.writes.mailbox import do_folders

FOLDERS_EVERY = timedelta(minutes=15)


def refresh_folders(mailbox: Snapshot, connector: Connector) -> None:
    """Ask the provider, then write."""
    folders = connector.folders()
    with workspace_scope(mailbox.workspace_id):
        do_folders(mailbox.vault, mailbox_id=mailbox.mailbox_id, folders=folders, excluded=excluded_ids(folders))
