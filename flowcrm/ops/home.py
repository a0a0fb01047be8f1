"""Where one installation keeps what is its own: FLOWCRM_HOME and the folders in it. Nothing here starts anything."""

import hashlib
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from flowcrm.ops.errors import HomeRefused

OWNER_ROLE = "flowcrm_owner"
APP_ROLE = "flowcrm_app"
ROUTER_ROLE = "flowcrm_router"
SEARCH_ROLE = "flowcrm_search"
AUDIT_ROLE = "flowcrm_audit"
DATABASE = "flowcrm"
DATABASE_URLS = ("DATABASE_URL", "DATABASE_URL_OWNER", "DATABASE_URL_ROUTER", "DATABASE_URL_LISTEN")

# A Unix socket's path may have 107 bytes (unix(7)); PostgreSQL adds "/.s.PGSQL.5432" and, while starting, ".lock".
_LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432.lock")


@dataclass(frozen=True)
class Home:
    """The folders under FLOWCRM_HOME, and the addresses of the PostgreSQL server embedded there."""

    path: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory (a link where the server's own user could not reach it here, see postgres.py)."""
        return self.path / "pg"

    @property
    def blobs(self) -> Path:
        return self.path / "blobs"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """What may be thrown away while nothing runs: locks, sockets, collected static files."""
        return self.path / "run"

    @property
    def secret_key_file(self) -> Path:
        return self.keys / "django-secret-key"

    @property
    def sockets(self) -> Path:
        """The folder of the server's Unix socket: short, and reachable for the user it runs as."""
        mark = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        if os.geteuid() == 0:
            return Path("/run/flowcrm") / mark
        inside = self.run / "pg"
        if len(os.fsencode(inside)) <= _LONGEST_SOCKET_FOLDER:
            return inside
        return Path(f"/tmp/flowcrm-{os.geteuid()}-{mark}")

    def database_url(self, role: str, database: str = DATABASE) -> str:
        """The embedded server's address for one role."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.sockets), safe='')}"

    def prepare(self) -> None:
        """Make the folders (0700) and the secret key (0600) where they are missing. Raises HomeRefused, with the remedy."""
        try:
            self._prepare()
        except OSError as error:
            raise HomeRefused(
                f"{self.path} cannot be the installation's folder: {error.filename or self.path}: {error.strerror}. "
                "Set FLOWCRM_HOME to a folder that you may write to."
            ) from error

    def _prepare(self) -> None:
        # The home itself lets others pass but not look: as root, PostgreSQL runs as a user of its own inside it.
        self.path.mkdir(parents=True, exist_ok=True, mode=0o711)
        for folder in (self.blobs, self.keys, self.logs, self.run):
            folder.mkdir(exist_ok=True, mode=0o700)
        self.check_modes()
        self._make_secret_key()

    def check_modes(self) -> None:
        """Raise HomeRefused where someone else could read keys, mail or logs, or write into the home."""
        if stat.S_IMODE(self.path.stat().st_mode) & 0o022:
            raise HomeRefused(f"{self.path} can be written by other users. Run: chmod go-w {self.path}")
        for folder in (self.blobs, self.keys, self.logs, self.run):
            refuse_open(folder)

    def read_secret_key(self) -> str:
        """Empty where there is none yet, or none that we may read: `prepare` says so to everybody who needs it."""
        try:
            return self.secret_key_file.read_text()
        except OSError:
            return ""

    def _make_secret_key(self) -> None:
        # Linked into place: two processes that start together must end with the same key, whole.
        if self.secret_key_file.exists():
            return
        beside = self.keys / f".secret-{os.getpid()}"
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(beside, self.secret_key_file)
        except FileExistsError:
            return
        finally:
            beside.unlink()


def refuse_open(folder: Path) -> None:
    """Raise HomeRefused unless the folder's owner, and nobody else, may look into it and write there."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o700 != 0o700:
        raise HomeRefused(f"{folder} is closed to its owner, too (mode {mode:04o}). Run: chmod 700 {folder}")
    if mode & 0o077:
        raise HomeRefused(f"{folder} is open to other users (mode {mode:04o}). Run: chmod 700 {folder}")


def check_database_urls(environment: Mapping[str, str]) -> None:
    """Raise HomeRefused for an address that is none. Its text stays out of the sentence: it may have a password in it."""
    for name in DATABASE_URLS:
        try:
            conninfo_to_dict(environment.get(name, ""))
        except ProgrammingError:
            raise HomeRefused(
                f"{name} is not the address of a PostgreSQL server. It is written like postgresql://user:password@host/database"
            ) from None


def default_home() -> Path:
    """Where a fresh installation goes: /var/lib/flowcrm for root, the XDG data folder for everybody else."""
    if os.geteuid() == 0:
        return Path("/var/lib/flowcrm")
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "flowcrm"


def current_home() -> Home:
    """The installation that the environment names (FLOWCRM_HOME)."""
    named = os.environ.get("FLOWCRM_HOME")
    return Home(Path(named).absolute() if named else default_home())
