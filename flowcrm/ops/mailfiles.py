"""Mail in files: mbox (also .xz, .gz, .bz2), Maildir, folders of .eml. Read as a stream; a file of 50 GB needs no memory."""

import bz2
import gzip
import lzma
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, cast

# A separator: "From ", a sender, and something with a time in it. A paragraph of a mail that begins with "From " has none.
_SEPARATOR = re.compile(rb"From .*\d{1,2}:\d{2}")
_QUOTED = re.compile(rb">+From ")
_PACKED = (".xz", ".gz", ".bz2")
# What no mail reaches, so that a file that is no mbox at all does not fill the memory.
LARGEST = 512 * 1024 * 1024


class NoMail(Exception):
    """The path holds nothing that can be read as mail; the text says what was found."""


@dataclass(frozen=True, slots=True)
class MailFile:
    """One mail of a file. where: "path" or "path#number"; unread: as a Maildir says it; at: as an mbox says it, or None."""

    where: str
    file: Path
    raw: bytes = field(repr=False)
    unread: bool = False
    at: datetime | None = None


def read(path: Path) -> Iterator[MailFile]:
    """Every mail at a path. Raises NoMail, or OSError where a file cannot be read."""
    if not path.exists():
        raise NoMail(f"{path} does not exist.")
    if path.is_dir():
        yield from _maildir(path) if (path / "cur").is_dir() else _folder(path)
    elif path.suffix.lower() == ".eml":
        yield MailFile(str(path), path, path.read_bytes())
    else:
        yield from _mbox(path)


def _maildir(path: Path) -> Iterator[MailFile]:
    """https://cr.yp.to/proto/maildir.html: `cur` and `new`; flags after ":2,", S is seen. Subfolders begin with a dot."""
    for place in sorted([path, *(one for one in path.iterdir() if one.name.startswith(".") and one.is_dir())]):
        for part in ("cur", "new"):
            folder = place / part
            for file in sorted(folder.iterdir()) if folder.is_dir() else ():
                yield MailFile(str(file), file, file.read_bytes(), unread="S" not in file.name.rpartition(":2,")[2])


def _folder(path: Path) -> Iterator[MailFile]:
    found = sorted(one for one in path.rglob("*") if one.is_file() and one.suffix.lower() in (".eml", ".mbox", *_PACKED))
    if not found:
        raise NoMail(f"{path} holds no .eml and no .mbox file, and is no Maildir.")
    for file in found:
        yield from read(file)


def _mbox(path: Path) -> Iterator[MailFile]:
    with _open(path) as stream:
        try:
            yield from _split(stream, path)
        except (lzma.LZMAError, EOFError, gzip.BadGzipFile) as error:
            raise NoMail(f"{path} is damaged: {error}.") from error


def _open(path: Path) -> IO[bytes]:
    match path.suffix.lower():
        case ".xz":
            return lzma.open(path)
        case ".gz":
            return cast(IO[bytes], gzip.open(path))
        case ".bz2":
            return bz2.open(path)
    return path.open("rb")


def _split(stream: IO[bytes], path: Path) -> Iterator[MailFile]:
    first = stream.readline(1000)
    if not _SEPARATOR.match(first):
        raise NoMail(f'{path} is no mbox (its first line does not begin with "From ") and does not end in .eml.')
    number, separator, lines, size, blank = 1, first, list[bytes](), 0, False
    for line in stream:
        if blank and _SEPARATOR.match(line):
            yield _mail(path, number, separator, lines)
            number, separator, lines, size, blank = number + 1, line, [], 0, False
            continue
        blank = line in (b"\n", b"\r\n")
        size += len(line)
        if size > LARGEST:
            raise NoMail(f"{path}: mail {number} is larger than {LARGEST >> 20} MB. Is this an mbox?")
        # Writers put a ">" before lines that look like a separator (mboxrd); it is not the mail's.
        lines.append(line[1:] if _QUOTED.match(line) else line)
    yield _mail(path, number, separator, lines)


def _mail(path: Path, number: int, separator: bytes, lines: list[bytes]) -> MailFile:
    # The empty line before the next separator belongs to the file.
    if lines and lines[-1] in (b"\n", b"\r\n"):
        lines.pop()
    return MailFile(f"{path}#{number}", path, b"".join(lines), at=_moment(separator))


def _moment(separator: bytes) -> datetime | None:
    """The time in "From sender  Tue Jan  4 09:12:00 2005", in UTC as asctime has no zone."""
    words = separator.decode("ascii", "replace").split()
    try:
        day, clock_time, year = words[-3], words[-2], words[-1]
        return parsedate_to_datetime(f"{day} {words[-4]} {year} {clock_time} +0000").astimezone(UTC)
    except (ValueError, IndexError, TypeError):
        return None
