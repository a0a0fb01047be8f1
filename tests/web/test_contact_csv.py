"""CSV import and export of contacts: what a file is read as, what is said of each row, all or nothing, and there and back."""

import csv
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowcrm.pages.contact_files.table import MOST_BYTES, MOST_ROWS
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.queries.contacts import ContactRecord, access_contact, contact_page
from flowcrm.store.writes.companies import do_name_company
from flowcrm.store.writes.contacts import ContactFields, do_create_contact
from tests.people import Someone, make_someone, make_workspace

pytestmark = pytest.mark.needs_postgres

UPLOAD, EXPORT = "/contacts/import", "/contacts/export"
FULL = (
    "First name,Last name,Email,Email 2,Company,Job title,Phone,Note,Birthday\r\n"
    'Anna,Berg,Anna@Nordlicht.example,a@private.example,Nordlicht,Buyer,+49 381,"Short emails,\r\nplease",1980\r\n'
    "Tom,Krüger,tom@nordlicht.example,,nordlicht,,,,\r\n"
)


def _page(answer: Any) -> str:
    return " ".join(str(answer.content.decode()).split())


def _send(someone: Someone, content: bytes | str) -> Any:
    file = BytesIO(content if isinstance(content, bytes) else content.encode())
    file.name = "contacts.csv"
    return someone.client.post(UPLOAD, {"file": file})


def _look(someone: Someone, content: bytes | str) -> tuple[str, str]:
    """The preview's address, and its page."""
    answer = _send(someone, content)
    assert answer.status_code == 302, _page(answer)
    return answer["Location"], _page(someone.get(answer["Location"]))


def _trouble(someone: Someone, content: bytes | str) -> str:
    answer = _send(someone, content)
    assert answer.status_code == 422
    return _page(answer)


def _import(someone: Someone, content: bytes | str, *, leave_out: int = 0, **chosen: str) -> str:
    where, _ = _look(someone, content)
    answer = someone.client.post(where, {"leave_out": str(leave_out), **chosen}, follow=True)
    assert answer.status_code == 200, _page(answer)
    return _page(answer)


def _contacts(someone: Someone) -> list[ContactRecord]:
    with someone.scope():
        found = contact_page(someone.workspace_id, size=20_000).contacts
        return [access_contact(someone.workspace_id, one.id) for one in found]


def _names(someone: Someone) -> list[str]:
    return [one.name for one in _contacts(someone)]


def _export(someone: Someone) -> bytes:
    return b"".join(someone.get(EXPORT).streaming_content)


def test_a_file_is_looked_at_first_and_then_imported(member: Someone) -> None:
    where, page = _look(member, FULL)
    assert "2 new contacts" in page
    assert "Import 2 contacts<" in page
    assert "Not imported: <strong>Birthday</strong>" in page
    assert "Anna Berg" in page
    assert _names(member) == []
    page = _page(member.client.post(where, {"leave_out": "0"}, follow=True))
    assert "2 contacts were imported" in page
    anna, tom = _contacts(member)
    assert (anna.name, anna.addresses) == ("Anna Berg", ("anna@nordlicht.example", "a@private.example"))
    assert (anna.title, anna.phone, anna.note) == ("Buyer", "+49 381", "Short emails,\r\nplease")
    assert anna.company == "Nordlicht"
    assert tom.company_id == anna.company_id


def test_it_can_be_taken_back(member: Someone) -> None:
    member.contact("Before")
    assert 'action="/contacts/restore"' in _import(member, FULL)
    assert "2 contacts were taken back." in _page(member.client.post("/contacts/restore", follow=True))
    assert _names(member) == ["Before"]
    with member.scope():
        assert rows("SELECT 1 FROM company") == []


def test_who_was_changed_since_stays(member: Someone) -> None:
    _import(member, FULL)
    anna = _contacts(member)[0]
    member.post(f"/contacts/{anna.id}/edit", {"name": "Anna B.", "addresses": ["anna@nordlicht.example"]})
    page = _page(member.client.post("/contacts/restore", follow=True))
    assert "1 contact was taken back." in page
    assert "1 was changed meanwhile" in page
    assert _names(member) == ["Anna B."]


def test_who_is_there_already_stays_as_he_is_and_is_named(member: Someone) -> None:
    there = member.contact("Anna <i>Old</i>", "a@private.example")
    _where, page = _look(member, FULL)
    assert "1 new contact<" in page
    assert f'<a href="/contacts/{there}">Anna &lt;i&gt;Old&lt;/i&gt;</a>' in page
    assert "has a@private.example" in page
    _import(member, FULL)
    assert _names(member) == ["Anna <i>Old</i>", "Tom Krüger"]
    _where, page = _look(member, FULL)
    assert "No new contacts" in page
    assert "Import" + " 0" not in page


