"""One mail in, its meaning out, whatever the bytes."""

import base64
import hashlib
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail import mime
from flowcrm.mail.types import Address, ParsedMail, Role
from tests.unit.mail.corpus import mail, multipart

PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n"
PDF = b'Content-Type: application/pdf; name="offer.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg=='


def names(parsed: ParsedMail) -> list[str]:
    return [file.name for file in parsed.attachments]


def test_a_mail_as_programs_write_it() -> None:
    message = EmailMessage()
    message["From"] = "Anna Berg <Anna@Nord.example>"
    message["To"] = "ben@acme.example, Carla <carla@acme.example>"
    message["Subject"] = "Angebot für März"
    message["Date"] = "Mon, 02 Nov 2026 09:00:00 +0100"
    message["Message-ID"] = "<one@nord.example>"
    message["References"] = "<zero@acme.example>"
    message.set_content("Grüße")
    message.add_alternative('<p>Grüße <img src="cid:logo@x"></p>', subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Übersicht.pdf")
    parsed = mime.parse(message.as_bytes())
    assert parsed.of(Role.FROM) == (Address("Anna Berg", "anna@nord.example"),)
    assert [one.email for one in parsed.of(Role.TO)] == ["ben@acme.example", "carla@acme.example"]
    assert parsed.subject == "Angebot für März"
    assert parsed.date is not None
    assert parsed.date.isoformat() == "2026-11-02T08:00:00+00:00"
    assert (parsed.message_id, parsed.references) == ("one@nord.example", ("zero@acme.example",))
    assert parsed.text.strip() == "Grüße"
    assert parsed.html is not None
    [file] = parsed.attachments
    assert (file.part, file.name, file.type, file.size, file.inline) == ("2", "Übersicht.pdf", "application/pdf", 4, False)
    assert file.sha256 == hashlib.sha256(b"%PDF").digest()
    assert not parsed.flags


def test_an_empty_mail_is_a_mail() -> None:
    parsed = mime.parse(b"")
    assert (parsed.text, parsed.html, parsed.attachments, parsed.people) == ("", None, (), ())
    assert {"no_from", "bad_date"} <= parsed.flags


def test_everybody_in_several_from_headers_counts() -> None:
    parsed = mime.parse(b"From: a@x.example\r\nFrom: b@x.example\r\nReply-To: c@x.example\r\n\r\n")
    assert [one.email for one in parsed.of(Role.FROM)] == ["a@x.example", "b@x.example"]
    assert [one.email for one in parsed.of(Role.REPLY_TO)] == ["c@x.example"]


def test_of_two_forms_the_plain_one_is_the_text() -> None:
    parsed = mime.parse(multipart(PLAIN + b"plain", HTML + b"<p>rich", kind="alternative"))
    assert (parsed.text, parsed.html) == ("plain", "<p>rich")


def test_where_the_plain_form_is_empty_the_html_is_read() -> None:
    assert mime.parse(multipart(PLAIN + b" \r\n", HTML + b"<p>rich", kind="alternative")).text == "rich"


def test_texts_that_follow_each_other_are_one() -> None:
    parsed = mime.parse(multipart(PLAIN + b"one\r\n", PDF, PLAIN + b"_____\r\na list's footer"))
    assert parsed.text == "one\n\n_____\na list's footer"
    assert names(parsed) == ["offer.pdf"]


def test_a_plain_footer_below_html_is_seen_in_both_forms() -> None:
    parsed = mime.parse(multipart(HTML + b"<p>Hello", PLAIN + b"footer <here>"))
    assert parsed.text == "Hello\nfooter <here>"
    assert parsed.html is not None
    assert "footer &lt;here&gt;" in parsed.html


@pytest.mark.parametrize(
    "header",
    [
        b'Content-Type: text/plain; name="notes.txt"\r\n\r\n',
        b'Content-Type: text/plain\r\nContent-Disposition: inline; filename="notes.txt"\r\n\r\n',
        b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=notes.txt\r\n\r\n",
    ],
)
def test_a_text_with_a_file_name_is_a_file(header: bytes) -> None:
    parsed = mime.parse(multipart(PLAIN + b"own", header + b"notes"))
    assert parsed.text == "own"
    assert names(parsed) == ["notes.txt"]


def test_a_named_text_that_is_all_there_is_to_read_is_the_text() -> None:
    named = b'Content-Type: text/plain; name="x.txt"\r\n\r\nHello'
    assert mime.parse(named).text == "Hello"
    parsed = mime.parse(multipart(named, PDF))
    assert (parsed.text, names(parsed)) == ("Hello", ["offer.pdf"])


def test_pictures_in_the_html_are_inline_by_use_not_by_header() -> None:
    def picture(cid: str) -> bytes:
        return b"Content-Type: image/png\r\nContent-ID: <" + cid.encode() + b">\r\nContent-Disposition: attachment\r\n\r\nx"

    parsed = mime.parse(multipart(HTML + b'<img src="cid:a%40x">', picture("a@x"), picture("b@x"), kind="related"))
    assert [(file.content_id, file.inline) for file in parsed.attachments] == [("a@x", True), ("b@x", False)]


def test_a_third_form_of_the_text_is_no_file_but_an_invitation_is() -> None:
    amp = b"Content-Type: text/x-amp-html\r\n\r\n<html amp4email>"
    invitation = b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR"
    parsed = mime.parse(multipart(PLAIN + b"a", amp, HTML + b"b", invitation, kind="alternative"))
    assert [file.type for file in parsed.attachments] == ["text/calendar"]
    assert "invite" in parsed.flags


def test_a_message_inside_is_a_file_and_not_the_text() -> None:
    parsed = mime.parse(
        multipart(PLAIN + b"see below", b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text")
    )
    assert parsed.text == "see below"
    assert [file.type for file in parsed.attachments] == ["message/rfc822"]


def test_a_file_inside_the_text_is_a_file() -> None:
    raw = mail(b"before\nbegin 644 a.txt\n#86)C\n`\nend\nafter\n", From="a@x.example")
    parsed = mime.parse(raw)
    assert parsed.text == "before\n\nafter\n"
    [file] = parsed.attachments
    assert (file.part, file.name, file.size) == ("1.u1", "a.txt", 3)
    assert mime.part(raw, "1.u1") == (file, b"abc")


def test_winmail_dat_stays_a_file_and_is_flagged() -> None:
    parsed = mime.parse(multipart(PLAIN + b"a", b'Content-Type: application/ms-tnef; name="winmail.dat"\r\n\r\nx'))
    assert names(parsed) == ["winmail.dat"]
    assert "tnef" in parsed.flags


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\b.txt", "b.txt"),
        ("=?utf-8?q?gpj.=E2=80=AEexe?=", "gpj.exe"),
        ("a" * 500 + ".pdf", "a" * 196 + ".pdf"),
        ("a\tb.txt", "a b.txt"),
    ],
)
def test_file_names_are_only_names(name: str, safe: str) -> None:
    part = f'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="{name}"\r\n\r\nx'
    assert names(mime.parse(multipart(part.replace("\\", "\\\\").encode()))) == [safe]


