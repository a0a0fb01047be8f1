"""Fresh access to a mailbox. The only reader of grants.

A refresh happens under the grant's row lock, so that of many workers one asks the provider and the others find the answer.
This is the one place where a transaction stays open over a network call: it holds nothing but that row, and the call has a
time-out. Only an answer that the grant itself is dead means Re-authorize; an outage passes.
"""

from datetime import timedelta

from flowcrm.connectors import oauth
from flowcrm.connectors.oauth import OAuthApp
from flowcrm.lib import clock
from flowcrm.mail.errors import NeedsLogin
from flowcrm.store.db import workspace_scope
from flowcrm.store.writes.secrets import do_replace, read_tokens
from flowcrm.vault.seal import WorkspaceVault

# Refresh this long before expiry: a slice must not end with a token that dies in the middle of a page.
AHEAD = timedelta(minutes=2)


def access_token(vault: WorkspaceVault, mailbox_id: int, app: OAuthApp) -> str:
    """An access token that is good for the next minutes. Raises the tree of mail.errors."""
    with workspace_scope(vault.workspace_id):
        stored = read_tokens(vault, mailbox_id=mailbox_id)
    if stored is not None and stored.tokens.expires_at - AHEAD > clock.now():
        return stored.tokens.access
    with workspace_scope(vault.workspace_id):
        stored = read_tokens(vault, mailbox_id=mailbox_id, lock=True)
        if stored is None or stored.tokens.refresh is None:
            raise NeedsLogin("no grant is stored for this mailbox", code="no_refresh_token")
        if stored.tokens.expires_at - AHEAD > clock.now():
            return stored.tokens.access
        fresh = oauth.refresh(app, stored.tokens.refresh)
        do_replace(vault, mailbox_id=mailbox_id, former=stored, tokens=fresh)
    return fresh.access
