"""After the commit: are two messages under one Message-ID, sender and second one mail, with a banner or a footer that ingest
does not know? (DESIGN section 5, Identity.)

The texts are opened here by the vault, for no person: nobody is shown anything, so there is nothing to audit.
"""

from collections.abc import Callable
from itertools import combinations

import structlog

from flowcrm.ingest.core import MOST_TEXT
from flowcrm.ingest.near import near, outline
from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.nearby import NearGroup, NearVariant, next_group, workspaces_with_nearby
from flowcrm.store.vaults import vault
from flowcrm.store.writes.nearby import do_join_near
from flowcrm.vault.errors import SealBroken, VaultError
from flowcrm.vault.seal import WorkspaceVault, open_text  # allow: one-door: nobody is shown what is compared

log = structlog.get_logger(__name__)

# Four bytes a character, and what sealing adds.
_LONGEST = 4 * MOST_TEXT + 100


def join_nearby(*, stop: Callable[[], bool]) -> None:
    """Compare all that was noted, until done or `stop`. What one workspace's keys do not let us do holds up no other."""
    for workspace_id in workspaces_with_nearby():
        with structlog.contextvars.bound_contextvars(workspace=workspace_id):
            try:
                _join_in(workspace_id, stop)
            except VaultError as error:
                log.error("vault", error=type(error).__name__)
            except Exception as error:
                log.exception("fault", error=type(error).__name__)


def _join_in(workspace_id: int, stop: Callable[[], bool]) -> None:
    while not stop():
        with workspace_scope(workspace_id):
            group = next_group(workspace_id, longest=_LONGEST)
        if group is None:
            return
        # Opened anew each time: a destroyed key must stop working.
        pairs = _near_pairs(vault(workspace_id), group)
        merged = do_join_near(workspace_id, pairs=pairs, compared={group.noted, *(one.id for one in group.variants)})
        log.info("compared", variants=len(group.variants), merged=merged)


def _near_pairs(keys: WorkspaceVault, group: NearGroup) -> list[tuple[int, int]]:
    """Pairs of variants, of different messages and with the same attachments, whose texts are near."""
    if group.too_many:
        log.warning("too many variants", variant=group.noted)
        return []
    read = [(one, lines) for one in group.variants if (lines := _outline(keys, one)) is not None]
    return [
        (one.id, other.id)
        for (one, lines), (other, others) in combinations(read, 2)
        if one.message_id != other.message_id and one.h_files == other.h_files and near(lines, others)
    ]


def _outline(keys: WorkspaceVault, one: NearVariant) -> tuple[str, ...] | None:
    if one.s_body is None:
        return None
    try:
        text = open_text(keys, "body", one.id, bytes(one.s_body))  # allow: one-door: nobody is shown it
    except SealBroken:
        # It will not open next time either; two messages stay two.
        log.error("broken seal", variant=one.id)
        return None
    return outline(text)
