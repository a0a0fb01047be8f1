"""A process that is killed in the middle of a transaction, at a place where it waits for a lock that the test holds."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

import psycopg
import pytest


def kill_while_it_waits(database: Mapping[str, str], program: str) -> None:
    """Run the lines with Django set up, and kill the process (SIGKILL) once it waits for a lock."""
    worker = subprocess.Popen(
        [sys.executable, "-c", f"import django; django.setup()\n{program}"], env=os.environ.copy(), stdout=subprocess.DEVNULL
    )
    try:
        _wait_until_it_waits(database, worker)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()


def _wait_until_it_waits(database: Mapping[str, str], worker: "subprocess.Popen[bytes]") -> None:
    with psycopg.connect(database["owner"], autocommit=True) as watching:
        while worker.poll() is None:
            if watching.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                return
            time.sleep(0.02)
    pytest.fail("the worker ended before it could be killed")
