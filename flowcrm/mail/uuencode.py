"""Files inside text, as they were sent before MIME: `begin 644 name`, encoded lines, `end` (POSIX uuencode)."""

import binascii
import re
from collections.abc import Iterator

_BEGIN = re.compile(rb"^begin[ \t]+[0-7]{3,4}[ \t]+([^\r\n]{1,200}?)[ \t]*\r?$", re.MULTILINE)
_END = re.compile(rb"^end[ \t]*\r?$", re.MULTILINE)
# One line: a length, then four characters for three bytes. The space for zero is written as a grave accent by most.
_LINE = re.compile(rb"[ -`][ -`]{0,88}")


# A text of a million tiny files is an attack.
_MOST = 100


def files(text: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Where uuencoded files lie in a text: (start, end, raw name), at most a hundred. A `begin` that is only a word of the text
    is none."""
    at = found = 0
    while found < _MOST and (begin := _BEGIN.search(text, at)):
        ending = _END.search(text, begin.end())
        if ending is None:
            return
        first = text[begin.end() + 1 : ending.start()].partition(b"\n")[0].rstrip(b"\r")
        if not _looks_encoded(first):
            at = begin.end()
            continue
        yield begin.start(), ending.end(), begin[1]
        found += 1
        at = ending.end()


def decode(text: bytes) -> bytes:
    """The bytes of the first uuencoded file in a text; broken lines give what they can."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(b"begin "):
            break
    return b"".join(_line(line) for line in _until_end(lines))


def _until_end(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line.rstrip() == b"end":
            return
        yield line


def _looks_encoded(line: bytes) -> bool:
    if not _LINE.fullmatch(line):
        return False
    length = (line[0] - 32) & 63
    return len(line.rstrip()) - 1 <= (length + 2) // 3 * 4 + 1


def _line(line: bytes) -> bytes:
    if not line:
        return b""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Some encoders count the filler of the last group: take as many characters as the length in front asks for.
        wanted = (((line[0] - 32) & 63) * 4 + 5) // 3
        try:
            return binascii.a2b_uu(line[:wanted])
        except binascii.Error:
            return b""
