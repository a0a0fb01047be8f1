"""The audit log as CSV, in pieces: a million records are not held in memory, and no transaction stands open for long."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

from flowcrm.pages.settings.audit_words import kind, surface
from flowcrm.store.db import close_connections, workspace_scope
from flowcrm.store.queries.audit_log import Place, Record, Wanted, audit_page

_PAGE = 2_000
# A spreadsheet runs what begins so as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_HEADER = ("time (UTC)", "who", "what", "kind", "surface", "address", "ids")


def pieces(workspace_id: int, wanted: Wanted) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, which spreadsheets need; a page of records at a time."""
    yield "\ufeff".encode() + _lines([_HEADER])
    after: Place | None = None
    while True:
        # Each piece may be asked for by another thread: a connection must not outlive it.
        try:
            with workspace_scope(workspace_id):
                page = audit_page(workspace_id, wanted, after=after, size=_PAGE)
        finally:
            close_connections()
        if page.records:
            yield _lines(map(_cells, page.records))
        after = page.after
        if after is None:
            return


def safe(cell: str) -> str:
    """The cell as text, whatever it begins with."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


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


def _lines(table: Iterable[Iterable[str]]) -> bytes:
    out = StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([safe(cell) for cell in line] for line in table)
    return out.getvalue().encode("utf-8", "replace")
