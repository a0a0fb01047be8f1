"""`flowcrm inspect`: what ingest makes of a mail, as JSON. Needs neither account nor database."""

import json
import os
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from typing import Annotated, Any

import typer

from flowcrm.ingest.inspect import inspect
from flowcrm.ops.outfiles import STANDARD_OUTPUT, naming

app = typer.Typer()

_STANDARD_INPUT = "-"


@app.callback(invoke_without_command=True)
def inspect_(
    context: typer.Context,
    files: Annotated[list[str] | None, typer.Argument(help='Mails, one a file; "-": one from standard input.')] = None,
    jsonl: Annotated[str, typer.Option(help='"-": read paths from standard input, print one object a file.')] = "",
) -> None:
    """Show what is understood of each mail."""
    if jsonl not in ("", "-"):
        raise typer.BadParameter('--jsonl takes "-": the paths come from standard input.')
    if not jsonl and not files:
        typer.echo(context.get_help())
        return
    _write_utf8()
    failed = False
    for path in _from_input() if jsonl else files or []:
        shown = _shown(path)
        failed = failed or "error" in shown
        with naming(STANDARD_OUTPUT):
            typer.echo(json.dumps(shown, ensure_ascii=False, indent=None if jsonl else 2))
            sys.stdout.flush()
    # With --jsonl the reader sees each error in its place.
    if failed and not jsonl:
        raise typer.Exit(1)


def _write_utf8() -> None:
    """JSON is UTF-8 in every locale. What UTF-8 has no bytes for (a file name that is none) comes out as JSON's own \\udcXX."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def _from_input() -> Iterator[str]:
    """Paths, one a line: bytes, as the file system has them."""
    for line in sys.stdin.buffer:
        if line.strip():
            yield os.fsdecode(line.rstrip(b"\n"))


def _shown(path: str) -> dict[str, Any]:
    """One object, whatever happens: one bad file must not end a run over a million."""
    try:
        return {"file": path, **inspect(_read(path))}
    except OSError as error:
        return {"file": path, "error": f"{path} cannot be read: {error.strerror or error}."}
    except Exception as error:  # noqa: BLE001 - said in its place; the type alone, as a text may quote the mail
        return {"file": path, "error": f"{path} cannot be inspected: {_why(path, error)}."}


def _why(path: str, error: Exception) -> str:
    return "its name has a NUL in it" if "\0" in path else type(error).__name__


def _read(path: str) -> bytes:
    if path == _STANDARD_INPUT:
        return sys.stdin.buffer.read()
    with open(path, "rb") as file:
        return file.read()