def test_rows_with_errors_are_named_and_left_out_only_when_that_was_said(member: Someone) -> None:
    file = "\n".join(
        (
            "Name,Email,Phone,Note",
            "Anna,anna@nordlicht.example,,",
            "Broken,anna@,,",
            "",
            "Twice,ANNA@nordlicht.example,,",
            ",,12,",
            f"Long,,{'1' * 61},",
            "Nul\0,,,",
            "Many,,,a,b",
            f"{'x' * 201},x@nordlicht.example,,",
        )
    )
    where, page = _look(member, file)
    for sentence in (
        'Row 3</span><div class="row-main"><div>“anna@” is not an email address.',
        'Row 5</span><div class="row-main"><div>anna@nordlicht.example stands in row 2 already.',
        "It has neither a name nor an email address.",
        "“Phone” has more than 60 characters.",
        "It contains a NUL",
        "It has more cells than there are columns.",
        "“Name” has more than 200 characters.",
        "7 rows cannot be imported.",
        "Import 1 contact, leave out 7 rows",
    ):
        assert sentence in page
    answer = member.post(where, {"leave_out": "0"})
    assert answer.status_code == 422
    assert "Nothing was imported" in _page(answer)
    assert _names(member) == []
    member.post(where, {"leave_out": "7"})
    assert _names(member) == ["Anna"]


def test_rows_with_errors_can_be_mended_and_imported(member: Someone) -> None:
    where, _ = _look(member, "Name,Email\nAnna,anna@\nTom,tom@nordlicht.example\n")
    answer = member.get(f"{where}/errors?encoding=utf-8")
    found = list(csv.reader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert found == [
        ["Name", "Email", "Row", "What is wrong"],
        ["Anna", "anna@", "2", "“anna@” is not an email address."],
    ]
    mended = "\n".join(",".join(line) for line in found).replace("anna@,", "anna@nordlicht.example,")
    _import(member, mended)
    assert _names(member) == ["Anna"]


def test_cells_too_many_are_in_the_file_to_be_mended(member: Someone) -> None:
    where, _ = _look(member, "Name,Email\nBerg, Anna,anna@nordlicht.example\n")
    answer = member.get(f"{where}/errors?encoding=utf-8")
    found = list(csv.reader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert found[0] == ["Name", "Email", "", "Row", "What is wrong"]
    assert found[1][:4] == ["Berg", " Anna", "anna@nordlicht.example", "2"]


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("Anna <a@x.example>, b@x.example", ("a@x.example", "b@x.example")),
        ('"Berg, Anna" <a@x.example>; Tom <b@x.example>', ("a@x.example", "b@x.example")),
        ("Berg, Anna <a@x.example>", ("a@x.example",)),
        ("mailto:a@x.example?subject=Hi", ("a@x.example",)),
        ("<MAILTO:a@x.example>", ("a@x.example",)),
        ("a@x.example|b@x.example", ("a@x.example", "b@x.example")),
        ("a@x.example ::: b@x.example", ("a@x.example", "b@x.example")),
    ],
)
def test_addresses_are_read_however_they_are_written_in_a_cell(member: Someone, cell: str, addresses: tuple[str, ...]) -> None:
    quoted = cell.replace('"', '""')
    _import(member, f'Name,Email\nAnna,"{quoted}"\n')
    assert [one.addresses for one in _contacts(member)] == [addresses]


def test_a_row_with_thousands_of_faults_says_a_few(member: Someone) -> None:
    _, page = _look(member, "Name,Email\nAnna," + ";".join(f"wrong{number}" for number in range(5000)) + "\n")
    assert page.count("is not an email address") <= 6
    assert "more like these." in page


def test_what_changed_meanwhile_is_decided_anew(member: Someone) -> None:
    where, page = _look(member, FULL)
    assert "2 new contacts" in page
    member.contact("Somebody", "anna@nordlicht.example")
    page = _page(member.client.post(where, {"leave_out": "0"}, follow=True))
    assert "1 contact was imported" in page
    assert _names(member) == ["Somebody", "Tom Krüger"]


@pytest.mark.parametrize(
    "content",
    [
        FULL.encode(),
        FULL.encode("utf-8-sig"),
        FULL.encode("utf-16"),
        FULL.encode("utf-16-le"),
        "\ufeff".encode("utf-16-be") + FULL.encode("utf-16-be"),
        FULL.replace(",please", ";please").replace(",", ";").encode(),
        FULL.replace(",", "\t").encode(),
        ("sep=;\r\n" + FULL.replace(",", ";")).encode(),
        FULL.replace("\r\n", "\n").encode(),
    ],
)
def test_encodings_and_delimiters_are_recognised(member: Someone, content: bytes) -> None:
    _where, page = _look(member, content)
    assert "2 new contacts" in page
    assert "Tom Krüger" in page
    assert "is not UTF-8" not in page


