"""What all tests share: one PostgreSQL for the whole run, one database for each xdist worker, and no network but our own.

Tests commit for real and run as the application's role, so row-level security holds in them as in production; each makes a
workspace of its own instead of rolling back. The server is started by the first test that needs it, and ended by us.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import django
import hypothesis
import psycopg
import pytest
from django.test.utils import setup_test_environment, teardown_test_environment
from psycopg import sql

from flowcrm.ops import postgres, roles
from flowcrm.ops.errors import PostgresFailed
from flowcrm.ops.home import APP_ROLE, OWNER_ROLE, ROUTER_ROLE, Home
from flowcrm.store.vaults import key_store
from standins.imap.dovecot import Dovecot
from standins.imap.dovecot import binary as dovecot_binary
from tests.chromium import find as find_chromium
from tests.network import allow_loopback_only

_RUN = "FLOWCRM_TEST_RUN"
_TEMPLATE = "template_flowcrm"
# A test run's data may be lost with the machine: no fsync, and small buffers beside the browsers.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "256MB",
    "max_wal_size": "1GB",
}
_PARTS = {"needs_postgres", "needs_chromium", "needs_dovecot"}


def _begin() -> Path:
    """Set the environment that the settings read, once for the run and once for each worker; gives the run's folder."""
    if _RUN not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="flowcrm-tests-"))
        folder.chmod(0o711)
        os.environ[_RUN] = str(folder)
    run = Path(os.environ[_RUN])
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    server, home = Home(run / "server"), Home(run / worker)
    home.prepare()
    os.environ |= _environment(server, home, f"test_{worker}")
    return run


def _environment(server: Home, home: Home, database: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "flowcrm.settings",
        "FLOWCRM_HOME": str(home.path),
        "DATABASE_URL": server.database_url(APP_ROLE, database),
        "DATABASE_URL_OWNER": server.database_url(OWNER_ROLE, database),
        "DATABASE_URL_ROUTER": server.database_url(ROUTER_ROLE, database),
    }


# A test says what is true, never how fast: a busy machine must not make one fail.
hypothesis.settings.register_profile("flowcrm", deadline=None)
hypothesis.settings.load_profile("flowcrm")

_STARTED_HERE = _RUN not in os.environ
_FOLDER = _begin()
_SERVER = Home(_FOLDER / "server")
django.setup()
allow_loopback_only()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The process that began the run ends it: the server, then the folder."""
    if not _STARTED_HERE:
        return
    if (_SERVER.data / "postmaster.pid").exists():
        postgres.stop(_SERVER)
    shutil.rmtree(_SERVER.sockets, ignore_errors=True)
    shutil.rmtree(_FOLDER, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With FLOWCRM_REQUIRE_PARTS=1 a test that misses its real part fails instead of being skipped (.ci/run)."""
    report = yield
    parts = _PARTS & {mark.name for mark in item.iter_markers()}
    # What lies beside the project may be absent anywhere: such a test says so itself.
    absent = item.get_closest_marker("needs_shared") is not None and "../shared/" in str(report.longrepr)
    if report.skipped and parts and not absent and os.environ.get("FLOWCRM_REQUIRE_PARTS") == "1":
        report.outcome = "failed"
        report.longrepr = f"{', '.join(sorted(parts))}: this part is required here, and was missing: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def server() -> Home:
    """The home of the run's PostgreSQL, running, with roles and a migrated template database."""
    try:
        postgres.ensure_running(_SERVER, _SETTINGS)
    except PostgresFailed as failed:
        pytest.skip(f"PostgreSQL cannot start on this machine: {failed}")
    with postgres.alone(_SERVER):
        _make_template()
    return _SERVER


@pytest.fixture(scope="session")
def database(server: Home) -> Iterator[dict[str, str]]:
    """This worker's database, cloned from the template; gives the addresses by role: owner, app, router."""
    name = os.environ["DATABASE_URL"].split("/")[3].split("?")[0]
    _clone(name)
    key_store().create_instance()
    yield {
        role: os.environ[f"DATABASE_URL{suffix}"] for role, suffix in (("owner", "_OWNER"), ("app", ""), ("router", "_ROUTER"))
    }
    django.db.connections.close_all()


@pytest.fixture(scope="session")
def new_installation(server: Home) -> Iterator[Callable[[Path], dict[str, str]]]:
    """Makes an installation in a folder: a fresh home and an empty, migrated database; gives its environment."""
    names: list[str] = []

    def make(folder: Path) -> dict[str, str]:
        home = Home(folder)
        home.prepare()
        names.append(f"own_{uuid.uuid4().hex}")
        _clone(names[-1])
        return os.environ | _environment(server, home, names[-1])

    yield make
    with psycopg.connect(postgres.maintenance_url(server), autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def installation(new_installation: Callable[[Path], dict[str, str]], tmp_path: Path) -> dict[str, str]:
    """An installation of this test's own, for starting `flowcrm` processes."""
    return new_installation(tmp_path / "installation")


@pytest.fixture(autouse=True)
def _parts(request: pytest.FixtureRequest) -> None:
    """A marked test gets its part without naming the fixture."""
    if request.node.get_closest_marker("needs_postgres"):
        request.getfixturevalue("database")
    if request.node.get_closest_marker("needs_chromium"):
        request.getfixturevalue("chromium")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's program."""
    found = find_chromium()
    if found is None:
        pytest.skip("Chromium is not installed. Run as root: make setup")
    return found


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """An IMAP server of this process; a test takes a user name of its own."""
    if dovecot_binary() is None:
        pytest.skip("Dovecot is not installed. Run as root: make setup")
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def pages() -> Iterator[None]:
    """Django as its test client wants it. Once a process: Django refuses a second time."""
    setup_test_environment()
    yield
    teardown_test_environment()


@pytest.fixture
def moving_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This test may move the product's clock: flowcrm.lib.clock.advance(seconds)."""
    monkeypatch.setenv("FLOWCRM_CLOCK_FILE", str(tmp_path / "clock"))


def _make_template() -> None:
    url = postgres.maintenance_url(_SERVER)
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_TEMPLATE]).fetchone():
            return
    # Migrated under another name: a half migrated one must not be taken for the template.
    roles.create_database(url, "unfinished")
    owner = _SERVER.database_url(OWNER_ROLE, "unfinished")
    environment = os.environ | {"DATABASE_URL": owner, "DATABASE_URL_OWNER": owner, "DATABASE_URL_ROUTER": owner}
    done = subprocess.run(
        [sys.executable, "-m", "flowcrm", "migrate"], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(f"flowcrm migrate failed:\n{done.stdout}{done.stderr}", pytrace=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE unfinished RENAME TO {}").format(sql.Identifier(_TEMPLATE)))


def _clone(name: str) -> None:
    # One at a time: PostgreSQL does not copy a database that somebody, such as another copy, is connected to.
    with postgres.alone(_SERVER), psycopg.connect(postgres.maintenance_url(_SERVER), autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
        connection.execute(statement.format(*(sql.Identifier(word) for word in (name, _TEMPLATE, OWNER_ROLE))))
