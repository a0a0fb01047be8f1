"""Which mails are one message, in whatever order and mailbox they arrive."""

from datetime import timedelta

import pytest

from tests.unit.ingest.mails import AT, TEXT, offer, prepared, same_message
from tests.unit.mail.corpus import multipart

BANNER = b"CAUTION: This email originated from outside of the organization. Do not click links.\r\n\r\n"
FOOTER = b"\r\n_______________________________________________\r\na list\r\n"


def file(content: bytes, name: str = "offer.pdf") -> bytes:
    return f'Content-Type: application/pdf; name="{name}"\r\n\r\n'.encode() + content


@pytest.mark.parametrize(
    "other",
    [
        offer(),
        b"Received: by mx.acme.example\r\n" + offer(),
        offer(Message_ID="<Offer@NORD.example>"),
        offer(Message_ID="offer@nord.example"),
        offer(BANNER + TEXT),
        offer(TEXT + FOOTER),
        offer(Subject="[EXTERNAL] Offer"),
        offer(Date="Mon, 02 Nov 2026 09:00:00 +0100"),
        offer(From="anna@NORD.example"),
        offer(TEXT.replace(b"\r\n", b"\n")),
        offer(Message_ID="<rewritten@mail.example>"),
        offer(Message_ID=""),
        offer(To="carla@acme.example", Bcc="dora@acme.example"),
    ],
)
def test_copies_of_one_mail_are_one_message(other: bytes) -> None:
    assert same_message(offer(), other)
    assert same_message(other, offer())


@pytest.mark.parametrize(
    "other",
    [
        offer(b"Something else.\r\n"),  # somebody re-used the id
        offer(b"Something else.\r\n", Message_ID="<other@nord.example>"),
        offer(From="mallory@evil.example"),
        offer(Message_ID="<other@nord.example>", Date="Mon, 02 Nov 2026 08:00:01 +0000"),
        offer(Message_ID="<other@nord.example>", Subject="Invoice"),
        offer(Message_ID="<other@nord.example>", To="carla@acme.example"),  # a mail merge
        multipart(
            TEXT,
            file(b"%PDF"),
            From="Anna Berg <anna@nord.example>",
            Date="Mon, 02 Nov 2026 08:00:00 +0000",
            Message_ID="<offer@nord.example>",
        ),
    ],
)
def test_other_mails_are_other_messages(other: bytes) -> None:
    assert not same_message(offer(), other)


def test_attachments_count_by_content_not_by_name_or_order() -> None:
    fields = {"From": "anna@nord.example", "Date": "Mon, 02 Nov 2026 08:00:00 +0000"}
    one = multipart(b"\r\nHello", file(b"a"), file(b"b"), **fields)
    assert same_message(one, multipart(b"\r\nHello", file(b"b", "x.pdf"), file(b"a", "y.pdf"), **fields))
    assert not same_message(one, multipart(b"\r\nHello", file(b"a"), file(b"c"), **fields))


def test_what_is_over_the_limit_still_counts() -> None:
    fields = {"From": "anna@nord.example", "Date": "Mon, 02 Nov 2026 08:00:00 +0000"}
    raw = multipart(b"\r\nHello", file(b"x" * 50), **fields)
    assert prepared(raw, limit=10).h_keys == prepared(raw, limit=100).h_keys


def test_mails_without_date_and_id_are_kept_apart_by_the_providers_time() -> None:
    raw = offer(Date="", Message_ID="")
    assert prepared(raw).h_keys == prepared(raw).h_keys
    assert not set(prepared(raw).h_keys) & set(prepared(raw, at=AT + timedelta(seconds=1)).h_keys)


def test_exact_content_tells_variants_apart_and_the_core_joins_them() -> None:
    plain, with_footer = prepared(offer()), prepared(offer(TEXT + FOOTER))
    assert plain.h_content != with_footer.h_content
    assert plain.h_core == with_footer.h_core
    assert plain.h_candidate == with_footer.h_candidate


def test_without_an_id_the_content_is_the_candidate() -> None:
    mail = prepared(offer(Message_ID=""))
    assert mail.h_keys == (mail.h_candidate,)
