"""`flowcrm serve` as a whole: from an empty database to answers, and no process left behind."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psycopg
import pytest

pytestmark = [pytest.mark.needs_postgres, pytest.mark.slow]


@dataclass
class Served:
    """A running `flowcrm serve`. said: the file with everything it printed."""

    process: subprocess.Popen[bytes]
    port: int
    said: Path
    environment: dict[str, str]


@contextmanager
def serving(environment: dict[str, str], folder: Path) -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "flowcrm", "serve", f"--port={port}"]
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)
    try:
        eventually(lambda: answers(port))
        yield Served(process, port, folder / "said", environment)
    finally:
        process.terminate()
        process.wait(120)


@pytest.fixture(scope="module")
def served(new_installation: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests that leave it running."""
    folder = tmp_path_factory.mktemp("served")
    with serving(new_installation(folder / "home"), folder) as running:
        yield running


@pytest.fixture
def doomed(installation: dict[str, str], tmp_path: Path) -> Iterator[Served]:
    """One for a test that ends it."""
    with serving(installation, tmp_path) as running:
        yield running


def eventually(true: Callable[[], bool]) -> None:
    """Wait for what other processes do; the limit is only there to end a broken test."""
    deadline = time.monotonic() + 240
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.2)


def get(port: int, path: str) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def answers(port: int) -> bool:
    try:
        return get(port, "/setup")[0] == 200
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children] + [one for child in children for one in descendants(int(child))]


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}/exe").exists() for pid in pids)


def test_it_invites_to_the_set_up_page_and_serves_it_with_its_files(served: Served) -> None:
    assert f"Set it up at http://127.0.0.1:{served.port}/setup with the code " in served.said.read_text()
    assert f"FlowCRM is at http://127.0.0.1:{served.port}." in served.said.read_text()
    status, headers, page = get(served.port, "/setup")
    assert status == 200
    assert "content-security-policy" in headers
    style = next(part.split(b'"')[0] for part in page.split(b'href="') if b".css" in part.split(b'"')[0]).decode()
    status, headers, _ = get(served.port, style)
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/css")
    assert "max-age=31536000" in headers["cache-control"]


def test_pages_take_the_port_that_was_asked_for_as_the_address_of_the_installation(served: Served) -> None:
    for pid in descendants(served.process.pid):
        assert f"FLOWCRM_BASE_URL=http://127.0.0.1:{served.port}\0".encode() in Path(f"/proc/{pid}/environ").read_bytes()


def test_web_and_worker_never_hold_the_owner_s_address(served: Served) -> None:
    family = descendants(served.process.pid)
    assert len(family) >= 3
    for pid in family:
        assert b"DATABASE_URL_OWNER" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_it_answers_again_after_the_database_was_away(served: Served) -> None:
    superuser = served.environment["DATABASE_URL_OWNER"].replace("flowcrm_owner", "postgres")
    with psycopg.connect(superuser, autocommit=True) as admin:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        admin.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}".encode())
    eventually(lambda: answers(served.port))
    assert served.process.poll() is None


def test_a_stop_ends_every_process(doomed: Served) -> None:
    family = descendants(doomed.process.pid)
    doomed.process.terminate()
    assert doomed.process.wait(120) == 0
    assert gone(family)


def test_a_kill_ends_every_process(doomed: Served) -> None:
    family = descendants(doomed.process.pid)
    doomed.process.kill()
    eventually(lambda: gone(family))
