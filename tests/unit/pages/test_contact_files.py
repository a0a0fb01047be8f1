"""Files of contacts, as bytes that anybody may send: read or refused in a sentence, and no row is lost or comes twice."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.pages.contact_files.columns import FIELDS, guess, guess_all
from flowcrm.pages.contact_files.reading import read_people
from flowcrm.pages.contact_files.table import DELIMITERS, ENCODINGS, FileRefused, read_table
from flowcrm.pages.contacts.forms import ContactForm

_CELL = st.text("aA@.,;\t\"'=\0\n\r -:<>é€", max_size=12) | st.sampled_from(["a@b.example", "A@B.example", "Anna", "x" * 5001])
_ROWS = st.lists(st.lists(_CELL, max_size=5).map(",".join), max_size=6).map("\n".join)
_HEADINGS = st.sampled_from(["Name,Email\n", "First name;Email;Note\n", "Email\tPhone\n", "", "sep=;\nName;Email\n"])
_TEXTS = st.tuples(_HEADINGS, _ROWS).map("".join)
_FILES = st.binary(max_size=200) | st.tuples(
    _TEXTS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
).map(lambda file: file[0].encode(file[1], "replace"))


@given(
    _FILES,
    st.sampled_from(["", "nonsense", *ENCODINGS]),
    st.sampled_from(["", "|", *DELIMITERS]),
    st.none() | st.lists(st.sampled_from(["", *FIELDS]), max_size=6),
)
def test_any_file_is_read_or_refused_and_no_row_is_lost(
    raw: bytes, encoding: str, delimiter: str, columns: list[str] | None
) -> None:
    try:
        table = read_table(raw, encoding=encoding, delimiter=delimiter)
    except FileRefused:
        return
    reading = read_people(table, guess_all(table.headings) if columns is None else columns)
    if reading.trouble:
        assert reading.rows == reading.wrong == ()
        return
    assert sorted(one.number for one in chain(reading.rows, reading.wrong)) == [one.number for one in table.records]
    addresses = [address for one in reading.people for address in one.addresses]
    assert len(addresses) == len(set(addresses))
    assert all(one.sentences for one in reading.wrong)
    for person in reading.people:
        typed = {
            **{name: getattr(person, name) for name in ("name", "company", "title", "phone", "note")},
            "addresses": list(person.addresses),
        }
        form = ContactForm(typed, workspace_id=0)
        # What looks the addresses up in the account is another test's.
        del form.fields["addresses"]
        assert form.is_valid(), form.errors


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Name", "name"),
        ("FIRST_NAME", "first"),
        (" Last   name ", "last"),
        ("Email", "email"),
        ("Email 2", "email"),
        ("Email 1 - Value", "email"),
        ("Email 1 - Type", ""),
        ("Email Display Name", ""),
        ("Email opt-in", ""),
        ("Work Email", "email"),
        ("Person - Email - Work", "email"),
        ("Email address 3", "email"),
        ("Organization Name", "company"),
        ("Birthday", ""),
        ("", ""),
    ],
)
def test_a_heading_is_known_or_not(heading: str, field: str) -> None:
    assert guess(heading) == field


def test_only_addresses_may_stand_in_several_columns() -> None:
    assert guess_all(["Phone", "Mobile Phone", "Email", "Email 2"]) == ("phone", "", "email", "email")