def test_what_is_not_utf_8_is_said_and_can_be_chosen(member: Someone) -> None:
    where, page = _look(member, FULL.encode("cp1252"))
    assert "The file is not UTF-8, so it was read as Windows-1252 (Western European)" in page
    assert "Tom Krüger" in page
    where, page = _look(member, "Name,Email\nЛена,lena@nordlicht.example\n".encode("cp1251"))
    assert "is not UTF-8" in page
    page = _page(member.get(f"{where}?encoding=cp1251"))
    assert "Лена" in page
    page = _page(member.get(f"{where}?encoding=utf-8"))
    assert "It has letters that mean nothing in the chosen encoding." in page
    member.post(where, {"leave_out": "0", "encoding": "cp1251"})
    assert _names(member) == ["Лена"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf\r\n,,\r\n", "The file is empty."),
        (b"Name,Email\r\n", "headings and no rows"),
        (b"PK\x03\x04\x14\x00", "This is an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "This is an Excel workbook"),
        (b"BEGIN:VCARD\nFN:Anna\nEND:VCARD", "This is a vCard file"),
        (b"\x89PNG\r\n\x1a\n\x00abc\nmore", "not a text file"),
        (b'Name,Email\nAnna,"a@b.example\nTom,\n', "Row 2 cannot be read"),
        (b'Name,Email\nTom,t@b.example\n"Anna"x,a@b.example\n', "Row 3 cannot be read"),
        (b",".join([b"x"] * 201) + b"\n1", "201 columns"),
        (b"Name\n" + b"x\n" * (MOST_ROWS + 1), "more than 10,000 rows"),
        (b"Name\n" + b"x" * MOST_BYTES, "larger than 5 MB"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(member: Someone, content: bytes, sentence: str) -> None:
    assert sentence in _trouble(member, content)
    with member.scope():
        assert rows("SELECT 1 FROM contact_upload") == []


def test_no_file_is_asked_for(member: Someone) -> None:
    answer = member.post(UPLOAD)
    assert answer.status_code == 422
    assert "Choose a file first." in _page(answer)
    assert "larger than 5 MB" in _page(member.get(f"{UPLOAD}?too-large=1"))


def test_columns_can_be_chosen_by_hand(member: Someone) -> None:
    file = "Wer,Wohin,Was\nAnna,anna@nordlicht.example,Buyer\n"
    where, page = _look(member, file)
    assert "No column is a name or an email address." in page
    assert "Import 1" not in page
    chosen = {"c0": "name", "c1": "email", "c2": "title", "parted": ",", "leave_out": "0"}
    page = _page(member.get(where, data=chosen))
    assert "1 new contact<" in page
    assert "“Name” is chosen for 2 columns." in _page(member.get(where, data={**chosen, "c2": "name"}))
    assert "Import 1" not in _page(member.get(where, data={**chosen, "c0": "nonsense", "c1": ""}))
    member.post(where, chosen)
    (anna,) = _contacts(member)
    assert (anna.name, anna.addresses, anna.title) == ("Anna", ("anna@nordlicht.example",), "Buyer")


def test_a_file_without_headings_loses_no_row(member: Someone) -> None:
    where, page = _look(member, "Anna,anna@nordlicht.example\nTom,tom@nordlicht.example\n")
    assert "The first row looks like a contact" in page
    assert "Column 2" in page
    assert "2 new contacts" in page
    member.post(where, {"c0": "name", "c1": "email", "parted": ",", "leave_out": "0"})
    assert _names(member) == ["Anna", "Tom"]


@pytest.mark.parametrize(
    "headings",
    [
        "First Name,Last Name,E-mail Address,Company,Job Title,Business Phone,Notes",
        "Given Name,Family Name,E-mail 1 - Value,Organization 1 - Name,Organization 1 - Title,Phone 1 - Value,Notes",
        "FIRST_NAME,LAST_NAME,email,organization,position,phone number,comments",
        "Vorname,Nachname,E-Mail-Adresse,Firma,Position,Telefon geschäftlich,Notizen",
    ],
)
def test_headings_of_usual_exports_are_known(member: Someone, headings: str) -> None:
    _import(member, f"{headings}\nAnna,Berg,anna@nordlicht.example ::: a@private.example,Nordlicht,Buyer,12,Tall\n")
    (anna,) = _contacts(member)
    assert (anna.name, anna.addresses) == ("Anna Berg", ("anna@nordlicht.example", "a@private.example"))
    assert (anna.company, anna.title, anna.phone, anna.note) == ("Nordlicht", "Buyer", "12", "Tall")


def test_a_name_is_made_of_the_address_where_there_is_none(member: Someone) -> None:
    _import(member, "Email\nAnna Berg <anna.berg@nordlicht.example>\n")
    assert [(one.name, one.addresses) for one in _contacts(member)] == [("Anna Berg", ("anna.berg@nordlicht.example",))]


def test_the_file_is_gone_when_it_was_decided_about(member: Someone) -> None:
    where, _ = _look(member, FULL)
    member.post(f"{where}/drop")
    assert "not here any more" in _page(member.client.get(where, follow=True))
    where, _ = _look(member, FULL)
    member.post(where, {"leave_out": "0"})
    assert "not here any more" in _page(member.client.post(where, {"leave_out": "0"}, follow=True))
    with member.scope():
        assert rows("SELECT 1 FROM contact_upload") == []


def test_a_file_is_its_members_alone(member: Someone, colleague: Someone, stranger: Someone) -> None:
    where, _ = _look(member, FULL)
    for somebody in (colleague, stranger):
        assert somebody.get(where).status_code == 404
        assert somebody.get(f"{where}/errors").status_code == 404
        assert somebody.post(where, {"leave_out": "0"}).status_code == 404
        assert somebody.post(f"{where}/drop").status_code == 404
    assert member.get(where).status_code == 200
    for path in (where, EXPORT, f"{UPLOAD}/example"):
        assert Client().get(path).status_code == 302


def test_both_are_audited(member: Someone) -> None:
    _import(member, FULL)
    _export(member)
    with member.scope():
        found = rows("SELECT verb, actor_id, cardinality(object_ids) FROM audit ORDER BY id")
    assert found == [("import_contacts", member.member_id, 2), ("export_contacts", member.member_id, 0)]
    page = _page(member.get("/settings/audit"))
    assert "Imported contacts" in page
    assert "(2 contacts)" in page


def test_the_example_can_be_imported(member: Someone) -> None:
    _import(member, b"".join(member.get(f"{UPLOAD}/example").streaming_content))
    assert _names(member) == ["Anna Berg", "Tom Krüger"]


def test_the_export_opens_in_a_spreadsheet_and_runs_nothing(member: Someone, colleague: Someone, stranger: Someone) -> None:
    member.contact("=HYPERLINK(1)", "anna@nordlicht.example", "+x@nordlicht.example", phone="+49 381", note="@SUM(1)")
    answer = colleague.get(EXPORT)
    assert answer["Content-Type"] == "text/csv"
    assert answer["Content-Disposition"].startswith('attachment; filename="contacts-')
    written = b"".join(answer.streaming_content)
    assert written.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(StringIO(written.decode("utf-8-sig")))) == [
        ["Name", "Email", "Email 2", "Company", "Job title", "Phone", "Note"],
        ["'=HYPERLINK(1)", "anna@nordlicht.example", "'+x@nordlicht.example", "", "", "'+49 381", "'@SUM(1)"],
    ]
    assert b"anna@" not in _export(stranger)


_LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30).map(str.strip)
_NAME = _LINE.map(lambda text: " ".join(text.split())).filter(bool) | st.sampled_from(
    ["=1+1", "'=x", "''@a", "-", "a,b;c", '"']
)
_ADDRESSES = st.lists(st.from_regex(r"[a-z=+@'\-:]{0,4}[a-z0-9]@[a-z]{1,8}\.example", fullmatch=True), max_size=13, unique=True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(
        st.tuples(_NAME, _ADDRESSES, _LINE, _LINE, _LINE, _LINE | st.just("one\r\ntwo\nthree\rfour")), min_size=1, max_size=5
    )
)
def test_what_is_exported_and_imported_is_the_same(people: list[tuple[str, list[str], str, str, str, str]]) -> None:
    one, other = make_someone(make_workspace(), role="admin"), make_someone(make_workspace(), role="admin")
    taken: set[str] = set()
    with workspace_scope(one.workspace_id):
        for name, addresses, company, title, phone, note in people:
            free = tuple(address for address in addresses if address not in taken)
            taken |= set(free)
            company_id = do_name_company(workspace_id=one.workspace_id, name=company)
            fields = ContactFields(name, free, title, phone, note, company_id)
            do_create_contact(workspace_id=one.workspace_id, fields=fields)
    _import(other, _export(one))

    def told(someone: Someone) -> list[tuple[str, ...]]:
        return sorted(
            (found.name, *found.addresses, found.company, found.title, found.phone, found.note) for found in _contacts(someone)
        )

    assert told(other) == told(one)
