"""All contacts as CSV, in pieces: a hundred thousand are not held in memory, and no transaction stands open for long."""

from collections.abc import Iterator

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from flowcrm.lib import clock
from flowcrm.pages.contact_files.importing import SURFACE
from flowcrm.pages.csv_cells import MARK, lines
from flowcrm.pages.emails.stream import download
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.notes import note
from flowcrm.store.db import close_connections, workspace_scope
from flowcrm.store.queries.contacts import ContactRecord, contact_records, most_addresses
from flowcrm.store.sorting import Place

_PAGE = 2_000
# Columns for addresses. What is beyond, a handful of contacts if any, stands together in the last one.
_MOST_COLUMNS = 10


@require_GET
def export(request: MemberRequest) -> HttpResponseBase:
    """The file; the import reads it. That it was taken is a record."""
    note(request, "export_contacts", surface=SURFACE)
    name = f"contacts-{timezone.localtime(clock.now()):%Y-%m-%d}.csv"
    return download(pieces(request.workspace.id), name=name, type="text/csv", size=None)


def pieces(workspace_id: int) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, which spreadsheets need; a page of contacts at a time.

    The headings are not translated: files go from one account to another.
    """
    columns, after = 1, None
    first = True
    while first or after:
        # Each piece may be asked for by another thread: a connection must not outlive it.
        try:
            with workspace_scope(workspace_id):
                if first:
                    columns = min(max(most_addresses(workspace_id), 1), _MOST_COLUMNS)
                records, after = _page(workspace_id, after)
        finally:
            close_connections()
        head = MARK + lines([_headings(columns)]) if first else b""
        first = False
        yield head + lines(_cells(one, columns) for one in records)


def _page(workspace_id: int, after: Place | None) -> tuple[tuple[ContactRecord, ...], Place | None]:
    return contact_records(workspace_id, after=after, size=_PAGE)


def _headings(columns: int) -> tuple[str, ...]:
    emails = ("Email", *(f"Email {number}" for number in range(2, columns + 1)))
    return ("Name", *emails, "Company", "Job title", "Phone", "Note")


def _cells(one: ContactRecord, columns: int) -> tuple[str, ...]:
    addresses = [*one.addresses[: columns - 1], ", ".join(one.addresses[columns - 1 :])]
    return (one.name, *addresses, *[""] * (columns - len(addresses)), one.company, one.title, one.phone, one.note)
