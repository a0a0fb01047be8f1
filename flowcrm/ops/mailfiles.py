"""Mail in files: mbox (also .xz, .gz, .bz2), Maildir, .eml, other single mails, and folders of them. What is no mail is named.

Nothing that goes wrong with one file keeps the others from being read: it is a value in its place.
"""

import bz2
import gzip
import lzma
import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

from flowcrm.mail.headers import read_block
from flowcrm.ops.mbox import LARGEST, Entry, NotMbox, split
from flowcrm.ops.words import counted, shown_path

_PACKED = (".xz", ".gz", ".bz2")
_HEADER_BYTES = 65536
# What each of the three raises where the bytes are not as they were written; some errors of the disk are OSErrors, too.
_DAMAGED = (lzma.LZMAError, zlib.error, EOFError, gzip.BadGzipFile)


@dataclass(frozen=True, slots=True)
class MailFile:
    """One mail. where: "path" or "path#number"; unread: as a Maildir says it; at: as an mbox says it, or None; changed_at:
    when the file was."""

    where: str
    raw: bytes = field(repr=False)
    changed_at: datetime
    unread: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Mail that could not be read: a sentence that names the path, and says what was lost."""

    text: str


@dataclass(frozen=True, slots=True)
class NotMail:
    """A file of a folder that does not say that it is mail, and is none."""

    path: Path


Found = MailFile | Problem | NotMail


def read(path: Path) -> Iterator[Found]:
    """Every mail at a path that somebody named."""
    try:
        if missing(path):
            yield Problem(f"{shown_path(path)} does not exist.")
        elif path.is_dir():
            yield from _named_folder(path)
        else:
            yield from _named_file(path)
    except (OSError, ValueError) as error:
        yield _unreadable(path, error)


def missing(path: Path) -> bool:
    """Whether nothing is there. What cannot be looked at is there: reading it says why not."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _named_folder(path: Path) -> Iterator[Found]:
    mails = False
    for found in _folder(path):
        mails = mails or not isinstance(found, NotMail)
        yield found
    if not mails:
        yield Problem(f"{shown_path(path)} holds no mail: no .eml, no mbox, no Maildir.")


def _named_file(path: Path) -> Iterator[Found]:
    for found in _file(path):
        if isinstance(found, NotMail):
            yield Problem(f'{shown_path(path)} is no mail: no mbox (its beginning is "From "), and not .eml.')
        else:
            yield found


def _folder(path: Path) -> Iterator[Found]:
    """https://cr.yp.to/proto/maildir.html: a folder with `cur` is a Maildir; `tmp` holds what is being delivered.

    Any folder may hold others: with a dot before their names (Maildir++), or plain ones.
    """
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError as error:
        yield _unreadable(path, error)
        return
    folders = {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)}
    special = {"cur", "new", "tmp"} & folders if "cur" in folders else set()
    for name in sorted(special - {"tmp"}):
        yield from _delivered(path / name)
    for entry in entries:
        if entry.name not in special:
            yield from _entry(entry)


def _entry(entry: os.DirEntry[str]) -> Iterator[Found]:
    path = Path(entry.path)
    try:
        if entry.is_dir(follow_symlinks=False):
            yield from _folder(path)
        elif entry.is_dir():
            yield Problem(f"{shown_path(path)} is a link to a folder, which may lead back here; it was not followed.")
        elif entry.is_file() or entry.is_symlink():
            yield from _file(path)
        else:
            yield NotMail(path)
    except OSError as error:
        yield _unreadable(path, error)


def _delivered(folder: Path) -> Iterator[Found]:
    """The mails of a Maildir's `cur` or `new`: flags after ":2,", of which S is seen."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        yield _unreadable(folder, error)
        return
    for name in names:
        file = folder / name
        if os.path.isdir(file):
            yield Problem(f"{shown_path(file)} is a folder where a Maildir has mails only; what is in it was not read.")
        else:
            yield _single(file, unread="S" not in name.rpartition(":2,")[2])


def _file(path: Path) -> Iterator[Found]:
    if path.suffix.lower() == ".eml":
        yield _single(path)
    else:
        yield from _mbox(path)


def _single(path: Path, *, unread: bool = False) -> Found:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return Problem(f"{shown_path(path)} is no file.")
        raw, changed_at = path.read_bytes(), _changed_at(path)
    except OSError as error:
        return _unreadable(path, error)
    if not raw or not read_block(raw).fields:
        return Problem(f"{shown_path(path)} is no mail: {'it has no header fields' if raw else 'it is empty'}.")
    return MailFile(shown_path(path), raw, changed_at, unread)


def _mbox(path: Path) -> Iterator[Found]:
    read_so_far = 0
    try:
        changed_at = _changed_at(path)
        with _open(path) as stream:
            for entry in split(stream):
                yield _of_mbox(path, entry, changed_at)
                read_so_far = entry.number
    except NotMbox:
        yield _other(path)
    except _DAMAGED as error:
        yield _damaged(path, str(error), read_so_far)
    except OSError as error:
        # bz2 says in a bare OSError that the data are wrong.
        if error.errno is None:
            yield _damaged(path, str(error), read_so_far)
        else:
            yield _cut(path, error, read_so_far)


def _other(path: Path) -> Found:
    """A file that is no mbox: many a program (MH, spam filters) keeps mails in files without a telling name."""
    if _is_mail(path):
        return _single(path)
    # Its name may say that it holds mail; then somebody must hear of it.
    if ".mbox" in (suffix.lower() for suffix in path.suffixes):
        return Problem(f'{shown_path(path)} is no mbox: it does not begin with "From ".')
    return NotMail(path)


def _is_mail(path: Path) -> bool:
    """Does it begin with a header without fault, in which a sender stands, and how or when it was sent?"""
    if path.suffix.lower() in _PACKED or not path.is_file():
        return False
    with open(path, "rb") as file:
        block = read_block(file.read(_HEADER_BYTES))
    return (
        block.well_formed and "from" in block.fields and not block.fields.keys().isdisjoint(("date", "message-id", "received"))
    )


def _damaged(path: Path, why: str, number: int) -> Problem:
    # What packs has its check sums at the end: what came out before may be wrong already.
    came = f"{counted(number, 'mail')} came in before that showed, and may be damaged, too" if number else "nothing came in"
    return Problem(f"{shown_path(path)} is damaged ({why}); {came}.")


def _cut(path: Path, error: OSError, number: int) -> Problem:
    came = f"{counted(number, 'mail')} came in, what follows did not" if number else "nothing came in"
    return Problem(f"{shown_path(path)} cannot be read ({error.strerror}); {came}.")


def _of_mbox(path: Path, entry: Entry, changed_at: datetime) -> Found:
    if entry.too_large:
        return Problem(f"{shown_path(path)}#{entry.number} is larger than {LARGEST >> 20} MB and was left out.")
    return MailFile(f"{shown_path(path)}#{entry.number}", entry.raw, changed_at, at=entry.at)


def _open(path: Path) -> IO[bytes]:
    match path.suffix.lower():
        case ".xz":
            return lzma.open(path)
        case ".gz":
            return cast(IO[bytes], gzip.open(path))
        case ".bz2":
            return bz2.open(path)
    return path.open("rb")


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)


def _unreadable(path: Path, error: OSError | ValueError) -> Problem:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Problem(f"{shown_path(path)} cannot be read: {why}.")
