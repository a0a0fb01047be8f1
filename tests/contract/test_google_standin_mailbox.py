"""What must hold of the mailbox under every stand-in, and of the small languages that it is asked in, for any input."""

import string
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standins.faults import Fault, FaultBook, FaultKind
from standins.google import multipart
from standins.google.errors import ApiError
from standins.google.gmail.fields import keep_fields
from standins.google.gmail.render import from_base64, message, to_base64
from standins.google.gmail.search import Query, visible
from standins.google.world import SYSTEM_LABELS
from standins.mailbox import Event, EventKind, HistoryExpired, LabelTaken, Mail, Mailbox, UnknownLabel, UnknownMail
from standins.rfc822 import Head, header_fields, readable, snippet
from tests.contract.google_standin import ANN, AT, BEN, mail

_LABELS = ["INBOX", "UNREAD", "STARRED", "SPAM"]
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 9), st.sets(st.sampled_from(_LABELS))),
        st.tuples(st.just("label"), st.integers(0, 9), st.sets(st.sampled_from(_LABELS))),
        st.tuples(st.just("delete"), st.integers(0, 9), st.just(set())),
    ),
    max_size=40,
)


def _box() -> Mailbox:
    return Mailbox(ANN, SYSTEM_LABELS)


def _carry_out(mailbox: Mailbox, step: tuple[str, int, set[str]]) -> None:
    what, number, labels = step
    mails = list(mailbox.newest_first())
    if what == "add":
        mailbox.add(mail(number=number), labels, AT + number)
    elif mails and what == "label":
        mailbox.change_labels(mails[number % len(mails)].id, add=labels, remove=set(_LABELS) - labels)
    elif mails:
        mailbox.delete(mails[number % len(mails)].id)


def _state(mailbox: Mailbox) -> dict[str, frozenset[str]]:
    return {found.id: found.labels for found in mailbox.newest_first()}


def _replay(state: dict[str, frozenset[str]], event: Event) -> None:
    if event.kind is EventKind.DELETED:
        del state[event.mail_id]
    else:
        state[event.mail_id] = event.labels


@given(before=_STEPS, after=_STEPS, page=st.integers(1, 5))
def test_the_history_after_any_bookmark_leads_from_that_moment_to_now(
    before: list[tuple[str, int, set[str]]], after: list[tuple[str, int, set[str]]], page: int
) -> None:
    mailbox = _box()
    for step in before:
        _carry_out(mailbox, step)
    state, bookmark = _state(mailbox), mailbox.history_id
    for step in after:
        _carry_out(mailbox, step)

    more = True
    while more:
        events, more = mailbox.history(bookmark, page)
        for event in events:
            assert event.id > bookmark
            bookmark = event.id
            _replay(state, event)

    assert state == _state(mailbox)
    assert bookmark <= mailbox.history_id


@given(steps=_STEPS)
def test_lists_and_threads_always_agree_with_the_mails(steps: list[tuple[str, int, set[str]]]) -> None:
    mailbox = _box()
    for step in steps:
        _carry_out(mailbox, step)

    mails = list(mailbox.newest_first())

    assert [found.place for found in mails] == sorted((found.place for found in mails), reverse=True)
    threads = {found.thread_id for found in mails}
    assert mailbox.count() == (len(mails), len(threads))
    assert sorted(found.id for thread in threads for found in mailbox.thread(thread)) == sorted(found.id for found in mails)


@given(steps=_STEPS, last=st.sampled_from(["bytes", "label", "nothing"]))
def test_the_digest_changes_exactly_when_something_was_written(steps: list[tuple[str, int, set[str]]], last: str) -> None:
    boxes = [_box(), _box()]
    for mailbox in boxes:
        mailbox.add(mail(), ["INBOX"], AT)
        for step in steps:
            _carry_out(mailbox, step)
    first, second = boxes
    if last == "bytes":
        second.add(b"", [], AT)
    if last == "label":
        second.create_label("New")

    assert (first.digest() == second.digest()) == (last == "nothing")


