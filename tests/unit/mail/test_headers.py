"""Header blocks end where they end, and values are decoded after their structure was read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail import headers


@pytest.mark.parametrize(
    ("raw", "names", "body"),
    [
        (b"A: 1\r\nB: 2\r\n\r\nbody", ["a", "b"], b"body"),
        (b"A: 1\nB: 2\n\nbody", ["a", "b"], b"body"),
        (b"A: 1\r\n continued\r\n\r\nbody", ["a"], b"body"),
        (b"A : 1\n\nbody", ["a"], b"body"),
        (b"", [], b""),
        (b"\r\nbody", [], b"body"),
        (b"A: 1", ["a"], b""),
        (b"From joe Mon Sep 2\nA: 1\n>From joe\nB: 2\n\nbody", ["a", "b"], b"body"),
        (b"A: 1\nno field here\nSubject: x\n\nbody", ["a", "subject"], b"body"),
        (b"A: 1\nText without a blank line.\nmore", ["a"], b"Text without a blank line.\nmore"),
        (b"Just text.\nNote: not a header\n\nmore", [], b"Just text.\nNote: not a header\n\nmore"),
        (b"Content-Type: multipart/mixed; boundary=b\n \n--b\nSubject: x\n\n", ["content-type"], b"--b\nSubject: x\n\n"),
    ],
)
def test_the_body_begins_where_a_reader_would_say(raw: bytes, names: list[str], body: bytes) -> None:
    block = headers.read_block(raw)
    assert list(block.fields) == names
    assert raw[block.body_at :] == body


def test_repeated_fields_keep_their_order() -> None:
    block = headers.read_block(b"Received: one\nX: y\nReceived: two\n\n")
    assert block.all("received") == [b" one", b" two"]
    assert block.first("received") == b" one"
    assert block.first("missing") == b""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"=?utf-8?q?caf=C3=A9?=, =?iso-8859-1?Q?a_b?= c", "café, a b c"),
        (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
        (b"=?utf-8?B?w6k=?=x", "éx"),
        (b"=?utf-8?Q?=E6=97=A5=E6=9C?=\r\n =?utf-8?Q?=AC?=", "日本"),
        (b"=?utf-8?Q?what??=", "what?"),
        (b"=?utf-8?Q?=3D?=", "="),
        (b"=?utf-8?B?w6k?=", "é"),
        (b"=?utf-8*en?q?hi?=", "hi"),
        (b"=?no-charset?q?caf=E9?=", "café"),
        (b"=?utf-8?x?what?=", "=?utf-8?x?what?="),
        (b"=?utf-8?q?never closed", "=?utf-8?q?never closed"),
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9", "café"),
        ("日本".encode("iso2022_jp"), "日本"),
        (b"folded\r\n\tvalue", "folded value"),
    ],
)
def test_values_read_as_their_writer_meant_them(value: bytes, text: str) -> None:
    assert headers.text(value) == text


def test_a_raw_header_is_read_by_the_charset_of_the_text() -> None:
    assert headers.text("çekilişini".encode("iso-8859-9"), "iso-8859-9") == "çekilişini"


def test_an_encoded_line_break_does_not_break_the_line() -> None:
    assert headers.text(b"=?utf-8?q?a=0D=0ABcc:_evil=40example.com=00?=") == "a Bcc: evil@example.com"


@given(st.binary())
def test_block_and_body_are_the_whole(raw: bytes) -> None:
    block = headers.read_block(raw)
    assert 0 <= block.body_at <= len(raw)


@given(st.binary())
def test_any_value_is_one_printable_line(value: bytes) -> None:
    text = headers.text(value)
    text.encode()
    assert not set(text) & set("\r\n\0")
