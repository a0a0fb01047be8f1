"""`flowcrm bench`: the measured claims, on this machine. Part of a checkout, not of an installed package."""

import importlib.util
import subprocess
import sys

import typer

from flowcrm.ops.errors import Refused

app = typer.Typer()


@app.callback(invoke_without_command=True)
def bench() -> None:
    """Measure this machine: ingest, contact page, search. Uses a temporary installation of its own."""
    if importlib.util.find_spec("bench") is None:
        raise Refused("The benches are part of the source tree. In a checkout, run: make bench")
    raise typer.Exit(subprocess.run([sys.executable, "-m", "bench"], check=False).returncode)
