"""From bytes and a charset's name to clean text, whatever the name is worth. The only place where mail becomes `str`."""

import codecs
import re

# NUL and halves of surrogate pairs are taken out of all text here: PostgreSQL refuses the one, UTF-8 does not have the others.
_SURROGATES = re.compile("[\ud800-\udfff]")
# In one line of text (a header, a file name) nothing may move the cursor, break the line or turn the direction of reading.
_NOT_IN_LINE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_EIGHT_BIT = re.compile(rb"[\x80-\xff]")
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_HEAD = 2048
_ONE_BYTE = ("utf-8", "iso8859", "cp125", "cp4", "cp8", "koi8", "mac")

# Names that Python does not know, or takes too narrowly: the supersets are what programs really write under these names
# (https://encoding.spec.whatwg.org/#names-and-labels).
_SUPERSETS = {
    "ascii": "utf-8",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz": "hz",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "iso2022_jp": "iso2022_jp_ext",
    "big5": "cp950",
}
_ALIASES = {
    "unicode-1-1-utf-8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "unicode": "utf-16",
    "utf8mb4": "utf-8",
    "ansi_x3.110-1983": "iso8859-1",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "iso-8859-6-e": "iso8859-6",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "x-euc-jp": "euc_jp",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "x-ms-cp932": "cp932",
    "_iso-2022-jp$esc": "iso2022_jp",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "windows-949": "cp949",
    "windows-874": "cp874",
    "dos-874": "cp874",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "x-cp1252": "cp1252",
    "cp-850": "cp850",
    "x-big5": "big5",
    "big5-hkscs": "big5hkscs",
    "ansi": "cp1252",
}


# Python's own inventions among its text encodings: they are no charsets, and some run code over the input.
_NOT_CHARSETS = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"})
_NUMBERED = re.compile(r"(?:x-)?(?:windows|cp|ms|ibm)-?(\d{3,5})")


def codec_for(label: str) -> str | None:
    """Python's name for a charset as mail names it, or None."""
    name = label[:40].strip(" \t\"'.;").lower()
    name = _ALIASES.get(name, name)
    if numbered := _NUMBERED.fullmatch(name):
        name = f"cp{numbered[1]}"
    try:
        found = codecs.lookup(name).name
        b" ".decode(found)  # refuses what is no text encoding: rot13, base64, zlib …
    except UnicodeError:
        pass  # a space alone is not UTF-16
    except (LookupError, ValueError):
        return None
    return None if found in _NOT_CHARSETS else _SUPERSETS.get(found, found)


def decode(raw: bytes, label: str | None) -> tuple[str, bool]:
    """Text of `raw`, and whether it could be read as labelled (or, unlabelled, read at all). Never raises.

    Bytes that are UTF-8 win over a label that says a single-byte charset: hardly any other text happens to be valid UTF-8,
    and many programs put the wrong label on it.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        label = "utf-16"
    codec = codec_for(label) if label else None
    if codec is None or codec.startswith(_ONE_BYTE):
        text = _strict(raw, "utf-8-sig")
        if text is not None:
            return clean(text), codec is not None or not label or raw.isascii()
    if codec is None:
        return clean(_single_byte(raw)), False
    text = _strict(raw, codec)
    if text is not None:
        return clean(text), True
    if codec == "cp1252":
        return clean(_single_byte(raw)), True
    if codec == "utf-8":
        return clean(_mostly_utf8(raw)), False
    return clean(raw.decode(codec, "replace")), False


def decode_html(raw: bytes, label: str | None) -> tuple[str, bool]:
    """The same for HTML, which may name its charset itself. The header's word counts first (RFC 2854)."""
    if label is None and _EIGHT_BIT.search(raw) and (match := _META.search(raw[:_HEAD])):
        label = match[1].decode("ascii")
        if label.lower().startswith("utf-16"):  # it was read as ASCII so far, so it cannot be
            label = "utf-8"
    return decode(raw, label)


def header_hint(label: str | None) -> str | None:
    """A text's charset, if raw header bytes may be read by it: ASCII must mean ASCII in it, or structure could be smuggled."""
    codec = codec_for(label) if label else None
    return None if codec is None or codec.startswith(("utf", "hz", "iso2022")) else codec


def clean(text: str) -> str:
    """Text without NUL and lone surrogates, lines ended by LF."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if _is_storable(text) else _SURROGATES.sub("", text)


def _is_storable(text: str) -> bool:
    try:
        text.encode()  # faster than searching, by an order of magnitude
    except UnicodeEncodeError:
        return False
    return True


def clean_line(text: str) -> str:
    """One line of clean text: white space runs become one space; controls and signs that turn the reading direction go."""
    if not text.isprintable():
        text = _NOT_IN_LINE.sub("", text)
    return " ".join(text.split())


def _strict(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _single_byte(raw: bytes) -> str:
    """Windows-1252, its five holes filled from Latin-1 as browsers do: every byte means something."""
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return "".join(_CP1252[byte] for byte in raw)


_CP1252 = [bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256)]


def _mostly_utf8(raw: bytes) -> str:
    """Text labelled UTF-8 that is not: cut in the middle of a character, or another charset under a wrong label."""
    replaced = raw.decode("utf-8", "replace")
    broken = replaced.count("\ufffd")
    right = len(_EIGHT_BIT.findall(raw)) - broken
    return replaced if right > broken else _single_byte(raw)
