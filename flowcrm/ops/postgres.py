"""The PostgreSQL server that comes with the product: set up, started, stopped.

It is started by pg_ctl and outlives whoever started it. Every command calls `ensure_running`, at any time, from any number of
processes: it starts the server after a crash, a `kill -9` or a restart of the machine, and does nothing where it runs.

Trust: the server listens on one Unix socket in a folder with mode 0700 and asks for no password. Whoever may enter that folder
owns everything; the folder is the guard.
"""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from flowcrm.ops import roles, tuning
from flowcrm.ops.errors import PostgresFailed
from flowcrm.ops.home import APP_ROLE, DATABASE, Home, refuse_open
from flowcrm.ops.postgres_install import MAJOR, Install, find

SUPERUSER = "postgres"
# After a crash the last children hold the shared memory for a moment; replaying a long log may take minutes.
_START_SECONDS = 600
_POLL_SECONDS = 0.1


def ensure_running(home: Home, overrides: Mapping[str, str] | None = None) -> None:
    """Make sure that this home's server runs, with roles and database; set it up on first use.

    overrides: PostgreSQL settings that beat ours, taken over when the server is started. Raises PostgresFailed, HomeRefused.
    """
    if answers(home):
        return
    home.prepare()
    with alone(home):
        if not answers(home):
            _start(home, find(home), overrides or {})


def answers(home: Home) -> bool:
    """Whether the application can connect right now. Its role may log in only once everything is set up (roles.py)."""
    return _connects(home.database_url(APP_ROLE))


def stop(home: Home) -> None:
    """Stop the server; what was committed stays."""
    with alone(home):
        install = find(home)
        if running_pid(install.data) is not None:
            _pg_ctl(install, "stop", "-m", "fast")


def maintenance_url(home: Home, database: str = "postgres") -> str:
    """The embedded server's superuser: for setting up, backups and tests."""
    return home.database_url(SUPERUSER, database)


def check_modes(home: Home) -> None:
    """Raise HomeRefused where data or socket are open to other users."""
    for folder in (home.data.resolve(), home.sockets):
        if folder.exists():
            refuse_open(folder)


def running_pid(data: Path) -> int | None:
    """The process that serves this data directory; None where postmaster.pid is absent or left over."""
    pid = _pid_in(data / "postmaster.pid")
    # The server's working directory is its data directory. A left-over number may meanwhile be anybody's.
    return pid if pid and _working_directory(pid, data) == data.resolve() else None


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Hold the server's lock: one process at a time sets up, starts or stops. A killed holder's lock goes with it."""
    with (home.run / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(home: Home, install: Install, overrides: Mapping[str, str]) -> None:
    if not install.data.exists():
        _set_up(install)
    check_modes(home)
    _check_version(install)
    if running_pid(install.data) is None or not _socket(install).exists():
        _launch(install, overrides)
    _wait(home)
    roles.create(maintenance_url(home), DATABASE)


def _set_up(install: Install) -> None:
    # Beside and renamed: a set-up that was killed half way must not look like a data directory.
    beside = install.data.with_name(f".{install.data.name}-new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    install.hand_over(beside)
    locale = ("--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST")
    install.run("initdb", "-D", str(beside), "-U", SUPERUSER, "--auth=trust", *locale)
    with (beside / "postgresql.conf").open("a") as file:
        file.write("\n# Ours, written anew at each start; then yours, if you make that file.\n")
        file.write("include 'flowcrm.conf'\ninclude_if_exists 'local.conf'\n")
    beside.rename(install.data)


def _check_version(install: Install) -> None:
    found = (install.data / "PG_VERSION").read_text().strip()
    if found != str(MAJOR):
        raise PostgresFailed(f"{install.data} was made by PostgreSQL {found}, FlowCRM now brings {MAJOR}: dump and load it.")


def _launch(install: Install, overrides: Mapping[str, str]) -> None:
    install.write(install.data / "flowcrm.conf", tuning.as_file({**tuning.settings_here(install.data), **overrides}))
    if running_pid(install.data) is not None:
        # It runs, but its socket is gone: the home was moved, or somebody tidied up.
        _pg_ctl(install, "stop", "-m", "fast")
    deadline = time.monotonic() + _START_SECONDS
    while True:
        _drop_foreign_pid(install)
        try:
            return _pg_ctl(install, "start", "-o", f"-k '{install.sockets}'", "-l", str(install.data / "start.log"))
        except PostgresFailed:
            said = _last_words(install)
            if "shared memory block" not in said or time.monotonic() > deadline:
                raise PostgresFailed(f"PostgreSQL did not start: {said}") from None
            time.sleep(_POLL_SECONDS)


def _pg_ctl(install: Install, verb: str, *options: str) -> None:
    install.run("pg_ctl", verb, "-D", str(install.data), "-w", "-s", "-t", str(_START_SECONDS), *options)


def _drop_foreign_pid(install: Install) -> None:
    """Remove a left-over postmaster.pid whose number now belongs to another program, which PostgreSQL would take for itself.

    Only where that program was seen to work elsewhere, or to be dying: a running server ends itself without this file. All else
    is PostgreSQL's own business: where the process is gone it looks for orphaned children, and another user's it passes over.
    """
    for file in (install.data / "postmaster.pid", _socket(install).with_name(_socket(install).name + ".lock")):
        pid = _pid_in(file)
        if pid and Path(f"/proc/{pid}").exists() and _is_foreign(pid, install.data):
            file.unlink()


def _is_foreign(pid: int, data: Path) -> bool:
    seen = _working_directory(pid, data)
    return seen is not None and seen != data.resolve()


def _pid_in(file: Path) -> int:
    """The number in the first line of a lock file; 0 where there is none."""
    try:
        return int(file.read_text().partition("\n")[0])
    except (FileNotFoundError, ValueError):
        return 0


def _working_directory(pid: int, data: Path) -> Path | None:
    """Where this process works, as the owner of the data directory sees it; Path() where it is dead. None: that cannot be told.
    As a rule it is another user's then, and no server of ours."""
    # Root may not see it everywhere (proc_pid_cwd(5)): a container's root has no CAP_SYS_PTRACE. Its own user always may.
    found, root = data.stat(), os.geteuid() == 0
    seen = subprocess.run(
        ["readlink", "-v", f"/proc/{pid}/cwd"],
        user=found.st_uid if root else None,
        group=found.st_gid if root else None,
        extra_groups=[] if root else None,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        capture_output=True,
        check=False,
    )
    if seen.returncode == 0:
        return Path(os.fsdecode(seen.stdout.removesuffix(b"\n")))
    return Path() if b"No such" in seen.stderr else None


def _socket(install: Install) -> Path:
    return install.sockets / ".s.PGSQL.5432"


def _wait(home: Home) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _connects(maintenance_url(home)):
        if time.monotonic() > deadline:
            raise PostgresFailed(f"PostgreSQL runs but does not answer. Its log is in {home.data / 'log'}")
        time.sleep(_POLL_SECONDS)


def _connects(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


def _last_words(install: Install) -> str:
    logs = [install.data / "start.log", *(install.data / "log").glob("*.log")]
    newest = max((log for log in logs if log.exists()), key=lambda log: log.stat().st_mtime, default=None)
    return newest.read_text(errors="replace")[-1500:].strip() if newest else "it left no log"
