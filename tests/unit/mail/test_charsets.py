"""Bytes become clean text under any label."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail import charsets


@pytest.mark.parametrize(
    ("raw", "label", "text"),
    [
        ("Grüße".encode("latin-1"), "iso-8859-1", "Grüße"),
        (b"\x93quoted\x94 \x80", "ISO-8859-1", "“quoted” €"),
        ("Grüße".encode(), "iso-8859-1", "Grüße"),
        ("Grüße".encode(), "us-ascii", "Grüße"),
        ("Привет".encode("koi8-r"), "KOI8-R", "Привет"),
        ("日本語".encode("iso2022_jp"), "_iso-2022-jp$esc", "日本語"),
        ("日本語".encode("cp932"), "shift_jis", "日本語"),
        ("中文".encode("gb18030"), "gb2312", "中文"),
        ("한국어".encode("cp949"), "ks_c_5601-1987", "한국어"),
        ("สวัสดี".encode("cp874"), "windows-874", "สวัสดี"),
        ("é".encode("cp850"), "cp-850", "é"),
        ("Grüße".encode("utf-16"), "utf-8", "Grüße"),
        (b"\xef\xbb\xbfBOM", "utf-8", "BOM"),
        (b"+2AA-x", "utf-7", "x"),
    ],
)
def test_text_is_read_by_its_label_or_by_what_it_is(raw: bytes, label: str, text: str) -> None:
    assert charsets.decode(raw, label) == (text, True)


@pytest.mark.parametrize(
    "label", ["", "unknown", '"', "x-unknown", "rot13", "base64", "idna", "unicode_escape", "a" * 5000, "\0"]
)
def test_a_label_that_is_no_charset_costs_nothing_but_the_flag(label: str) -> None:
    assert charsets.codec_for(label) is None
    assert charsets.decode(b"caf\xe9", label)[0] == "café"


def test_text_that_was_cut_within_a_character_keeps_all_others() -> None:
    text, as_labelled = charsets.decode("Grüße aus Köln".encode()[:-1] + b"\xc3", "utf-8")
    assert text.startswith("Grüße aus Köl")
    assert not as_labelled


def test_latin_text_under_the_label_utf_8_is_read_as_it_looks() -> None:
    assert charsets.decode("Grüße aus Köln".encode("latin-1"), "utf-8") == ("Grüße aus Köln", False)


def test_html_may_name_its_charset_itself() -> None:
    html = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><p>Привет'.encode("cp1251")
    assert charsets.decode_html(html, None) == (html.decode("cp1251"), True)


def test_lines_end_in_one_way() -> None:
    assert charsets.clean("a\r\nb\rc\nd") == "a\nb\nc\nd"


def test_a_line_has_no_breaks_controls_or_turns_of_direction() -> None:
    assert charsets.clean_line(" a\r\n\tb\x00\x07 \u202egnp.exe\u2066 ") == "a b gnp.exe"


@pytest.mark.parametrize("label", ["utf-7", "utf-16", "hz", "iso-2022-jp", "utf-8", "rot13", None])
def test_no_charset_that_hides_ascii_may_read_raw_headers(label: str | None) -> None:
    assert charsets.header_hint(label) is None


@given(
    raw=st.binary(),
    label=st.one_of(st.none(), st.text(max_size=20), st.sampled_from(["utf-7", "gb2312", "hz", "utf-16", "utf-8"])),
)
def test_any_bytes_under_any_label_are_storable_text(raw: bytes, label: str | None) -> None:
    for text in (charsets.decode(raw, label)[0], charsets.decode_html(raw, label)[0]):
        text.encode()
        assert "\0" not in text
        assert charsets.clean(text) == text