@pytest.mark.parametrize(
    ("flag", "fields"),
    [
        ("bad_date", {"Date": "yesterday"}),
        ("no_from", {"To": "a@x.example"}),
        ("bad_charset", {"Content_Type": "text/plain; charset=klingon"}),
        ("malformed", {"Content_Type": "multipart/mixed"}),
    ],
)
def test_what_could_not_be_read_is_named(flag: str, fields: dict[str, str]) -> None:
    assert flag in mime.parse(mail(b"caf\xe9", **fields)).flags


def test_no_nul_and_no_lone_surrogate_leaves_the_parser() -> None:
    raw = mail(
        b"a\0b+2AA-",
        Subject="x\0y",
        From="\0Joe <j\0@x.example>",
        Message_ID="<a\0@x>",
        Content_Type="text/plain; charset=utf-7",
    )
    assert "\\x00" not in repr(mime.parse(raw)).replace(repr(mime.parse(raw).headers), "")
    assert mime.parse(raw).text == "ab"


def test_one_attachment_is_read_by_its_number() -> None:
    raw = multipart(PLAIN + b"text", PDF)
    file, content = mime.part(raw, "2")
    assert (file.name, content) == ("offer.pdf", b"%PDF")
    with pytest.raises(mime.NoSuchPart):
        mime.part(raw, "1")


def test_attachments_are_taken_out_without_touching_the_rest() -> None:
    raw = multipart(PLAIN + b"text", PDF, PDF.replace(b"offer", b"other"))
    cut = mime.without(raw, {"2"})
    before, after = mime.parse(raw), mime.parse(cut)
    assert after.text == before.text
    assert [(file.part, file.name, file.size) for file in after.attachments] == [("2", "offer.pdf", 0), ("3", "other.pdf", 4)]
    assert after.attachments[1] == before.attachments[1]
    assert len(cut) == len(raw) - len("JVBERg==")


def test_a_file_inside_a_text_is_taken_out_where_the_text_is_not_encoded() -> None:
    inside = b"before\nbegin 644 a.txt\n#86)C\n`\nend\nafter\n"
    assert mime.without(mail(inside), {"1.u1"}) == mail(b"before\n\nafter\n")
    encoded = mail(base64.encodebytes(inside), Content_Transfer_Encoding="base64")
    assert mime.without(encoded, {"1.u1"}) == encoded


_HEADERS = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=b1\r\n",
        b"Content-Type: multipart/alternative; boundary=b1\r\n",
        b"Content-Type: text/html; charset=utf-7\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Subject: =?utf-8?q?a?= =?x?b?c?=\r\n",
        b"From: \xff <a@b>, (\r\n",
        b"\r\n",
        b"--b1\r\n",
        b"--b1--\r\n",
        b"begin 644 x\r\n",
        b"<html><blockquote>\r\n",
    ]
)


@given(st.lists(st.one_of(_HEADERS, st.binary(max_size=40))).map(b"".join))
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    parsed = mime.parse(raw)
    header, body = mime.split_header(raw)
    assert header + body == raw
    assert parsed.headers == header
    for file in parsed.attachments:
        assert mime.part(raw, file.part)[0] == file
    for text in (parsed.text, parsed.subject, parsed.html or "", *(one.name for one in parsed.attachments)):
        text.encode()
        assert "\0" not in text
    assert mime.parse(raw) == parsed


@given(st.lists(st.one_of(_HEADERS, st.binary(max_size=40))).map(b"".join))
def test_taking_files_out_keeps_numbers_and_text(raw: bytes) -> None:
    before = mime.parse(raw)
    numbers = {file.part for file in before.attachments if ".u" not in file.part}
    after = mime.parse(mime.without(raw, numbers))
    assert after.text == before.text
    assert [file.part for file in after.attachments] == [file.part for file in before.attachments]