def test_unknown_things_are_named_as_such() -> None:
    mailbox = _box()
    mailbox.create_label("Customers")
    calls: list[tuple[type[Exception], Callable[[], Any]]] = [
        (UnknownMail, lambda: mailbox.mail("19ff")),
        (UnknownMail, lambda: mailbox.thread("19ff")),
        (UnknownMail, lambda: mailbox.add(mail(), [], AT, "19ff")),
        (UnknownLabel, lambda: mailbox.add(mail(), ["Label_9"], AT)),
        (UnknownLabel, lambda: mailbox.delete_label("Label_9")),
        (LabelTaken, lambda: mailbox.create_label("CUSTOMERS")),
        (HistoryExpired, lambda: mailbox.history(mailbox.history_id + 1, 1)),
    ]

    for error, call in calls:
        with pytest.raises(error):
            call()
    assert mailbox.count() == (0, 0)


# -- any bytes, any text -----------------------------------------------------------------------------------------------


@given(raw=st.binary(max_size=300))
def test_any_bytes_can_be_delivered_shown_and_searched(raw: bytes) -> None:
    mailbox = _box()
    delivered = mailbox.add(raw, ["INBOX"], AT)

    assert from_base64(message(delivered, "raw")["raw"]) == raw
    for wanted in ("full", "metadata", "minimal"):
        assert message(delivered, wanted)["id"] == delivered.id
    assert Query("-from:nobody", ()).matches(delivered)


@given(raw=st.binary(max_size=200))
def test_base64_takes_both_alphabets_with_and_without_padding(raw: bytes) -> None:
    safe = to_base64(raw)

    for text in (safe, safe.rstrip("="), safe.replace("-", "+").replace("_", "/")):
        assert from_base64(text) == raw


@given(query=st.text(alphabet=string.ascii_lowercase + '{}()-:" OR/@.', max_size=60))
def test_any_search_is_answered(query: str) -> None:
    delivered = _box().add(mail(), ["INBOX"], AT)

    assert Query(query, SYSTEM_LABELS).matches(delivered) in (True, False)


@given(mask=st.text(alphabet="ab(),/* ", max_size=20))
def test_any_field_mask_is_applied_or_refused(mask: str) -> None:
    answer: dict[str, Any] = {"a": [{"b": 1, "a": 2}], "b": {"a": 3}}
    kept: dict[str, Any] = {}
    with suppress(ApiError):
        kept = keep_fields(answer, mask)

    assert kept.keys() <= answer.keys()


@given(parts=st.lists(st.binary(max_size=80).filter(lambda data: b"edge" not in data), min_size=1, max_size=4))
def test_parts_of_a_multipart_body_come_out_as_they_went_in(parts: list[bytes]) -> None:
    body = b"".join(b"--edge\r\nContent-Type: text/x\r\n\r\n%b\r\n" % part for part in parts) + b"--edge--\r\n"

    assert multipart.split(body, "multipart/mixed; boundary=edge") == [({"content-type": "text/x"}, part) for part in parts]


@given(text=st.binary(max_size=100))
def test_headers_are_read_from_any_bytes(text: bytes) -> None:
    for name, value in header_fields(b"Subject: " + text):
        assert "\n" not in name + value
        readable(value)
    Head(text)
    snippet(text)


# -- search ------------------------------------------------------------------------------------------------------------


