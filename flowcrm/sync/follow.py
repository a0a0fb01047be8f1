"""Stored mail follows what was put on an exclusion list or taken off, where it is too much for somebody to wait for."""

from collections.abc import Callable

import structlog

from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.exclusion_reach import wanted_of
from flowcrm.store.queries.exclusions import read_entry_by_id, unsettled
from flowcrm.store.queries.members import workspace_ids
from flowcrm.store.vaults import vault
from flowcrm.store.writes.exclusions import do_follow
from flowcrm.vault.errors import VaultError

log = structlog.get_logger(__name__)


def follow_lists(*, stop: Callable[[], bool]) -> None:
    """A thousand emails a transaction, until done or `stop`. What one workspace's keys do not let us do holds up no other."""
    for workspace_id in workspace_ids():
        with workspace_scope(workspace_id):
            waiting = unsettled(workspace_id)
        for entry_id in waiting:
            try:
                _follow(workspace_id, entry_id, stop)
            except VaultError as error:
                log.error("vault", workspace=workspace_id, error=type(error).__name__)


def _follow(workspace_id: int, entry_id: int, stop: Callable[[], bool]) -> None:
    keys = vault(workspace_id)
    with workspace_scope(workspace_id):
        listed = read_entry_by_id(keys, entry_id)
        wanted = wanted_of(keys, listed.entry) if listed else None
    after: tuple[int, int] | None = (0, 0)
    while wanted is not None and after is not None and not stop():
        with workspace_scope(workspace_id):
            after = do_follow(keys, entry_id=entry_id, after=after, wanted=wanted)
