"""Import contacts from a CSV file: uploaded, looked at, and made in one transaction, all or none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowcrm.pages import undo
from flowcrm.pages.bodies import TOO_LARGE
from flowcrm.pages.contact_files.columns import EMAIL, FIELDS, guess_all
from flowcrm.pages.contact_files.reading import Reading, Row, read_people
from flowcrm.pages.contact_files.table import (
    DELIMITERS,
    ENCODINGS,
    MOST_BYTES,
    MOST_ROWS,
    FileRefused,
    Table,
    address_columns,
    read_table,
)
from flowcrm.pages.csv_cells import MARK, lines
from flowcrm.pages.emails.stream import download
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.notes import note
from flowcrm.queue import wake_sync
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.uploads import There, access_upload, already_there
from flowcrm.store.vaults import vault
from flowcrm.store.writes.uploads import Made, do_drop_upload, do_import_contacts, do_keep_upload, do_unmake_import

# What is remembered for an undo stands under.
IMPORTED = "imported"
SURFACE = "contacts"

# How much of a file the page shows. All errors are in the file that it offers.
_SHOWN, _SHOWN_WRONG = 10, 50
_MOST_MB = MOST_BYTES // 1024 // 1024
_UPLOAD = "contact_uploads"
_EXAMPLE = (
    ("First name", "Last name", "Email", "Email 2", "Company", "Job title", "Phone", "Note"),
    ("Anna", "Berg", "anna@nordlicht.example", "", "Nordlicht", "Head of Operations", "+49 381 555 01", "Met in Hamburg"),
    ("Tom", "Krüger", "tom@nordlicht.example", "tom@private.example", "Nordlicht", "", "", ""),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file. name: of its select; sample: the first thing that stands in it."""

    name: str
    heading: str
    sample: str
    field: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of a file. new: rows that become contacts; there: rows of people who are contacts already."""

    table: Table
    columns: tuple[Column, ...]
    reading: Reading
    new: tuple[Row, ...]
    there: tuple[tuple[Row, There], ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        return tuple(one.heading or one.sample for one in self.columns if not one.field and (one.heading or one.sample))

    @property
    def choices(self) -> dict[str, str]:
        """As the page's forms carry them on."""
        chosen = {"encoding": self.table.encoding, "delimiter": self.table.delimiter, "parted": self.table.delimiter}
        return chosen | {one.name: one.field for one in self.columns}


@require_http_methods(["GET", "POST"])
def upload(request: MemberRequest) -> HttpResponse:
    """Choose a file. It is kept, sealed, until its member has decided."""
    trouble = _too_large() if TOO_LARGE in request.GET else ""
    if request.method == "POST":
        content, trouble = _content(request)
        if not trouble:
            upload_id = do_keep_upload(vault(request.workspace.id), member_id=request.member.id, content=content)
            request.session[_UPLOAD] = [*request.session.get(_UPLOAD, ())[-4:], upload_id]
            return redirect("contact_import", upload_id)
    context = {
        "trouble": trouble,
        "too_large": _too_large(),
        "most_bytes": MOST_BYTES,
        "most_mb": _MOST_MB,
        "most_rows": MOST_ROWS,
    }
    return render(request, "contact_files/upload.html", context, status=422 if trouble else 200)


@require_http_methods(["GET", "POST"])
def preview(request: MemberRequest, upload_id: int) -> HttpResponse:
    """What would become of the file; and made so. Columns, encoding and delimiter can be chosen (`c0`, `encoding`, …)."""
    chosen = request.POST if request.method == "POST" else request.GET
    try:
        content = access_upload(vault(request.workspace.id), upload_id, member_id=request.member.id)
    except NotFound:
        # His own, but an hour has passed, it is imported, or he has uploaded another one.
        if upload_id not in request.session.get(_UPLOAD, ()):
            raise
        messages.warning(request, _("This file is not here any more. Please upload it again."))
        return redirect("contact_upload")
    try:
        found = _preview(request, content, chosen)
    except FileRefused as refused:
        return _refused(request, upload_id, refused)
    agreed = chosen.get("leave_out") == str(len(found.reading.wrong))
    if request.method == "POST" and found.new and agreed:
        return _import(request, upload_id, found)
    context = {
        "upload_id": upload_id,
        "preview": found,
        "shown": found.new[:_SHOWN],
        "shown_wrong": found.reading.wrong[:_SHOWN_WRONG],
        "more_wrong": len(found.reading.wrong[_SHOWN_WRONG:]),
        "shown_there": found.there[:_SHOWN_WRONG],
        "more_there": len(found.there[_SHOWN_WRONG:]),
        "query": urlencode(found.choices),
        "fields": FIELDS,
        "encodings": ENCODINGS,
        "encoding": ENCODINGS[found.table.encoding],
        "delimiters": DELIMITERS,
        "changed": request.method == "POST",
    }
    return render(request, "contact_files/preview.html", context, status=422 if request.method == "POST" else 200)


