"""Several processes as one: started together, restarted when they die, ended together.

No child outlives its parent, not even a killed one: children ask the kernel for SIGTERM when their parent is gone.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

import structlog

_log = structlog.get_logger(__name__)

_PR_SET_PDEATHSIG = 1
# A child that dies at once is started again, later each time: 1, 2, 4 … seconds.
_LONGEST_PAUSE = 60.0
_HEALTHY_SECONDS = 60.0
_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Program:
    """One process to keep running. name: for the log."""

    name: str
    command: Sequence[str]


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    started: float
    failures: int = 0
    restart_at: float | None = None


def die_with_parent() -> None:
    """Ask the kernel to end this process with SIGTERM when its parent ends (Linux; elsewhere nothing happens)."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        # It died before we asked.
        os.kill(os.getpid(), signal.SIGTERM)


def when_told_to_stop(act: Callable[[], object]) -> None:
    """Also do this on SIGTERM and SIGINT, in the main thread of a process whose event loop has handlers for them.

    Those are not replaced: the loop reads signals from its pipe (signal.set_wakeup_fd), and what Python calls besides is only a
    place-holder. `act` must be as careful as any signal handler: loop.call_soon_threadsafe is.
    """

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        act()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)


def run(programs: Sequence[Program], *, upkeep: Callable[[], None], patience: float = 30.0) -> None:
    """Keep all programs running until SIGTERM or SIGINT; then end them, after `patience` seconds by force.

    upkeep is called about once a second; it may take its time.
    """
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    children = [_Child(program, _spawn(program), time.monotonic()) for program in programs]
    try:
        while not stop.wait(_POLL_SECONDS):
            upkeep()
            for child in children:
                _look_after(child)
    finally:
        _end([child.process for child in children], patience)


def _spawn(program: Program) -> subprocess.Popen[bytes]:
    # A group of its own: Ctrl-C in the terminal reaches us alone, and we end the children in order.
    return subprocess.Popen(program.command, start_new_session=True)


def _look_after(child: _Child) -> None:
    code, now = child.process.poll(), time.monotonic()
    if code is None:
        return
    if child.restart_at is None:
        child.failures = 0 if now - child.started > _HEALTHY_SECONDS else child.failures + 1
        child.restart_at = now + min(2.0 ** (child.failures - 1), _LONGEST_PAUSE)
        _log.error("process ended", name=child.program.name, code=code, restart_in=round(child.restart_at - now, 1))
    if now >= child.restart_at:
        child.process, child.started, child.restart_at = _spawn(child.program), now, None


def _end(processes: Sequence[subprocess.Popen[bytes]], patience: float) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + patience
    for process in processes:
        try:
            process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
