"""`flowcrm demo-house`: what `flowcrm demo` runs inside the fresh installation, where the settings name the stand-in."""

import json
from pathlib import Path
from typing import Annotated

import typer

from flowcrm.ops.demo.account import do_make_account
from flowcrm.ops.demo.headless import check
from flowcrm.ops.demo.people import load
from standins.google.client import RemoteStandin

app = typer.Typer(hidden=True)


@app.callback(invoke_without_command=True)
def demo_house(
    google_url: Annotated[str, typer.Argument(help="Where the stand-in for Google is.")],
    check_it: Annotated[bool, typer.Option("--check", help="Sync everything and hold it against the stand-in.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the result to this file, as JSON.")] = None,
) -> None:
    """Make the demo's account, users, contacts and connected mailboxes."""
    google = RemoteStandin(google_url)
    mailboxes = do_make_account(load(), google)
    if not check_it:
        return
    result = check(mailboxes, google)
    text = json.dumps(result, indent=2)
    if report is not None:
        report.write_text(text + "\n")
    typer.echo(text)
    if not result["ok"]:
        raise typer.Exit(1)