@require_GET
def wrong_rows(request: MemberRequest, upload_id: int) -> HttpResponseBase:
    """The rows that cannot become contacts, as a file: each with its number and what is wrong, to be mended and imported."""
    content = access_upload(vault(request.workspace.id), upload_id, member_id=request.member.id)
    try:
        found = _preview(request, content, request.GET)
    except FileRefused:
        raise NotFound from None
    # A row may be wrong because it has more cells than there are columns: all of them are to be seen, and to be mended.
    width = max(len(found.table.headings), *(len(one.cells) for one in found.reading.wrong), 0)
    table = [(*_filled(found.table.headings, width), _("Row"), _("What is wrong"))]
    table += [(*_filled(one.cells, width), str(one.number), " ".join(one.sentences)) for one in found.reading.wrong]
    return download(iter([MARK + lines(table)]), name="rows-with-errors.csv", type="text/csv", size=None)


def _filled(cells: Sequence[str], width: int) -> tuple[str, ...]:
    return (*cells, *[""] * (width - len(cells)))


@require_POST
def drop(request: MemberRequest, upload_id: int) -> HttpResponse:
    """Decided against: nothing of the file stays."""
    access_upload(vault(request.workspace.id), upload_id, member_id=request.member.id)
    do_drop_upload(workspace_id=request.workspace.id, upload_id=upload_id)
    return redirect("contacts")


@require_GET
def example(request: MemberRequest) -> HttpResponseBase:
    """A file to fill in."""
    del request
    return download(iter([MARK + lines(_EXAMPLE)]), name="contacts-example.csv", type="text/csv", size=None)


def unmake_import(request: MemberRequest, kept: Mapping[str, int]) -> tuple[int, int]:
    """Undo: how many contacts of the import are gone again, and how many had been changed and stay."""
    made = Made(**kept)
    gone = do_unmake_import(workspace_id=request.workspace.id, made=made)
    return gone, made.contacts - gone


def _import(request: MemberRequest, upload_id: int, found: Preview) -> HttpResponse:
    made, ids = do_import_contacts(vault(request.workspace.id), people=found.reading.people)
    do_drop_upload(workspace_id=request.workspace.id, upload_id=upload_id)
    if not ids:
        messages.info(request, _("They are contacts already."))
        return redirect("contacts")
    note(request, "import_contacts", ids, surface=SURFACE)
    undo.remember(request, made.first, {IMPORTED: asdict(made)})
    said = ngettext(
        "%(n)s contact was imported. Past emails follow within a minute.",
        "%(n)s contacts were imported. Their past emails follow.",
        len(ids),
    )
    messages.success(request, said % {"n": f"{len(ids):,}"}, undo.UNDO)
    wake_sync()
    return redirect("contacts")


def _content(request: MemberRequest) -> tuple[bytes, str]:
    """What was uploaded, and why it cannot be taken, "" where it can."""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        return b"", _("Choose a file first.")
    if file.size is None or file.size > MOST_BYTES:
        return b"", _too_large()
    content = file.read()
    try:
        read_table(content)
    except FileRefused as refused:
        return b"", refused.sentence
    return content, ""


def _too_large() -> str:
    return _(
        "The file is larger than %(most)s MB, the most at once: that is room for far more than %(rows)s contacts. "
        "If it is a list of contacts, split it into several files; else it is perhaps another file than you meant."
    ) % {"most": _MOST_MB, "rows": f"{MOST_ROWS:,}"}


def _preview(request: MemberRequest, content: bytes, chosen: Mapping[str, str]) -> Preview:
    table = read_table(content, encoding=chosen.get("encoding", ""), delimiter=chosen.get("delimiter", ""))
    columns = tuple(_columns(table, chosen))
    reading = read_people(table, [one.field for one in columns])
    there = already_there(vault(request.workspace.id), reading.people)
    return Preview(
        table,
        columns,
        reading,
        tuple(row for place, row in enumerate(reading.rows) if place not in there),
        tuple((row, there[place]) for place, row in enumerate(reading.rows) if place in there),
    )


def _columns(table: Table, chosen: Mapping[str, str]) -> Iterator[Column]:
    guessed = guess_all(table.headings)
    if not table.headed:
        guessed = tuple(EMAIL if is_address else "" for is_address in address_columns(table))
    # What was chosen counts for the columns that were shown: another delimiter makes others.
    choosing = "c0" in chosen and chosen.get("parted") == table.delimiter
    for place, heading in enumerate(table.headings):
        name = f"c{place}"
        field = chosen.get(name, "") if choosing else guessed[place]
        yield Column(name, heading, next(table.column(place), "")[:80], field if field in FIELDS else "")


def _refused(request: MemberRequest, upload_id: int, refused: FileRefused) -> HttpResponse:
    """Only by another encoding or delimiter than its own: as it came, it could be read."""
    messages.error(request, refused.sentence)
    return redirect(reverse("contact_import", args=[upload_id]))
