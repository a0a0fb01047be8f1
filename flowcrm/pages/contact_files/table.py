"""From the bytes of a CSV file to its rows: how it is encoded, what parts its cells, where its headings are. Nothing is guessed
that the page does not say and let be changed."""

import codecs
import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from itertools import islice

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from flowcrm.pages.contact_files.columns import is_known
from flowcrm.pages.csv_cells import plain
from flowcrm.store.errors import UserError
from flowcrm.store.writes.contacts import AddressInvalid, normal_address

# A contact is a few hundred bytes: ten thousand of them fit with room to spare, are read in a second, and the file is held in
# memory only. pages/bodies.py lets nothing larger in.
MOST_BYTES = 5 * 1024 * 1024
# One transaction makes all of them, while mailboxes of the account wait with writing: a second or two.
MOST_ROWS = 10_000
# The widest usual export has about a hundred.
MOST_COLUMNS = 200

ENCODINGS: Mapping[str, str | Promise] = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16 (big-endian)",
    "cp1252": gettext_lazy("Windows-1252 (Western European)"),
    "cp1250": gettext_lazy("Windows-1250 (Central European)"),
    "cp1251": gettext_lazy("Windows-1251 (Cyrillic)"),
    "cp1253": gettext_lazy("Windows-1253 (Greek)"),
    "cp1254": gettext_lazy("Windows-1254 (Turkish)"),
}
DELIMITERS: Mapping[str, str | Promise] = {
    ",": gettext_lazy("comma"),
    ";": gettext_lazy("semicolon"),
    "\t": gettext_lazy("tab"),
}
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# A few of them are accidents in a text; pictures and programs are full of them.
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
# Excel's own first line, which says what parts the cells.
_SEP = re.compile(r'"?sep=([,;\t])"?\r?\n', re.IGNORECASE)


class FileRefused(UserError):
    """Nothing of the file can be read. sentence: why, and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__("the file cannot be read")
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Record:
    """A row. number: as a spreadsheet counts, from 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A file, read. certain: the encoding is said by the file itself, or it is valid UTF-8. lossy: bytes of it mean nothing in
    the encoding, and stand as U+FFFD. headed: the first row names the columns."""

    encoding: str
    certain: bool
    lossy: bool
    delimiter: str
    headings: tuple[str, ...]
    headed: bool
    records: tuple[Record, ...]

    def column(self, place: int) -> Iterator[str]:
        """What stands in a column, empty cells left out."""
        return (one.cells[place] for one in self.records if place < len(one.cells) and one.cells[place].strip())


def read_table(raw: bytes, *, encoding: str = "", delimiter: str = "") -> Table:
    """The table in a file. encoding, delimiter: as somebody chose them, "" where not. Raises FileRefused."""
    _check_kind(raw)
    found, certain = _encoding_of(raw)
    chosen = encoding if encoding in ENCODINGS else found
    text, lossy = _decoded(raw, chosen)
    text = text.removeprefix("\ufeff")
    if not certain and len(_CONTROLS.findall(text, 0, 4000)) * 100 > len(text[:4000]):
        raise FileRefused(_("This is not a text file. Save your contacts as “CSV UTF-8”, and upload that."))
    first_row = 1
    if said := _SEP.match(text):
        text, first_row, delimiter = text[said.end() :], 2, delimiter or said[1]
    parted = delimiter if delimiter in DELIMITERS else _delimiter_of(text)
    headings, headed, records = _with_headings(list(islice(_records(text, parted, first_row), MOST_ROWS + 2)))
    return Table(chosen, certain and chosen == found, lossy, parted, headings, headed, records)


def _check_kind(raw: bytes) -> None:
    if not raw.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n,;"):
        raise FileRefused(_("The file is empty."))
    if raw.startswith(_WORKBOOKS):
        raise FileRefused(
            _("This is an Excel workbook or a packed file, not a CSV. Open it in your spreadsheet and save it as “CSV UTF-8”.")
        )
    if raw.startswith((b"BEGIN:VCARD", b"begin:vcard")):
        raise FileRefused(_("This is a vCard file, not a CSV. Most address books can export CSV as well."))


def _encoding_of(raw: bytes) -> tuple[str, bool]:
    for mark, name in _MARKS.items():
        if raw.startswith(mark):
            return name, True
    # Half of a Western text in UTF-16 are NULs, and it is no valid anything else that a spreadsheet writes.
    odd, even = raw[1:2000:2].count(0), raw[:2000:2].count(0)
    if max(odd, even) * 4 > len(raw[:2000]):
        return ("utf-16-le" if odd > even else "utf-16-be"), True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return "cp1252", False
    return "utf-8", True


def _decoded(raw: bytes, encoding: str) -> tuple[str, bool]:
    try:
        return raw.decode(encoding), False
    except UnicodeDecodeError:
        return raw.decode(encoding, "replace"), True


def _delimiter_of(text: str) -> str:
    """By which the first row has most headings that we know, and then most cells."""

    def worth(delimiter: str) -> tuple[int, int]:
        try:
            cells = next((one.cells for one in _records(text, delimiter, 1)), ())
        except FileRefused:
            return 0, 0
        return sum(map(is_known, cells)), len(cells)

    return max(DELIMITERS, key=worth)


def _records(text: str, delimiter: str, first: int) -> Iterator[Record]:
    """The rows that are not empty."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = first - 1
    try:
        for number, cells in enumerate(reader, first):  # the error's sentence needs it
            if any(cell.strip() for cell in cells):
                yield Record(number, tuple(map(plain, cells)))
    except csv.Error:
        raise FileRefused(
            _(
                "Row %(row)s cannot be read: a quotation mark is opened there and not closed, or something follows a closed "
                "one. A quotation mark inside of a cell is written twice."
            )
            % {"row": number + 1}
        ) from None


def _with_headings(found: list[Record]) -> tuple[tuple[str, ...], bool, tuple[Record, ...]]:
    if not found:
        raise FileRefused(_("The file is empty."))
    first, headed = found[0], not any(map(_is_address, found[0].cells))
    if len(first.cells) > MOST_COLUMNS:
        raise FileRefused(
            _("The first row has %(n)s columns, and %(most)s is the most that can be read.")
            % {"n": len(first.cells), "most": MOST_COLUMNS}
        )
    records = tuple(found[1:] if headed else found)
    if not records:
        raise FileRefused(_("The file has headings and no rows below them."))
    if len(records) > MOST_ROWS:
        raise FileRefused(
            _("The file has more than %(most)s rows, the most at once. Please split it into several files.")
            % {"most": f"{MOST_ROWS:,}"}
        )
    if headed:
        return tuple(" ".join(cell.split()) for cell in first.cells), True, records
    return tuple(_("Column %(n)s") % {"n": n} for n, _cell in enumerate(first.cells, 1)), False, records


def address_columns(table: Table) -> tuple[bool, ...]:
    """Of a table without headings: which columns begin with an email address."""
    return tuple(map(_is_address, table.records[0].cells))


def _is_address(cell: str) -> bool:
    try:
        return bool(normal_address(cell))
    except AddressInvalid:
        return False
