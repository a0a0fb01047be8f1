"""The folder that key files lie in: for its owner only, every file written whole or not at all, one change at a time."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flowcrm.vault.errors import KeyStoreRefused, KeyStoreUnavailable
from flowcrm.vault.opened import Stamp

# All writing happens under the lock, so one name suffices, and what a killed process left there is swept by the next.
_UNFINISHED = ".unfinished"
_LOCK = ".lock"


class KeyFolder:
    """Files by name. Every method raises KeyStoreUnavailable where the folder cannot be used, KeyStoreRefused where others
    may look into it; reading what is not there raises FileNotFoundError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str) -> bytes:
        with self._plain_errors():
            self._refuse_open(self.path)
            self._refuse_open(self.path / name)
            return (self.path / name).read_bytes()

    def stamp(self, name: str) -> Stamp:
        """What changes when the file does."""
        with self._plain_errors():
            found = (self.path / name).stat()
        return found.st_mtime_ns, found.st_ino, found.st_size

    def names(self) -> list[str]:
        with self._plain_errors():
            return sorted(entry.name for entry in os.scandir(self.path) if entry.is_file() and not entry.name.startswith("."))

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Held by whoever changes a file, across threads, processes and (on NFS) machines. Freed when its holder dies."""
        with self._plain_errors():
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._refuse_open(self.path)
            lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with self._plain_errors():
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def write(self, name: str, content: bytes) -> None:
        """Replace the file, durably. Only while `changing`."""
        with self._plain_errors():
            unfinished = self.path / _UNFINISHED
            unfinished.unlink(missing_ok=True)
            # Made with its mode, not changed afterwards: it is never readable by others, whatever the umask.
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.path / name)
            self._sync_folder()

    def overwrite(self, name: str, content: bytes) -> None:
        """Replace the file as `write` does, then wipe the disk blocks of the old one as far as the disk lets us (a journal,
        a snapshot or a flash disk may still have them: docs/why/vault.md). Only while `changing`."""
        with self._plain_errors(), (self.path / name).open("r+b") as old:
            self.write(name, content)
            size = os.fstat(old.fileno()).st_size
            old.write(os.urandom(size))
            old.flush()
            os.fsync(old.fileno())

    def _sync_folder(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _refuse_open(self, path: Path) -> None:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeyStoreRefused(f"{path} is open to other users of this machine (mode {mode:04o}). Run: chmod go= {path}")

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise KeyStoreUnavailable(f"The key store at {self.path} cannot be used: {error.strerror or error}.") from error
