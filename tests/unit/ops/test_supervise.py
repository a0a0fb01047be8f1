"""Several processes as one: restarted when they die, ended in order, none left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowcrm.ops.supervise import Program

# Each child writes its process id, so that a test can look for it; a folder holds one file a start.
MARK = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1], str(os.getpid())).touch(); "
SLEEPS = MARK + "from flowcrm.ops.supervise import die_with_parent; die_with_parent(); time.sleep(600)"
ENDS = MARK + "sys.exit(3)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + MARK + "time.sleep(600)"
PARENT = """
import sys
from flowcrm.ops import supervise
programs = [supervise.Program(str(n), [sys.executable, "-c", code, sys.argv[1]]) for n, code in enumerate(sys.argv[2:])]
supervise.run(programs, upkeep=lambda: None, patience=2)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started = []

    def start(*codes: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", PARENT, str(tmp_path), *codes]
        started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def eventually(true: Callable[[], bool]) -> None:
    """Wait for what another process does; the limit is only there to end a broken test."""
    deadline = time.monotonic() + 240
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def children(folder: Path) -> list[int]:
    return [int(file.name) for file in folder.iterdir()]


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_sigterm_ends_all_and_the_parent_ends_well(supervisor: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> None:
    parent = supervisor(SLEEPS, SLEEPS)
    eventually(lambda: len(children(tmp_path)) == 2)
    parent.terminate()
    assert parent.wait(60) == 0
    assert not any(alive(pid) for pid in children(tmp_path))


def test_a_child_that_will_not_end_is_killed(supervisor: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> None:
    parent = supervisor(STUBBORN)
    eventually(lambda: len(children(tmp_path)) == 1)
    parent.terminate()
    assert parent.wait(60) == 0
    assert not any(alive(pid) for pid in children(tmp_path))


def test_children_die_with_a_killed_parent(supervisor: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> None:
    parent = supervisor(SLEEPS, SLEEPS)
    eventually(lambda: len(children(tmp_path)) == 2)
    # They ask for it just after they left their mark.
    time.sleep(1)
    parent.kill()
    eventually(lambda: not any(alive(pid) for pid in children(tmp_path)))


def test_a_child_that_dies_is_started_again_beside_the_others(
    supervisor: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    supervisor(SLEEPS)
    eventually(lambda: len(children(tmp_path)) == 1)
    os.kill(children(tmp_path)[0], signal.SIGKILL)
    eventually(lambda: sum(alive(pid) for pid in children(tmp_path)) == 1 and len(children(tmp_path)) == 2)


def test_one_that_always_ends_is_tried_again(supervisor: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> None:
    parent = supervisor(ENDS)
    eventually(lambda: len(children(tmp_path)) >= 2)
    assert parent.poll() is None


def test_a_program_is_a_value() -> None:
    assert Program("web", ("flowcrm", "web")) == Program("web", ("flowcrm", "web"))


_TOLD = """
import asyncio, os, signal
from flowcrm.ops.supervise import when_told_to_stop

async def main():
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, lambda: (print("the loop's own"), over.set()))
    when_told_to_stop(lambda: loop.call_soon_threadsafe(print, "ours"))
    os.kill(os.getpid(), signal.SIGTERM)
    await over.wait()
    await asyncio.sleep(0)

asyncio.run(main())
"""


def test_a_stop_is_told_to_us_and_to_the_event_loop() -> None:
    done = subprocess.run([sys.executable, "-c", _TOLD], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split("\n")) == ["", "ours", "the loop's own"]
