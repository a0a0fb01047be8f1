"""`flowcrm inspect`: what ingest makes of a mail, as JSON. Needs neither account nor database."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from flowcrm.ingest.inspect import inspect

app = typer.Typer()


@app.callback(invoke_without_command=True)
def inspect_(
    files: Annotated[list[Path] | None, typer.Argument(help="Mails, one a file.")] = None,
    jsonl: Annotated[str, typer.Option(help='"-": read paths from standard input, print one object a file.')] = "",
) -> None:
    """Show what is understood of each mail."""
    if jsonl not in ("", "-"):
        raise typer.BadParameter('--jsonl takes "-": the paths come from standard input.')
    failed = False
    for path in _from_input() if jsonl else files or []:
        shown = _shown(path)
        failed = failed or "error" in shown
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=None if jsonl else 2))
        sys.stdout.flush()
    # With --jsonl the reader sees each error in its place.
    if failed and not jsonl:
        raise typer.Exit(1)


def _from_input() -> Iterator[Path]:
    for line in sys.stdin:
        if line.strip():
            yield Path(line.rstrip("\n"))


def _shown(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        return {"file": str(path), "error": f"{path} cannot be read: {error.strerror}."}
    return {"file": str(path), **inspect(raw)}
