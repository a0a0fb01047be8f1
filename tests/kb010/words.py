"""The words in which a mailbox's owner meets it right now, as Settings → Integrations shows them."""

from flowcrm.mailboxes.states import Shown
from flowcrm.pages.integrations.cards import card, read_limits
from flowcrm.store.db import workspace_scope
from flowcrm.store.models import Workspace
from flowcrm.store.queries.mailboxes import mailbox_rows
from flowcrm.store.vaults import vault
from tests.flow.acme import Box


def condition(box: Box) -> Shown:
    """Dot, word, sentence and button of the mailbox's card."""
    workspace_id = box.team.workspace_id
    with workspace_scope(workspace_id):
        (found,) = mailbox_rows(vault(workspace_id), mailbox_id=box.mailbox_id)
        return card(found, read_limits(Workspace.objects.get(id=workspace_id))).shown
