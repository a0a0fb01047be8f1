"""From the rows of a file to people: what each row says of somebody, or why it cannot be a contact."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flowcrm.pages.contact_files.columns import EMAIL, FIELDS, FIRST, LAST, NAME
from flowcrm.pages.contact_files.table import Record, Table
from flowcrm.pages.contacts.forms import ContactForm
from flowcrm.rules.persons import name_from_address
from flowcrm.store.queries.uploads import ReadPerson
from flowcrm.store.writes.contacts import AddressInvalid, normal_address

# Nobody has more; a cell of thousands is a list that went into the wrong column.
MOST_ADDRESSES = 50
# What a contact may hold is what its form takes.
_LONGEST = {name: ContactForm.base_fields[name].max_length for name in ("name", "company", "title", "phone", "note")}  # type: ignore[attr-defined]
# Several in one cell, as our export and Google write them.
_BETWEEN = re.compile(r"[\s,;]+")
_QUOTED = re.compile(r'"[^"]*"')
_ANGLES = re.compile(r"<([^<>]*)>")
_LINK = "mailto:"
# What is wrong with a row, so that it can be mended; a hostile row could have thousands.
_MOST_SENTENCES = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is somebody."""

    number: int
    person: ReadPerson


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row that is not, and why: a sentence each."""

    number: int
    cells: tuple[str, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole file with its columns chosen. trouble: why the columns cannot be so, "" where they can; no rows then."""

    rows: tuple[Row, ...] = ()
    wrong: tuple[WrongRow, ...] = ()
    trouble: str = ""

    @property
    def people(self) -> tuple[ReadPerson, ...]:
        return tuple(one.person for one in self.rows)


def read_people(table: Table, columns: Sequence[str]) -> Reading:
    """Everybody in the table. columns: a field (columns.FIELDS) or "" for each."""
    if trouble := _trouble(columns):
        return Reading(trouble=trouble)
    rows: list[Row] = []
    wrong: list[WrongRow] = []
    first_with: dict[str, int] = {}
    for record in table.records:
        person, sentences = _Reader(table, columns, record).read()
        sentences += _repeated(person, first_with)
        if sentences:
            wrong.append(WrongRow(record.number, record.cells, tuple(sentences)))
        else:
            rows.append(Row(record.number, person))
            first_with |= dict.fromkeys(person.addresses, record.number)
    return Reading(tuple(rows), tuple(wrong))


def _trouble(columns: Sequence[str]) -> str:
    for field, times in Counter(columns).items():
        if times > 1 and field not in ("", EMAIL):
            return _("“%(field)s” is chosen for %(n)s columns. Please choose one of them.") % {
                "field": FIELDS[field],
                "n": times,
            }
    if not {NAME, FIRST, LAST, EMAIL} & set(columns):
        return _("No column is a name or an email address. Please say below which one is.")
    return ""


def _repeated(person: ReadPerson, first_with: dict[str, int]) -> list[str]:
    return [
        _("%(address)s stands in row %(row)s already.") % {"address": address, "row": first_with[address]}
        for address in person.addresses
        if address in first_with
    ]


class _Reader:
    """One row, being read."""

    def __init__(self, table: Table, columns: Sequence[str], record: Record) -> None:
        self._sentences: list[str] = []
        self._table = table
        self._record = record
        self._cells: dict[str, list[str]] = {}
        for field, cell in zip(columns, record.cells, strict=False):
            if field and cell.strip():
                self._cells.setdefault(field, []).append(cell.strip())

    def read(self) -> tuple[ReadPerson, list[str]]:
        self._check_cells()
        addresses = self._addresses()
        name = self._line(NAME) or " ".join(part for part in (self._line(FIRST), self._line(LAST)) if part)
        if not name and not addresses and not self._sentences:
            self._sentences.append(_("It has neither a name nor an email address."))
        person = ReadPerson(
            name or (name_from_address(addresses[0]) if addresses else ""),
            addresses,
            self._line("company"),
            self._text("title"),
            self._text("phone"),
            self._text("note"),
        )
        self._check_lengths(person)
        return person, _few(self._sentences)

    def _check_cells(self) -> None:
        if any(cell.strip() for cell in self._record.cells[len(self._table.headings) :]):
            self._sentences.append(
                _("It has more cells than there are columns. Perhaps a cell should stand in quotation marks.")
            )
        read = [cell for cells in self._cells.values() for cell in cells]
        if any("\0" in cell for cell in read):
            self._sentences.append(_("It contains a NUL, a character that no text has."))
        if self._table.lossy and any("\ufffd" in cell for cell in read):
            self._sentences.append(_("It has letters that mean nothing in the chosen encoding."))

    def _addresses(self) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for written in self._written():
            try:
                found[normal_address(written)] = None
            except AddressInvalid as error:
                self._sentences.append(_("“%(text)s” is not an email address.") % {"text": error.address[:80]})
        if len(found) > MOST_ADDRESSES:
            self._sentences.append(_("It has more than %(most)s email addresses.") % {"most": MOST_ADDRESSES})
        return tuple(found)

    def _written(self) -> Iterator[str]:
        for cell in self._cells.get(EMAIL, ()):
            yield from islice(_pieces(cell), MOST_ADDRESSES + 1)

    def _text(self, field: str) -> str:
        return self._cells.get(field, [""])[0]

    def _line(self, field: str) -> str:
        return " ".join(self._text(field).split())

    def _check_lengths(self, person: ReadPerson) -> None:
        for field, longest in _LONGEST.items():
            if len(getattr(person, field)) > longest:
                self._sentences.append(
                    _("“%(field)s” has more than %(most)s characters.") % {"field": FIELDS[field], "most": f"{longest:,}"}
                )


def _few(sentences: list[str]) -> list[str]:
    more = len(sentences) - _MOST_SENTENCES
    if more <= 0:
        return sentences
    said = ngettext("And %(n)s more like it.", "And %(n)s more like these.", more) % {"n": more}
    return [*sentences[:_MOST_SENTENCES], said]


def _pieces(cell: str) -> Iterator[str]:
    """The addresses in a cell: bare, as "Name <address>", or as a link. Beside one in brackets, words without @ are names."""
    named = "<" in cell
    for piece in _bars(_BETWEEN.split(_QUOTED.sub("", cell) if named else cell)):
        angle = _ANGLES.search(piece)
        text = angle[1] if angle else piece
        if text.lower().startswith(_LINK):
            text = text[len(_LINK) :].partition("?")[0]
        if text.strip(":") and ("@" in text or not named):
            yield text


def _bars(pieces: Iterable[str]) -> Iterator[str]:
    """A bar parts addresses, but it may stand in one, too."""
    for piece in pieces:
        parts = piece.split("|")
        yield from parts if all("@" in part for part in parts) else (piece,)
