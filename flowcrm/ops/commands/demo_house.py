"""`flowcrm demo-house`: what `flowcrm demo` runs inside the fresh installation, where the settings name the stand-in."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from flowcrm.ops.demo.account import do_make_account
from flowcrm.ops.demo.headless import check
from flowcrm.ops.demo.people import load
from flowcrm.ops.demo.states import do_make_states
from flowcrm.ops.reports import reported
from standins.google.client import RemoteStandin

app = typer.Typer(hidden=True)


@app.callback(invoke_without_command=True)
def demo_house(
    google_url: Annotated[str, typer.Argument(help="Where the stand-in for Google is.")],
    check_it: Annotated[bool, typer.Option("--check", help="Sync everything and hold it against the stand-in.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the result to this file, as JSON.")] = None,
) -> None:
    """Make the demo's account, users, contacts and connected mailboxes, and beside it those with every state of a mailbox."""
    google, result = RemoteStandin(google_url), dict[str, Any]()
    with reported(report, lambda: result):
        mailboxes = do_make_account(load(), google)
        if check_it:
            result |= check(mailboxes, google)
            typer.echo(json.dumps(result, indent=2))
        else:
            do_make_states(google)
    if check_it and not result["ok"]:
        raise typer.Exit(1)
