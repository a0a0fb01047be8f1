"""A fetched mail becomes rows that are keyed and sealed, and nothing of it stays readable."""

import json
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.ingest.pipeline import prepare
from flowcrm.mail import mime
from flowcrm.mail.prepared import MessageFlag, Prepared
from flowcrm.mail.types import Role
from flowcrm.mail.words import ATTACHMENT, BODY, FILES, FOLDER, HAS, MAILBOX, PEOPLE, SUBJECT, bcc_class, folder_word
from flowcrm.vault.seal import open_packed, open_text
from tests.unit.ingest.mails import AT, TEXT, context, fetched, offer, prepared, vault
from tests.unit.mail.corpus import mails, multipart

PDF = b'Content-Type: application/pdf; name="offer.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjc=\r\n'


def head(mail: Prepared) -> dict[str, object]:
    opened: dict[str, object] = json.loads(open_text(vault(), "head", mail.copy_id, mail.s_head))
    return opened


def token(token_class: str, word: str) -> int:
    return vault().token(token_class, word)


def test_what_the_provider_said_is_passed_on() -> None:
    mail = prepared(offer(), thread_id="t1", unread=False, folder_ids=frozenset({"INBOX", "Label_1"}))
    assert (mail.provider_id, mail.thread_id, mail.at, mail.unread) == ("p1", "t1", AT, False)
    assert mail.folder_ids == {"INBOX", "Label_1"}
    assert mail.gen == vault().generation


def test_the_head_opens_to_what_lists_show() -> None:
    raw = offer(Cc="Carla <carla@acme.example>", Bcc="dora@acme.example", Reply_To="sales@nord.example")
    assert head(prepared(raw)) == {
        "from": [["Anna Berg", "anna@nord.example"]],
        "sender": [],
        "reply_to": [["", "sales@nord.example"]],
        "to": [["Ben", "ben@acme.example"]],
        "cc": [["Carla", "carla@acme.example"]],
        "bcc": [["", "dora@acme.example"]],
        "subject": "Offer",
        "snippet": "Hello Ben, please find our offer below. Anna",
        "files": [],
        "date": "2026-11-02T08:00:00+00:00",
        "message_id": "offer@nord.example",
    }


def test_header_block_text_and_body_open_byte_for_byte() -> None:
    raw = offer()
    mail = prepared(raw)
    headers = open_packed(vault(), "headers", mail.copy_id, mail.s_headers)
    assert headers + mail.body == raw
    assert open_text(vault(), "body", mail.variant_id, mail.s_body) == TEXT.decode().replace("\r\n", "\n")
    assert mail.h_body == vault().lookup_bytes("blob", mail.body)


def test_nothing_of_the_mail_is_readable_but_the_body_that_is_sealed_next() -> None:
    mail = prepared(
        multipart(b"\r\nHello secret", PDF, Subject="secret", Message_ID="<secret@x.example>", To="secret@x.example")
    )
    shown = repr(mail).encode() + b"".join([mail.s_head, mail.s_headers, mail.s_body, *(file.s_meta for file in mail.files)])
    assert b"secret" not in shown
    assert b"offer.pdf" not in shown


def test_people_are_hashed_by_role_once() -> None:
    mail = prepared(offer(To="Ben <ben@acme.example>, BEN@acme.example, nobody", Bcc="dora@acme.example"))
    roles = [(one.role, one.h_address) for one in mail.people]
    assert roles == [
        (Role.FROM, vault().lookup("address", "anna@nord.example")),
        (Role.TO, vault().lookup("address", "ben@acme.example")),
        (Role.BCC, vault().lookup("address", "dora@acme.example")),
    ]
    assert mail.people[0].h_domain == vault().lookup("domain", "nord.example")


@pytest.mark.parametrize(
    ("sender", "folders", "sent"),
    [
        ("anna@nord.example", {"INBOX"}, False),
        ("Ben@ACME.example", {"INBOX"}, True),
        ("anna@nord.example", {"SENT"}, True),
        ("", {"INBOX"}, False),
    ],
)
def test_sent_is_what_the_owner_wrote_or_what_lies_in_sent(sender: str, folders: set[str], sent: bool) -> None:
    assert prepared(offer(From=sender), folder_ids=frozenset(folders)).sent is sent


def test_ties_are_the_own_id_the_named_ids_and_the_thread_in_this_mailbox() -> None:
    raw = offer(References="<zero@x.example> <ONE@x.example>", In_Reply_To="<one@x.example>")
    mail = prepared(raw, thread_id="t1")
    ids = ("offer@nord.example", "zero@x.example", "one@x.example")
    assert mail.h_mids == (*(vault().lookup("message_id", one) for one in ids), vault().lookup("thread", "7/t1"))
    assert prepared(raw, thread_id="t1", mailbox_id=8).h_mids[-1] != mail.h_mids[-1]


def test_a_bounce_is_tied_to_the_mail_that_it_returns() -> None:
    returned = b"Content-Type: message/rfc822\r\n\r\nMessage-ID: <offer@nord.example>\r\n\r\n"
    bounce = multipart(b"\r\nfailed", returned, Content_Type="multipart/report; report-type=delivery-status; boundary=b1")
    assert set(prepared(bounce).h_mids) & set(prepared(offer()).h_mids)


