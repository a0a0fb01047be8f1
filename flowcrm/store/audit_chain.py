"""The chain of audit batches as it lies in the database, and the one canonical form over which its MACs are made.

docs/reference/audit.md describes the form. Values travel as PostgreSQL writes them, since a forged row may hold what Python has
no value for (a time of infinity, a null among ids); proving must find that, not stumble over it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flowcrm.store.db import row, rows
from flowcrm.vault.audit_heads import AuditHead
from flowcrm.vault.audit_mac import AuditMac
from flowcrm.vault.binding import bind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The predecessor of the first batch.
BEGINNING = AuditHead(0, b"")

# Microseconds since 1970 in UTC: the same text whatever zone or style the connection has.
_MICROSECONDS = "trim_scale(extract(epoch FROM {}) * 1000000)::text"

# Texts of values that may be null are never empty, so nothing else looks like a null.
_RECORD = f"""id::text, {_MICROSECONDS.format("at")}, coalesce(actor_id::text, ''), verb, surface, coalesce(ip::text, ''),
              object_ids::text"""


@dataclass(frozen=True, slots=True)
class Batch:
    """One closed batch. closed_at: microseconds since 1970, as text. previous, mac: of the batch before, and its own."""

    number: int
    records: int
    closed_at: str
    digest: bytes
    previous: bytes
    mac: bytes = b""

    @property
    def payload(self) -> bytes:
        return bind("batch", self.number, self.records, self.closed_at, self.digest)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The last batch that retention has dropped, and the signature that says so."""

    number: int
    closed_at: str
    mac: bytes
    signature: bytes = b""

    @property
    def payload(self) -> bytes:
        return bind("checkpoint", self.number, self.closed_at)

    def is_signed(self, key: AuditMac) -> bool:
        return key.verify(self.mac, self.payload, self.signature)


def lock_chain(workspace_id: int) -> None:
    """Close, prove and prune one at a time. Rows that only refer to the workspace are written meanwhile as ever."""
    row("SELECT 1 FROM workspace WHERE id = %s FOR NO KEY UPDATE", [workspace_id])


def read_batches(workspace_id: int) -> list[Batch]:
    """All batches, oldest first."""
    found = rows(
        f"""SELECT number, records, {_MICROSECONDS.format("closed_at")}, digest, previous, mac
            FROM audit_batch WHERE workspace_id = %s ORDER BY number""",
        [workspace_id],
    )
    return [Batch(*one) for one in found]


def read_checkpoint(workspace_id: int) -> Checkpoint | None:
    """Where retention has cut, if it ever has."""
    found = row(
        f"""SELECT number, {_MICROSECONDS.format("closed_at")}, mac, signature
            FROM audit_checkpoint WHERE workspace_id = %s""",
        [workspace_id],
    )
    return Checkpoint(*found) if found else None


def read_end(workspace_id: int) -> AuditHead:
    """The chain's last batch, dropped or not; BEGINNING where nothing was ever closed."""
    found = row(
        """SELECT number, mac FROM audit_batch WHERE workspace_id = %(ws)s
           UNION ALL SELECT number, mac FROM audit_checkpoint WHERE workspace_id = %(ws)s
           ORDER BY number DESC LIMIT 1""",
        {"ws": workspace_id},
    )
    return AuditHead(*found) if found else BEGINNING


def read_records(workspace_id: int, number: int | None, at_most: int | None = None) -> list[tuple[str, ...]]:
    """The canonical texts of a batch's records, by id; of those that have no batch yet for `None`."""
    return rows(
        f"""SELECT {_RECORD} FROM audit a WHERE workspace_id = %s AND batch IS NOT DISTINCT FROM %s::bigint
            ORDER BY a.id LIMIT %s""",
        [workspace_id, number, at_most],
    )


def digest(records: Iterable[Sequence[str]]) -> bytes:
    """The hash (32 bytes) of these records, in their order."""
    hashing = hashlib.sha256()
    for record in records:
        hashing.update(bind(bind(*record)))
    return hashing.digest()


def microseconds(at: datetime) -> str:
    """The text that PostgreSQL gives for this time."""
    return str((at - EPOCH) // timedelta(microseconds=1))


def moment(text: str) -> datetime:
    """The time that such a text of a proved batch means."""
    return EPOCH + timedelta(microseconds=int(text))
