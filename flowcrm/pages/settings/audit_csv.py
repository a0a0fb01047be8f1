"""The audit log as CSV, in pieces: a million records are not held in memory, and no transaction stands open for long."""

from collections.abc import Iterator

from flowcrm.pages.csv_cells import MARK, lines
from flowcrm.pages.settings.audit_words import kind, surface
from flowcrm.store.db import close_connections, workspace_scope
from flowcrm.store.queries.audit_log import Place, Record, Wanted, audit_page

_PAGE = 2_000
_HEADER = ("time (UTC)", "who", "what", "kind", "surface", "address", "ids")


def pieces(workspace_id: int, wanted: Wanted) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, which spreadsheets need; a page of records at a time."""
    yield MARK + lines([_HEADER])
    after: Place | None = None
    while True:
        # Each piece may be asked for by another thread: a connection must not outlive it.
        try:
            with workspace_scope(workspace_id):
                page = audit_page(workspace_id, wanted, after=after, size=_PAGE)
        finally:
            close_connections()
        if page.records:
            yield lines(map(_cells, page.records))
        after = page.after
        if after is None:
            return


def _cells(record: Record) -> tuple[str, ...]:
    return (
        record.at.isoformat(),
        record.actor or "(operator)",
        str(kind(record.verb).title),
        record.verb,
        str(surface(record.surface)),
        record.ip,
        " ".join(map(str, record.object_ids)),
    )