def test_words_are_found_in_their_class_and_only_there() -> None:
    raw = multipart(
        b"\r\nQuarterly figures", PDF, Subject="Große Offerte", To="Ben Long <ben@acme.example>", Bcc="dora@acme.example"
    )
    tokens = set(prepared(raw).tokens)
    assert {token(BODY, "quarterly"), token(SUBJECT, "grosse"), token(FILES, "pdf"), token(PEOPLE, "long")} <= tokens
    assert {token(PEOPLE, "ben@acme.example"), token(PEOPLE, "acme"), token(bcc_class(7), "dora")} <= tokens
    assert {token(MAILBOX, "7"), token(FOLDER, folder_word(7, "INBOX")), token(HAS, ATTACHMENT)} <= tokens
    assert not {token(SUBJECT, "quarterly"), token(BODY, "grosse"), token(PEOPLE, "dora"), token(bcc_class(8), "dora")} & tokens
    assert len(tokens) == len(prepared(raw).tokens)


def test_attachments_are_listed_with_their_names_sealed() -> None:
    mail = prepared(multipart(b"\r\nHello", PDF))
    [file] = mail.files
    assert (file.part, file.size, file.inline, file.over_limit) == ("2", 8, False, False)
    meta = json.loads(open_text(vault(), "file", file.id, file.s_meta))
    assert meta == {"name": "offer.pdf", "type": "application/pdf", "content_id": ""}
    assert mail.flags & MessageFlag.HAS_FILES
    assert head(mail)["files"] == ["offer.pdf"]
    assert mail.body_whole


def test_what_is_over_the_limit_is_listed_and_left_at_the_provider() -> None:
    raw = multipart(b"\r\nHello", PDF, PDF.replace(b"JVBERi0xLjc=", b"JVBE"), From="anna@nord.example")
    mail = prepared(raw, limit=5)
    assert [(file.part, file.size, file.over_limit) for file in mail.files] == [("2", 8, True), ("3", 3, False)]
    assert not mail.body_whole
    assert mail.flags & MessageFlag.AT_PROVIDER
    headers = open_packed(vault(), "headers", mail.copy_id, mail.s_headers)
    stored = mime.parse(headers + mail.body)
    assert (stored.text, [file.size for file in stored.attachments]) == ("Hello", [0, 3])
    assert b"JVBERi0xLjc=" not in mail.body


def test_a_mail_exactly_at_the_limit_is_kept_whole() -> None:
    assert prepared(multipart(b"\r\nHello", PDF), limit=8).body_whole


def test_signatures_and_pictures_in_the_text_are_no_attachments_to_look_for() -> None:
    signature = b'Content-Type: application/pgp-signature; name="signature.asc"\r\n\r\nx'
    mail = prepared(multipart(b"\r\nHello", signature, kind="signed"))
    assert mail.flags & MessageFlag.SIGNED
    assert not mail.flags & MessageFlag.HAS_FILES
    assert token(HAS, ATTACHMENT) not in mail.tokens


def test_ids_are_taken_once_each() -> None:
    taken: list[int] = []
    given_ids = iter(range(100, 200))

    def next_id() -> int:
        taken.append(next(given_ids))
        return taken[-1]

    base = context()
    mail = prepare(
        fetched(multipart(b"\r\nHello", PDF, PDF)),
        type(base)(base.vault, base.mailbox_id, base.own_addresses, base.sent_folders, base.attachment_limit, next_id),
    )
    assert sorted([mail.copy_id, mail.variant_id, mail.body_id, *(file.id for file in mail.files)]) == taken


@given(st.binary(max_size=300))
def test_any_bytes_become_a_mail(raw: bytes) -> None:
    mail = prepared(raw)
    assert open_packed(vault(), "headers", mail.copy_id, mail.s_headers) + mail.body == raw
    head(mail)
    assert mail.h_keys


def test_every_flag_of_the_parser_has_its_bit() -> None:
    for raw in (offer(), b"", multipart(b"\r\nx", b"Content-Type: text/calendar\r\n\r\n", PDF)):
        for name in mime.parse(raw).flags:
            assert prepared(raw).flags & MessageFlag[name.upper()]


@pytest.mark.needs_shared
def test_real_mail_is_prepared_the_same_way_each_time() -> None:
    for _, raw in mails("mime/mikel-mail"):
        first, again = prepared(raw), prepared(raw)
        assert (first.h_keys, first.h_mids, first.tokens, first.people) == (
            again.h_keys,
            again.h_mids,
            again.tokens,
            again.people,
        )


@pytest.mark.needs_shared
def test_copies_of_one_mail_in_an_archive_share_a_key() -> None:
    duplicates = [raw for name, raw in mails("mime/notmuch-corpora/duplicate") if b"Message-I" in raw]
    assert duplicates
    keys = [set(prepared(raw).h_keys) for raw in duplicates]
    ids = [mime.parse(raw).message_id for raw in duplicates]
    for (one, its_id), (other, other_id) in permutations(zip(keys, ids, strict=True), 2):
        # Their bodies differ on purpose: one id alone must not make them one message.
        assert its_id == other_id or not one & other
