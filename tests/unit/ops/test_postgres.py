"""The embedded server: starts from nothing, comes back with its data after anything, and is closed to others."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from flowcrm.ops import postgres
from flowcrm.ops.errors import HomeRefused, PostgresFailed
from flowcrm.ops.home import APP_ROLE, OWNER_ROLE, Home

pytestmark = pytest.mark.needs_postgres

SMALL = {"shared_buffers": "16MB", "fsync": "off"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """An installation of its own; below pytest's folder, which no other user may enter."""
    own = Home(tmp_path_factory.mktemp("postgres"))
    postgres.ensure_running(own, SMALL)
    yield own
    postgres.stop(own)
    shutil.rmtree(own.data.resolve(), ignore_errors=True)
    shutil.rmtree(own.sockets, ignore_errors=True)


@pytest.fixture(autouse=True)
def running(home: Home) -> None:
    postgres.ensure_running(home, SMALL)


def pid(home: Home) -> int:
    found = postgres.running_pid(home.data.resolve())
    assert found is not None
    return found


def scalar(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def keep(home: Home, word: str) -> None:
    with psycopg.connect(home.database_url(OWNER_ROLE)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [word])


def kept(home: Home, word: str) -> bool:
    with psycopg.connect(home.database_url(OWNER_ROLE)) as connection:
        return connection.execute("SELECT 1 FROM kept WHERE word = %s", [word]).fetchone() is not None


def test_it_comes_back_with_its_data_after_kill_9(home: Home) -> None:
    keep(home, "before the kill")
    os.kill(pid(home), signal.SIGKILL)
    postgres.ensure_running(home, SMALL)
    assert kept(home, "before the kill")


def test_it_comes_back_after_a_stop_and_stopping_twice_is_harmless(home: Home) -> None:
    keep(home, "before the stop")
    postgres.stop(home)
    postgres.stop(home)
    assert not postgres.answers(home)
    postgres.ensure_running(home, SMALL)
    assert kept(home, "before the stop")


def test_where_it_runs_nothing_happens(home: Home) -> None:
    before = pid(home)
    postgres.ensure_running(home, SMALL)
    assert pid(home) == before


def test_many_processes_at_once_start_one_server(home: Home) -> None:
    postgres.stop(home)
    code = "import sys; from pathlib import Path; from flowcrm.ops import postgres, home; "
    code += "h = home.Home(Path(sys.argv[1])); postgres.ensure_running(h); print(postgres.running_pid(h.data.resolve()))"

    def start(_: int) -> str:
        return subprocess.run([sys.executable, "-c", code, home.path], capture_output=True, text=True, check=True).stdout

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(start, range(4))) == {f"{pid(home)}\n"}


def test_it_outlives_whoever_started_it(home: Home) -> None:
    postgres.stop(home)
    code = "import os, sys; from pathlib import Path; from flowcrm.ops import postgres, home; "
    code += "postgres.ensure_running(home.Home(Path(sys.argv[1]))); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, home.path], check=False, start_new_session=True)
    assert postgres.answers(home)


def test_a_pid_left_by_a_machine_that_went_down_is_not_believed(home: Home) -> None:
    """After a restart the number may belong to any other program, here to this test."""
    keep(home, "before the power cut")
    lines = (home.data / "postmaster.pid").read_text().split("\n")
    os.kill(pid(home), signal.SIGKILL)
    leftover = home.data / "postmaster.pid"
    leftover.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    shutil.chown(leftover, home.data.stat().st_uid, home.data.stat().st_gid)
    assert postgres.running_pid(home.data.resolve()) is None
    postgres.ensure_running(home, SMALL)
    assert kept(home, "before the power cut")


def test_another_homes_server_is_not_believed_to_be_this_one(home: Home, tmp_path: Path) -> None:
    """Both run as the same user, so a left-over number can be the other's."""
    other = Home(tmp_path / "other")
    postgres.ensure_running(other, SMALL)
    try:
        postgres.stop(other)
        leftover = other.data / "postmaster.pid"
        leftover.write_text(f"{pid(home)}\n{other.data.resolve()}\n")
        shutil.chown(leftover, other.data.stat().st_uid, other.data.stat().st_gid)
        postgres.ensure_running(other, SMALL)
        assert postgres.running_pid(other.data.resolve()) not in (None, pid(home))
    finally:
        postgres.stop(other)
        shutil.rmtree(other.data.resolve())
        shutil.rmtree(other.sockets)
    assert postgres.answers(home)