def _searched(query: str, raw: bytes, labels: tuple[str, ...] = ("INBOX",), at_ms: int = AT) -> bool:
    mailbox = _box()
    customers = mailbox.create_label("Key Customers/Big")
    ids = {"Big": customers.id}
    delivered = mailbox.add(raw, [ids.get(label, label) for label in labels], at_ms)
    asked = Query(query, mailbox.labels())
    return visible(delivered, asked.reaches_hidden) and asked.matches(delivered)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("from:ben@globex.test", True),
        ("from:BEN@GLOBEX.TEST", True),
        ("from:globex.test", True),
        ("from:berg", True),
        ("from:lobex.test", False),
        ("from:(ben berg)", True),
        ("from:{nobody ben}", True),
        ('from:"Ben Berg"', True),
        ('from:"Berg Globex"', False),
        ("to:ann@acme.test", True),
        ("to:carl@acme.test", True),
        ("cc:carl@acme.test", True),
        ("cc:ann@acme.test", False),
        ("bcc:dora@acme.test", True),
        ("{from:nobody@x.test to:ann@acme.test}", True),
        ("{from:nobody@x.test to:nobody@x.test}", False),
        ("from:nobody OR from:ben", True),
        ("from:nobody OR from:nothing from:ben", False),
        ("(from:ben to:ann)", True),
        ("from:ben -to:ann", False),
        ("-{from:nobody from:nothing}", True),
        ("subject:offer", True),
        ("subject:(offer march)", True),
        ('subject:"march offer"', False),
        ("offer", True),
        ("offer winter", False),
        ("rfc822msgid:m7@globex.test", True),
        ("rfc822msgid:<m7@globex.test>", True),
        ("rfc822msgid:m8@globex.test", False),
        ("in:inbox", True),
        ("in:sent", False),
        ("-in:spam -in:trash -in:drafts -in:chats", True),
        ("label:inbox", True),
        ("label:key-customers-big", True),
        ('label:"Key Customers/Big"', True),
        ("label:nothing", False),
        ("is:unread", True),
        ("is:read", False),
        ("is:starred", False),
        ("category:primary", False),
        ("has:userlabels", True),
        ("has:nouserlabels", False),
        ("has:attachment", False),
        ("after:1795000000", True),
        ("after:1795000001", False),
        ("before:1795000000", False),
        ("before:1795000001", True),
        ("after:2026/11/18", True),
        ("after:2026/11/19", False),
        ("before:2026/11/19", True),
        ("after:2026/13/45", False),
        ("after:soon", False),
        ("newer_than:20y", True),
        ("older_than:20y", False),
        ("newer_than:soon", False),
        ("larger:1k", False),
        ("smaller:1M", True),
        ("larger:big", False),
        ("list:nothing", False),
        ("filename:offer.pdf", False),
        ("wibble:offer", False),
    ],
)
def test_a_search_finds_what_gmail_would(query: str, found: bool) -> None:
    raw = mail("Offer for March", number=7, more="Cc: carl@acme.test\r\nBcc: Dora <dora@acme.test>")

    assert _searched(query, raw, ("INBOX", "UNREAD", "Big")) is found


def test_a_search_reads_encoded_headers_and_overmatches_as_gmail_does() -> None:
    assert _searched("subject:grüße", mail("=?utf-8?b?R3LDvMOfZQ==?="))
    assert _searched("from:ann@x.test", mail(sender="mary.ann@x.test"))
    assert not _searched("from:ann@x.test", mail(sender="joann@x.test"))


@pytest.mark.parametrize("message_id", ["-dash@x.test", "a:b@x.test", "CA+x=y_z@mail.test"])
def test_any_message_id_can_be_searched(message_id: str) -> None:
    raw = f"From: b@g.test\r\nMessage-ID: <{message_id}>\r\n\r\nHi".encode()

    assert _searched(f"rfc822msgid:{message_id} from:b@g.test", raw)
    assert not _searched(f"rfc822msgid:x{message_id}", raw)


@pytest.mark.parametrize(
    ("query", "found"), [("from:ben", False), ("in:spam", True), ("in:anywhere", True), ("-in:trash", True)]
)
def test_spam_is_found_only_by_who_names_a_hidden_place(query: str, found: bool) -> None:
    assert _searched(query, mail(sender=BEN), ("SPAM",)) is found


# -- faults ------------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(skip=st.integers(0, 5), every=st.integers(1, 4), count=st.integers(0, 4))
def test_a_fault_keeps_to_its_numbers(skip: int, every: int, count: int) -> None:
    book = FaultBook()
    book.add(Fault("gmail.*", FaultKind.SLOW, skip=skip, every=every, count=count))

    struck = [book.strike("/", "gmail.messages.get", "", "") is not None for _ in range(40)]

    due = list(range(skip + every - 1, 40, every))
    assert [number for number, hit in enumerate(struck) if hit] == (due[:count] if count else due)


def test_mails_are_frozen_values() -> None:
    mailbox = _box()
    old: Mail = mailbox.add(mail(), ["INBOX"], AT)

    new = mailbox.change_labels(old.id, add=["STARRED"])

    assert (sorted(old.labels), sorted(new.labels)) == (["INBOX"], ["INBOX", "STARRED"])
    assert new.history_id > old.history_id
