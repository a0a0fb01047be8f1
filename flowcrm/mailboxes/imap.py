"""Mailboxes at IMAP servers: from a login to a connector."""

from functools import partial

from django.conf import settings

from flowcrm.connectors.base import Spend
from flowcrm.connectors.imap.api import ImapSettings
from flowcrm.connectors.imap.catalogue import Catalogue
from flowcrm.connectors.imap.client import ImapConnector
from flowcrm.lib.http import HostRules
from flowcrm.mail.errors import NeedsLogin
from flowcrm.mail.types import ServerLogin
from flowcrm.mailboxes.catalogue import StoredCatalogue
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.store.db import row, workspace_scope
from flowcrm.store.writes.secrets import read_login
from flowcrm.vault.seal import WorkspaceVault


def open_imap(mailbox: Snapshot, spend: Spend) -> ImapConnector:
    """A connector to the mailbox. Raises NeedsLogin where no password is stored."""
    with workspace_scope(mailbox.workspace_id):
        login = read_login(mailbox.vault, mailbox_id=mailbox.mailbox_id)
        found = row(
            "SELECT gen, s_account FROM mailbox WHERE workspace_id = %s AND id = %s", [mailbox.workspace_id, mailbox.mailbox_id]
        )
    if login is None or found is None:
        raise NeedsLogin("no password is stored for this mailbox", code="no_refresh_token")
    address = mailbox.vault.open("account", mailbox.mailbox_id, bytes(found[1])).decode()
    # Ids are made with the key of the day when the mailbox was made, for good: another key would make other ids.
    keys = mailbox.vault.at_generation(found[0])
    return make_imap(keys, address, login, spend, StoredCatalogue(keys, mailbox.mailbox_id), tuple(mailbox.own_addresses))


def make_imap(
    vault: WorkspaceVault,
    address: str,
    login: ServerLogin,
    spend: Spend,
    catalogue: Catalogue,
    aliases: tuple[str, ...] = (),
) -> ImapConnector:
    """A connector to a mailbox that may not be known yet."""
    return ImapConnector(
        server=login,
        settings=ImapSettings(address=address, aliases=tuple(sorted(aliases)), hosts=host_rules()),
        spend=spend,
        key=partial(_key, vault, address),
        catalogue=catalogue,
    )


def host_rules() -> HostRules:
    """Which servers that members name may be asked."""
    return HostRules(listed=settings.INNER_MAIL_SERVERS, loopback=settings.ALLOW_LOOPBACK_PROVIDERS)


def _key(vault: WorkspaceVault, address: str, kind: str, text: str) -> str:
    """An id of a folder or a mail from what it is known by, in this mailbox only."""
    return vault.lookup(f"imap {kind}", f"{address}\n{text}").hex()
