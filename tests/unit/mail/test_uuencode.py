"""Files inside text, from before MIME."""

import binascii

from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail import uuencode


def encoded(content: bytes, name: bytes = b"a.txt") -> bytes:
    lines = [binascii.b2a_uu(content[at : at + 45]) for at in range(0, len(content), 45)]
    return b"begin 644 " + name + b"\n" + b"".join(lines) + b"`\nend\n"


@given(st.binary(min_size=1, max_size=500))
def test_what_was_encoded_is_decoded(content: bytes) -> None:
    text = b"Hello\n" + encoded(content) + b"Bye\n"
    [(start, end, name)] = uuencode.files(text)
    assert name == b"a.txt"
    assert uuencode.decode(text[start:end]) == content


def test_lines_whose_last_spaces_were_eaten_are_decoded() -> None:
    text = b"\n".join(line.rstrip() for line in encoded(b"abc\0\0\0" * 20).replace(b"`", b" ").split(b"\n"))
    assert uuencode.decode(text) == b"abc\0\0\0" * 20


def test_prose_that_begins_with_begin_is_prose() -> None:
    assert not list(uuencode.files(b"begin 644 reasons\nThis is why: because it is so.\nend\n"))
    assert not list(uuencode.files(b"begin 644 reasons\nwithout an end"))


def test_of_very_many_files_the_first_are_found() -> None:
    assert len(list(uuencode.files(encoded(b"abc") * 5_000))) == 100


@given(st.binary())
def test_any_bytes_are_taken(raw: bytes) -> None:
    uuencode.decode(raw)
    for start, end, _ in uuencode.files(b"begin 644 x\n" + raw + b"\nend\n"):
        assert start < end
