"""Closing audit records into the chain, hourly; and dropping its oldest batches, by the operator only.

A batch holds exactly the records that a committed transaction had left without one when it was closed. Nothing is inferred from
ids or times: those are taken before the commit, so that a record with a smaller id may still appear later.
"""

from dataclasses import dataclass
from datetime import datetime

from flowcrm.lib import clock
from flowcrm.store.audit_chain import (
    Batch,
    Checkpoint,
    digest,
    lock_chain,
    microseconds,
    moment,
    read_end,
    read_records,
)
from flowcrm.store.db import run, workspace_scope
from flowcrm.store.errors import UserError
from flowcrm.store.queries.audit_proof import prove, still_holds
from flowcrm.store.vaults import key_store, vault
from flowcrm.store.writes.audit import do_audit
from flowcrm.vault.audit_mac import AuditMac

# Records in one batch: what is held in memory, and read again to prove it.
AT_MOST = 5000


class ChainBroken(UserError):
    """The chain does not hold, so nothing may be dropped from it: that would hide what was done to it."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was dropped."""

    batches: int
    records: int


def do_close_batches(workspace_id: int, *, at_most: int = AT_MOST) -> int:
    """Close all records of the account that have no batch yet; returns how many batches that made. Raises VaultError."""
    key, closed = vault(workspace_id).audit, 0
    while _close_one(workspace_id, key, at_most):
        closed += 1
    if closed:
        _remember_end(workspace_id, key)
    return closed


def _close_one(workspace_id: int, key: AuditMac, at_most: int) -> bool:
    with workspace_scope(workspace_id):
        lock_chain(workspace_id)
        records = read_records(workspace_id, None, at_most)
        if not records:
            return False
        end, now = read_end(workspace_id), clock.now()
        batch = Batch(end.number + 1, len(records), microseconds(now), digest(records), end.mac)
        run(
            "SELECT close_audit_batch(%s, %s::bigint[], %s, %s, %s, %s)",
            [
                batch.number,
                [int(record[0]) for record in records],
                batch.digest,
                batch.previous,
                key.mac(batch.previous, batch.payload),
                now,
            ],
        )
    return True


def _remember_end(workspace_id: int, key: AuditMac) -> None:
    """Write beside the keys how far the chain has come: after the commit, and only if what stands there still holds. Otherwise
    it stays, as the proof that something was taken away."""
    heads = key_store().audit_heads
    known = heads.read(workspace_id)
    with workspace_scope(workspace_id):
        end = read_end(workspace_id)
        goes_on = known is None or (end.number > known.number and still_holds(workspace_id, key, known))
    if goes_on:
        heads.advance(workspace_id, known, end)


def do_prune(workspace_id: int, before: datetime) -> Pruned:
    """Drop the oldest batches that were closed before that time, records and all, and sign where the chain begins now. Who last
    viewed an email before that time is forgotten too.

    Only as the owner of the tables. Raises ChainBroken, and VaultError.
    """
    key = vault(workspace_id).audit
    with workspace_scope(workspace_id):
        lock_chain(workspace_id)
        proof = prove(workspace_id)
        if proof.findings:
            raise ChainBroken
        # Their numbers ascend with their times, but for a clock that was set back: stop at the first that is too young.
        old = list[Batch]()
        for batch in proof.batches:
            if int(batch.closed_at) >= int(microseconds(before)):
                break
            old.append(batch)
        if not old:
            return Pruned(0, 0)
        last = old[-1]
        records = run("DELETE FROM audit WHERE workspace_id = %s AND batch <= %s", [workspace_id, last.number])
        run("DELETE FROM audit_batch WHERE workspace_id = %s AND number <= %s", [workspace_id, last.number])
        # The same in brief, by email ("Viewed by"): it would outlive what it was taken from.
        run("DELETE FROM viewing WHERE workspace_id = %s AND last_at < %s", [workspace_id, before])
        _do_checkpoint(workspace_id, key, last)
        do_audit(
            workspace_id=workspace_id,
            actor_id=None,
            verb="prune",
            surface="command_line",
            object_ids=[old[0].number, last.number],
        )
    return Pruned(len(old), records)


def _do_checkpoint(workspace_id: int, key: AuditMac, last: Batch) -> None:
    checkpoint = Checkpoint(last.number, last.closed_at, last.mac)
    run(
        """INSERT INTO audit_checkpoint (workspace_id, number, closed_at, mac, signature) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (workspace_id) DO UPDATE SET number = EXCLUDED.number, closed_at = EXCLUDED.closed_at,
           mac = EXCLUDED.mac, signature = EXCLUDED.signature""",
        [workspace_id, last.number, moment(last.closed_at), last.mac, key.mac(checkpoint.mac, checkpoint.payload)],
    )