def test_it_is_started_anew_where_somebody_tidied_its_socket_away(home: Home) -> None:
    keep(home, "before the tidying")
    shutil.rmtree(home.sockets)
    postgres.ensure_running(home, SMALL)
    assert kept(home, "before the tidying")


def test_data_and_socket_are_closed_to_others(home: Home) -> None:
    for folder in (home.data.resolve(), home.sockets):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert scalar(home.database_url(APP_ROLE), "SHOW listen_addresses") == ""


def test_a_socket_folder_open_to_others_is_refused(home: Home) -> None:
    home.sockets.chmod(0o755)
    try:
        with pytest.raises(HomeRefused, match="chmod 700"):
            postgres.check_modes(home)
    finally:
        home.sockets.chmod(0o700)


def test_our_settings_hold_and_a_file_of_the_operator_beats_them(home: Home) -> None:
    assert scalar(home.database_url(APP_ROLE), "SHOW gin_pending_list_limit") == "16MB"
    assert scalar(home.database_url(APP_ROLE), "SHOW shared_buffers") == "16MB"
    local = home.data / "local.conf"
    local.write_text("work_mem = 5MB\n")
    local.chmod(0o644)
    postgres.stop(home)
    postgres.ensure_running(home, SMALL)
    assert scalar(home.database_url(APP_ROLE), "SHOW work_mem") == "5MB"
    local.unlink()


def test_a_half_made_data_directory_does_not_count(tmp_path: Path) -> None:
    home = Home(tmp_path / "half")
    home.prepare()
    # Where a set-up that is killed leaves its pieces: beside the data directory, wherever that lies.
    try:
        postgres.ensure_running(home, SMALL)
        data = home.data.resolve()
        postgres.stop(home)
        pieces = data.with_name(f".{data.name}-new")
        data.rename(pieces)
        (pieces / "PG_VERSION").unlink()
        postgres.ensure_running(home, SMALL)
        assert postgres.answers(home)
    finally:
        postgres.stop(home)
        shutil.rmtree(home.data.resolve())
        shutil.rmtree(home.sockets)


def test_data_of_another_major_version_are_refused_untouched(home: Home) -> None:
    postgres.stop(home)
    mark = home.data / "PG_VERSION"
    mark.write_text("16\n")
    try:
        with pytest.raises(PostgresFailed, match="was made by PostgreSQL 16"):
            postgres.ensure_running(home, SMALL)
    finally:
        mark.write_text("18\n")


def test_what_it_said_is_told_when_it_does_not_start(home: Home) -> None:
    postgres.stop(home)
    with pytest.raises(PostgresFailed, match="max_connections"):
        postgres.ensure_running(home, {**SMALL, "max_connections": "many"})


def test_its_log_names_no_values(home: Home) -> None:
    with psycopg.connect(home.database_url(OWNER_ROLE)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS once (word text UNIQUE)")
        connection.execute("INSERT INTO once VALUES ('quince-jelly') ON CONFLICT DO NOTHING")
    with psycopg.connect(home.database_url(OWNER_ROLE)) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("INSERT INTO once VALUES (%s)", ["quince-jelly"])
    with psycopg.connect(home.database_url(OWNER_ROLE)) as connection:
        connection.execute("DO $$ BEGIN RAISE LOG 'said afterwards'; END $$")
    # A process of its own writes the log, when it comes to it.
    until, logs = time.monotonic() + 60, ""
    while "said afterwards" not in logs:
        assert time.monotonic() < until, logs
        time.sleep(0.05)
        logs = "".join(file.read_text() for file in (home.data / "log").glob("*.log"))
    assert "duplicate key" in logs
    assert "quince-jelly" not in logs
