"""Kill the embedded PostgreSQL while it commits; see what is there afterwards."""

import os
import random
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from flowcrm.lib import clock
from flowcrm.ops import postgres
from flowcrm.ops.home import OWNER_ROLE, Home
from tests.prove.proof import Figures

_SMALL = {"shared_buffers": "16MB"}
_LONGEST_WAIT = 1.0


def prove(seed: int) -> Figures:
    """Commit row after row on a fresh server, kill it within a second, start it, compare with what was answered."""
    with _server() as home:
        url = home.database_url(OWNER_ROLE)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept (id bigint PRIMARY KEY)")
        answered: list[int] = []
        writer = threading.Thread(target=_write, args=(url, answered))
        writer.start()
        threading.Event().wait(random.Random(seed).random() * _LONGEST_WAIT)
        pid = postgres.running_pid(home.data.resolve())
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        writer.join()
        started = clock.monotonic()
        postgres.ensure_running(home, _SMALL)
        seconds = clock.monotonic() - started
        with psycopg.connect(url) as connection:
            kept = {row[0] for row in connection.execute("SELECT id FROM kept")}
    assert set(answered) <= kept
    # At most the one commit under way may be there unanswered.
    assert len(kept) - len(answered) <= 1
    return {"rows committed": len(answered), "seconds until it answers": seconds}


def _write(url: str, answered: list[int]) -> None:
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            while True:
                connection.execute("INSERT INTO kept VALUES (%s)", [len(answered)])
                answered.append(len(answered))
    except psycopg.OperationalError:
        # The kill we are waiting for.
        return


@contextmanager
def _server() -> Iterator[Home]:
    folder = Path(tempfile.mkdtemp(prefix="flowcrm-kill-"))
    home = Home(folder / "home")
    try:
        postgres.ensure_running(home, _SMALL)
        yield home
    finally:
        postgres.stop(home)
        shutil.rmtree(home.data.resolve())
        shutil.rmtree(home.sockets)
        shutil.rmtree(folder)
