"""What kind of mail it is."""

import pytest

from flowcrm.mail import mime
from tests.unit.mail.corpus import mail, multipart

PERSON = {"From": "Anna <anna@nord.example>", "Date": "Mon, 02 Nov 2026 09:00:00 +0100"}
TEXT = b"\r\nHello\r\n"


@pytest.mark.parametrize(
    ("flags", "fields"),
    [
        (set(), {}),
        ({"auto_reply"}, {"Auto-Submitted": "auto-replied"}),
        (set(), {"Auto-Submitted": "no"}),
        ({"auto_reply"}, {"X-Autoreply": "yes"}),
        ({"auto_reply"}, {"Precedence": "auto_reply"}),
        ({"auto_reply"}, {"Subject": "Automatic reply: Offer"}),
        (set(), {"Subject": "Re: Automatic reply: Offer"}),
        ({"list"}, {"List-Id": "<list.x.example>"}),
        ({"list"}, {"Precedence": "bulk"}),
        ({"list"}, {"List-Unsubscribe": "<mailto:x@x.example>"}),
        ({"bounce"}, {"X-Failed-Recipients": "a@x.example"}),
        ({"bounce"}, {"From": "MAILER-DAEMON@x.example", "Subject": "anything"}),
        ({"bounce"}, {"From": "postmaster@x.example", "Subject": "Undeliverable: Offer"}),
        ({"bounce"}, {"From": "postmaster@x.example", "Return-Path": "<>"}),
        (set(), {"From": "postmaster@x.example", "Subject": "Maintenance tonight"}),
        (set(), {"Subject": "Delivery failed? Call me"}),
        ({"encrypted"}, {"Content-Type": 'application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"'}),
        ({"signed"}, {"Content-Type": 'application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"'}),
    ],
)
def test_flags_from_headers(flags: set[str], fields: dict[str, str]) -> None:
    assert mime.parse(mail(b"Hello", **{**PERSON, **fields})).flags == flags


@pytest.mark.parametrize(
    ("flag", "kind", "part"),
    [
        ("bounce", "report; report-type=delivery-status", b"Content-Type: message/delivery-status\r\n\r\nStatus: 5.1.1\r\n"),
        ("bounce", "report", b"Content-Type: message/delivery-status\r\n\r\nStatus: 5.1.1\r\n"),
        (
            "auto_reply",
            "report; report-type=disposition-notification",
            b"Content-Type: message/disposition-notification\r\n\r\n",
        ),
        ("auto_reply", "report; report-type=feedback-report", b"Content-Type: message/feedback-report\r\n\r\n"),
        ("encrypted", "encrypted", b"Content-Type: application/octet-stream\r\n\r\n"),
        ("signed", "signed", b'Content-Type: application/pgp-signature; name="signature.asc"\r\n\r\n'),
        ("invite", "mixed", b'Content-Type: application/octet-stream; name="invite.ICS"\r\n\r\n'),
    ],
)
def test_flags_from_parts(flag: str, kind: str, part: bytes) -> None:
    subtype, _, rest = kind.partition(";")
    raw = multipart(TEXT, part, kind=subtype, Content_Type=f"multipart/{subtype}; boundary=b1;{rest}")
    assert flag in mime.parse(raw).flags


def test_inline_pgp_is_seen_in_the_text() -> None:
    assert "encrypted" in mime.parse(mail(b"-----BEGIN PGP MESSAGE-----\r\n\r\nx")).flags
    assert "signed" in mime.parse(mail(b"-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nx")).flags


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers", "message/global"])
def test_a_bounce_names_the_mail_that_it_returns(kind: str) -> None:
    returned = f"Content-Type: {kind}\r\n\r\nMessage-ID: <lost@x.example>\r\nSubject: Offer\r\n\r\n".encode()
    raw = multipart(TEXT, returned, kind="report", Content_Type="multipart/report; report-type=delivery-status; boundary=b1")
    assert mime.parse(raw).references == ("lost@x.example",)


def test_a_forwarded_mail_is_not_a_reference() -> None:
    raw = multipart(TEXT, b"Content-Type: message/rfc822\r\n\r\nMessage-ID: <other@x.example>\r\n\r\n")
    assert mime.parse(raw).references == ()
