"""`flowcrm serve` as a whole: from an empty database to answers, and no process left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import psycopg
import pytest

pytestmark = [pytest.mark.needs_postgres, pytest.mark.slow]


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def serve(installation: dict[str, str], port: int, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`flowcrm serve` on an installation of its own; what it says is in the file `said`."""
    environment = installation | {"FLOWCRM_BASE_URL": f"http://127.0.0.1:{port}"}
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "flowcrm", "serve", f"--port={port}"], env=environment, stdout=said, stderr=subprocess.STDOUT
        )
        yield process
        process.terminate()
        process.wait(60)


def eventually(true: Callable[[], bool]) -> None:
    """Wait for what other processes do; the limit is only there to end a broken test."""
    deadline = time.monotonic() + 120
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


def test_it_invites_to_the_set_up_page_and_serves_it_with_its_files(
    serve: subprocess.Popen[bytes], port: int, tmp_path: Path
) -> None:
    eventually(lambda: answers(port))
    assert f"Set it up at http://127.0.0.1:{port}/setup with the code " in (tmp_path / "said").read_text()
    status, headers, page = get(port, "/setup")
    assert status == 200
    assert "content-security-policy" in headers
    style = next(part.split(b'"')[0] for part in page.split(b'href="') if b".css" in part.split(b'"')[0]).decode()
    status, headers, _ = get(port, style)
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/css")
    assert "max-age=31536000" in headers["cache-control"]


def test_a_stop_ends_every_process(serve: subprocess.Popen[bytes], port: int) -> None:
    eventually(lambda: answers(port))
    family = descendants(serve.pid)
    assert len(family) >= 3
    serve.terminate()
    assert serve.wait(60) == 0
    assert gone(family)


def test_a_kill_ends_every_process(serve: subprocess.Popen[bytes], port: int) -> None:
    eventually(lambda: answers(port))
    family = descendants(serve.pid)
    os.kill(serve.pid, signal.SIGKILL)
    eventually(lambda: gone(family))


def test_web_and_worker_never_hold_the_owner_s_address(serve: subprocess.Popen[bytes], port: int) -> None:
    eventually(lambda: answers(port))
    for pid in descendants(serve.pid):
        assert b"DATABASE_URL_OWNER" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_it_answers_again_after_the_database_was_away(
    serve: subprocess.Popen[bytes], port: int, installation: dict[str, str]
) -> None:
    eventually(lambda: answers(port))
    with psycopg.connect(installation["DATABASE_URL_OWNER"].replace("flowcrm_owner", "postgres"), autocommit=True) as admin:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        admin.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}".encode())
    eventually(lambda: answers(port))
    assert serve.poll() is None
