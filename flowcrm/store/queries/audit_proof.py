"""Does an account's audit chain hold? What was closed is proved batch by batch, by the key that stands outside the database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from flowcrm.store.audit_chain import Batch, Checkpoint, digest, lock_chain, moment, read_batches, read_checkpoint, read_records
from flowcrm.store.db import row, rows, workspace_scope
from flowcrm.store.vaults import key_store, vault
from flowcrm.vault.audit_heads import AuditHead
from flowcrm.vault.audit_mac import AuditMac


class Fault(StrEnum):
    """How a chain fails. Of a batch whose own line was changed nothing else can be said, so nothing else is."""

    RECORD_CHANGED = "record_changed"
    RECORDS_MISSING = "records_missing"
    RECORDS_ADDED = "records_added"
    BATCH_CHANGED = "batch_changed"
    BATCHES_MISSING = "batches_missing"
    BATCH_UNKNOWN = "batch_unknown"
    CHAIN_CUT = "chain_cut"
    CHAIN_REPLACED = "chain_replaced"
    WRONG_KEY = "wrong_key"
    CHECKPOINT_FORGED = "checkpoint_forged"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold. number, last: the batch, or the first and last of several; records: how many."""

    fault: Fault
    number: int
    last: int = 0
    records: int = 0


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found. open_records: newer than the last batch, proved by the next one. pruned_until: when the last batch that
    retention has dropped was closed; None where nothing was dropped."""

    findings: tuple[Finding, ...]
    batches: tuple[Batch, ...]
    open_records: int
    pruned_until: datetime | None


def prove(workspace_id: int) -> Proof:
    """Check every closed batch. Raises VaultError where the keys are out of reach."""
    key = vault(workspace_id).audit
    # Before the batches are read: it may be behind them, never ahead.
    head = key_store().audit_heads.read(workspace_id)
    with workspace_scope(workspace_id):
        lock_chain(workspace_id)
        found, batches = read_checkpoint(workspace_id), read_batches(workspace_id)
        checkpoint = found if found and found.is_signed(key) else None
        gaps = tuple(_gaps(checkpoint, batches, head))
        findings = [
            *([Finding(Fault.CHECKPOINT_FORGED, found.number)] if found and not checkpoint else []),
            *(Finding(Fault.BATCHES_MISSING, first, last) for first, last in gaps),
            *_cuts(checkpoint, batches),
            *(finding for batch in batches for finding in _of_batch(workspace_id, key, batch)),
            *_strays(workspace_id, batches, gaps),
            *_replaced(checkpoint, batches, head),
        ]
        opened = row("SELECT count(*) FROM audit WHERE workspace_id = %s AND batch IS NULL", [workspace_id])
    return Proof(
        tuple(sorted(findings, key=lambda finding: finding.number)),
        tuple(batches),
        opened[0] if opened else 0,
        moment(checkpoint.closed_at) if checkpoint else None,
    )


def _gaps(checkpoint: Checkpoint | None, batches: Sequence[Batch], head: AuditHead | None) -> Iterator[tuple[int, int]]:
    """First and last number of each run of batches that must be there and are not."""
    begin = checkpoint.number if checkpoint else 0
    there = [batch.number for batch in batches if batch.number > begin]
    end = max([begin, *there, *([head.number] if head else [])])
    for before, after in pairwise([begin, *there, end + 1]):
        if after > before + 1:
            yield before + 1, after - 1


def _cuts(checkpoint: Checkpoint | None, batches: Sequence[Batch]) -> Iterator[Finding]:
    """Batches that name another predecessor than they have. Behind a gap nobody can say."""
    known = AuditHead(checkpoint.number, checkpoint.mac) if checkpoint else AuditHead(0, b"")
    for batch in batches:
        if batch.number <= known.number or (batch.number == known.number + 1 and batch.previous != known.mac):
            yield Finding(Fault.CHAIN_CUT, batch.number)
        known = AuditHead(batch.number, batch.mac)


def _of_batch(workspace_id: int, key: AuditMac, batch: Batch) -> Iterator[Finding]:
    if not key.knows(batch.mac):
        yield Finding(Fault.WRONG_KEY, batch.number)
        return
    if not key.verify(batch.previous, batch.payload, batch.mac):
        yield Finding(Fault.BATCH_CHANGED, batch.number)
        return
    # Its line is authentic: so are the number of its records, and their hash.
    records = read_records(workspace_id, batch.number)
    if len(records) < batch.records:
        yield Finding(Fault.RECORDS_MISSING, batch.number, records=batch.records - len(records))
    elif len(records) > batch.records:
        yield Finding(Fault.RECORDS_ADDED, batch.number, records=len(records) - batch.records)
    elif digest(records) != batch.digest:
        yield Finding(Fault.RECORD_CHANGED, batch.number)


def _strays(workspace_id: int, batches: Sequence[Batch], gaps: Sequence[tuple[int, int]]) -> Iterator[Finding]:
    """Records that say they are of a batch that there is not; those of a missing batch are named with it already."""
    found = rows(
        """SELECT batch, count(*) FROM audit WHERE workspace_id = %s AND batch IS NOT NULL AND NOT batch = ANY(%s::bigint[])
           GROUP BY batch""",
        [workspace_id, [batch.number for batch in batches]],
    )
    for number, count in found:
        if not any(first <= number <= last for first, last in gaps):
            yield Finding(Fault.BATCH_UNKNOWN, number, records=count)


def _replaced(checkpoint: Checkpoint | None, batches: Sequence[Batch], head: AuditHead | None) -> Iterator[Finding]:
    """The batch that the key store remembers, if another one stands in its place."""
    stands = {batch.number: batch.mac for batch in batches}
    if checkpoint:
        stands[checkpoint.number] = checkpoint.mac
    if head and stands.get(head.number, head.mac) != head.mac:
        yield Finding(Fault.CHAIN_REPLACED, head.number)


def still_holds(workspace_id: int, key: AuditMac, head: AuditHead) -> bool:
    """Is the batch that the key store remembers still in the chain, or behind its signed checkpoint?"""
    found = read_checkpoint(workspace_id)
    if found and found.is_signed(key) and found.number >= head.number:
        return found.number > head.number or found.mac == head.mac
    stored = row("SELECT mac FROM audit_batch WHERE workspace_id = %s AND number = %s", [workspace_id, head.number])
    return stored is not None and bytes(stored[0]) == head.mac
