"""Where commands write what they were asked for: standard output, a device or pipe, or a file that is whole or not there."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from flowcrm.ops.errors import Refused

STANDARD_OUTPUT = Path("-")
_PRIVATE = 0o600


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """A text to write to. "-" is standard output; what exists and is no file (a device, a pipe) is opened and written to.

    Any other path gets the whole text when the block ends, or nothing where it raises: what is opened mail must neither lie
    about half written nor be taken for whole. Links are followed. Raises Refused, naming the path.
    """
    with naming(path):
        if is_standard_output(path):
            with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", errors="backslashreplace") as out:
                yield out
        elif path.exists() and not path.is_file():
            with open(path, "w", encoding="utf-8", errors="backslashreplace") as out:
                yield out
        else:
            with _whole(path.resolve()) as out:
                yield out


@contextmanager
def _whole(path: Path) -> Iterator[TextIO]:
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".part", dir=path.parent)  # 0600, as mail must be
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as out:
            yield out
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def is_standard_output(path: Path) -> bool:
    """Also by its other names, such as /dev/stdout: opened anew, a file behind it would be emptied."""
    if path == STANDARD_OUTPUT:
        return True
    try:
        return os.path.samestat(path.stat(), os.fstat(1))
    except OSError:
        return False


def write_private(path: Path, pieces: Iterable[bytes]) -> None:
    """A file of bytes that only we may read. A cut one does not stay. Raises Refused, naming the path."""
    with naming(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        try:
            with os.fdopen(descriptor, "wb") as out:
                os.fchmod(descriptor, _PRIVATE)
                out.writelines(pieces)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def make_private_folder(path: Path) -> None:
    """The folder, closed to others where it is new. Raises Refused where it cannot be one, or cannot be written to."""
    with naming(path):
        if path.exists() and not path.is_dir():
            raise Refused(f"{path} cannot be written: it is no folder.")
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=path):
            pass


def check_can_write(path: Path | None) -> None:
    """Find out before the work begins whether its result can be written. Raises Refused."""
    if path is None:
        return
    with naming(path):
        present = path.exists()
        if present and not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            return
        with path.open("a"):
            pass
        if not present:
            path.unlink()


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Say of an error which path it befell, in a sentence."""
    try:
        yield
    except OSError as error:
        what = "Standard output" if path == STANDARD_OUTPUT else str(path)
        raise Refused(f"{what} cannot be written: {error.strerror}.") from error
