"""Where the mails of an mbox begin, and each as it was before it was put there. A stream: a file of 50 GB needs no memory.

RFC 4155 (appendix A) has the strict form: a line with "From ", the sender's address, a space, and the time in UTC as asctime
writes it; each mail ends with an empty line, which belongs to the file. What programs write is looser, so a line separates
mails where it is

- "From ", sender and date, with an empty line before it. A sender is one word, or "carla at x.example" as archives of mailing
  lists have it. The date has a day of the week, month, day, time and year, in the order of asctime (RFC 4155; Thunderbird;
  Gmail Takeout, which puts a zone before the year) or of RFC 5322.
- the same without the empty line, if the sender is an address, "-" or MAILER-DAEMON: some programs forget that line.
- "From " and one word, with something behind it in which a time or a year stands, or with nothing (a bare "From - "), with an
  empty line before it *and* a header field after it: a paragraph that begins with "From " is followed by none.

Before the first one, a byte order mark and empty lines are passed over. Writers put a ">" before a line of a mail that begins
with "From ", and one more before a line that was quoted so already (mboxrd); one is taken away.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import IO

_ADDRESS = rb"(?:\S+@\S+|\S+ at \S+|-|MAILER-DAEMON)"
_MONTHS = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s+(?:" + _MONTHS + rb"\s+\d{1,2}|\d{1,2}\s+" + _MONTHS + rb")\b"
_DATE = _DAY + rb"(?=.*\b\d{1,2}:\d{2})(?=.*\b\d{4}\b)"
_FULL = re.compile(rb"From +(?:\S+|\S+ at \S+) +" + _DATE)
_FULL_ADDRESS = re.compile(rb"From +" + _ADDRESS + rb" +" + _DATE)
_LOOSE = re.compile(rb"From +\S+(?: at \S+)?\s*(?:$| .*(?:\d{1,2}:\d{2}|\b(?:19|20)\d{2}\b))")
_HEADER = re.compile(rb"[!-9;-~]+[ \t]*:|>?From ")
_QUOTED = re.compile(rb">+From ")
_BLANK = (b"\n", b"\r\n")
_MARK = b"\xef\xbb\xbf"
_MOMENT = re.compile(rb"(?P<day>" + _DAY + rb").*?(?P<time>\d{1,2}:\d{2}(?::\d{2})?)")
_YEAR = re.compile(rb"\s(\d{4})\b")
_ZONE = re.compile(rb"\s([+-]\d{4})\b")
# No separator is longer; a file that is no mbox may be one endless line.
_LONGEST_LINE = 1000
# What no mail reaches, so that a file that is no mbox at all does not fill the memory.
LARGEST = 512 * 2**20


class NotMbox(Exception):
    """The stream does not begin as an mbox does; at most its blank beginning and a line were read."""


@dataclass(slots=True)
class Entry:
    """One mail. number: from 1. at: the separator's word on when it came. too_large: beyond LARGEST, and not in `lines`."""

    number: int
    at: datetime | None
    lines: list[bytes] = field(default_factory=list, repr=False)
    size: int = 0
    too_large: bool = False

    def add(self, line: bytes) -> None:
        self.size += len(line)
        if self.size > LARGEST:
            self.too_large = True
            self.lines.clear()
        else:
            self.lines.append(line[1:] if line.startswith(b">") and _QUOTED.match(line) else line)

    @property
    def raw(self) -> bytes:
        # The empty line before the next separator belongs to the file.
        lines = self.lines[:-1] if self.lines and self.lines[-1] in _BLANK else self.lines
        return b"".join(lines)


def split(stream: IO[bytes]) -> Iterator[Entry]:
    """The mails in order. Raises NotMbox before the first one, and what the stream raises, then without the mail it cut."""
    entry, blank = None, True
    for line, following in _pairs(_first_line(stream), stream):
        if line.startswith(b"From ") and _separates(line, following, after_blank=blank):
            if entry is not None:
                yield entry
            entry = Entry(entry.number + 1 if entry else 1, _moment(line))
        elif entry is None:
            raise NotMbox
        else:
            entry.add(line)
        blank = line in _BLANK
    if entry is None:
        raise NotMbox
    yield entry


def _first_line(stream: IO[bytes]) -> bytes:
    line = stream.readline(_LONGEST_LINE).removeprefix(_MARK)
    while line and not line.strip():
        line = stream.readline(_LONGEST_LINE)
    return line


def _pairs(first: bytes, rest: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Each line with the one after it. A first line that is none of an mbox's is not read on: it may have no end."""
    if not first.startswith(b"From "):
        raise NotMbox
    line = first
    for following in rest:
        yield line, following
        line = following
    yield line, b""


def _separates(line: bytes, following: bytes, *, after_blank: bool) -> bool:
    if not after_blank:
        return bool(_FULL_ADDRESS.match(line))
    return bool(_FULL.match(line) or (_LOOSE.match(line) and _HEADER.match(following)))


def _moment(separator: bytes) -> datetime | None:
    """The time in a separator; in UTC where it names no zone, as asctime has none."""
    found, year, zone = _MOMENT.search(separator), _YEAR.search(separator), _ZONE.search(separator)
    if found is None or year is None:
        return None
    words = [word.decode() for word in found["day"].replace(b",", b"").split()[1:]]
    day, month = words if words[0].isdigit() else reversed(words)
    offset = zone[1].decode() if zone else "+0000"
    try:
        return parsedate_to_datetime(f"{day} {month} {year[1].decode()} {found['time'].decode()} {offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
