"""The command `flowcrm`: which commands there are, and what each needs before its module may be imported."""

import importlib
import os
import sys
from dataclasses import dataclass

import django
import typer

from flowcrm.ops import postgres
from flowcrm.ops.errors import OpsError
from flowcrm.ops.home import current_home


@dataclass(frozen=True)
class Command:
    """One word after `flowcrm`. Its module in ops/commands has `app`, a Typer application."""

    module: str
    # Connects as the owner of the tables: upkeep by the operator, never web or worker.
    as_owner: bool = False
    needs_database: bool = True
    # How many connections its web processes may hold each; 0: one for each thread.
    pool: int = 0


COMMANDS = {
    "serve": Command("serve"),
    "web": Command("web", pool=10),
    "worker": Command("worker"),
    "migrate": Command("migrate", as_owner=True),
    "workspace": Command("workspace", as_owner=True),
    "member": Command("member", as_owner=True),
    "import": Command("import_"),
    "export": Command("export"),
    "inspect": Command("inspect_", needs_database=False),
    "demo": Command("demo", needs_database=False),
    "demo-house": Command("demo_house"),
    "doctor": Command("doctor", needs_database=False),
    "postgres": Command("postgres", needs_database=False),
}


def main() -> None:
    """Entry point: prepare what the named command needs, then hand over to Typer."""
    named = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    try:
        _prepare(COMMANDS.get(named), helping="--help" in sys.argv)
        application()(prog_name="flowcrm")
    except OpsError as refusal:
        typer.echo(f"flowcrm: {refusal}", err=True)
        sys.exit(1)


def application() -> typer.Typer:
    """All commands. Django must be set up: their modules import its models."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(_describe)
    for name, command in COMMANDS.items():
        app.add_typer(importlib.import_module(f"flowcrm.ops.commands.{command.module}").app, name=name)
    return app


def _describe() -> None:
    """FlowCRM: a team's mailboxes, kept in step with their CRM."""


def _prepare(command: Command | None, *, helping: bool) -> None:
    if command and not helping:
        if command.as_owner:
            os.environ["FLOWCRM_DB_ROLE"] = "owner"
        if command.pool:
            os.environ.setdefault("FLOWCRM_POOL_SIZE", str(command.pool))
        home = current_home()
        home.prepare()
        if command.needs_database and not os.environ.get("DATABASE_URL"):
            postgres.ensure_running(home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowcrm.settings")
    django.setup()
