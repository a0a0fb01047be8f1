"""`flowcrm` as a process, on an installation of the test's own."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any


def flowcrm(
    environment: Mapping[str, str], *words: str | Path, fails: bool = False, **rest: Any
) -> "subprocess.CompletedProcess[str]":
    """Run it to its end, which must be the expected one."""
    done = subprocess.run(_command(words), env=_here(environment), capture_output=True, text=True, check=False, **rest)
    assert bool(done.returncode) is fails, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def begun(environment: Mapping[str, str], *words: str | Path, stdout: int | IO[str] | None = None) -> "subprocess.Popen[str]":
    """Start it; the test ends it."""
    return subprocess.Popen(_command(words), env=_here(environment), text=True, stdout=stdout, stderr=subprocess.PIPE)


def _here(environment: Mapping[str, str]) -> dict[str, str]:
    # This checkout's code, in whichever folder the process runs.
    return {**environment, "PYTHONPATH": str(Path(__file__).parents[2])}


def _command(words: Sequence[str | Path]) -> list[str]:
    return [sys.executable, "-m", "flowcrm", *map(str, words)]
