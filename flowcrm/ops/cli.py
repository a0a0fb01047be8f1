"""The command `flowcrm`: which commands there are, and what each needs before its module may be imported."""

import importlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import django
import typer
from django.db import OperationalError

from flowcrm.ops import migrations, postgres
from flowcrm.ops.errors import OpsError
from flowcrm.ops.home import current_home
from flowcrm.vault.errors import VaultError


@dataclass(frozen=True)
class Command:
    """One word after `flowcrm`. Its module in ops/commands has `app`, a Typer application.

    as_owner: connects as the owner of the tables; upkeep by the operator, never web or worker.
    home, database: whether it needs the installation's folders, and a running database with all its tables.
    pool: how many connections each of its processes may hold; 0: one for each thread.
    """

    module: str
    as_owner: bool = False
    home: bool = True
    database: bool = True
    pool: int = 0


COMMANDS = {
    "serve": Command("serve"),
    "web": Command("web", pool=10),
    "worker": Command("worker"),
    "migrate": Command("migrate", as_owner=True, database=False),
    "workspace": Command("workspace", as_owner=True),
    "member": Command("member", as_owner=True),
    "import": Command("import_"),
    "export": Command("export"),
    "audit": Command("audit", as_owner=True),
    "inspect": Command("inspect_", home=False, database=False),
    "demo": Command("demo", home=False, database=False),
    "demo-house": Command("demo_house"),
    "bench": Command("bench", home=False, database=False),
    "doctor": Command("doctor", database=False),
    "postgres": Command("postgres", database=False),
}


def main() -> None:
    """Entry point: prepare what the named command needs, then hand over to Typer."""
    named = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    command = None if "--help" in sys.argv else COMMANDS.get(named)
    try:
        prepare(command)
        application([named] if command else COMMANDS)(prog_name="flowcrm")
    except (OpsError, VaultError) as refusal:
        typer.echo(f"flowcrm: {refusal}", err=True)
        sys.exit(1)
    except OperationalError as gone:
        typer.echo(f"flowcrm: the database does not answer: {gone}", err=True)
        sys.exit(1)


def application(names: Iterable[str] = tuple(COMMANDS)) -> typer.Typer:
    """The named commands. Django must be set up: their modules import its models."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(_describe)
    for name in names:
        _add(app, name, importlib.import_module(f"flowcrm.ops.commands.{COMMANDS[name].module}").app)
    return app


def _add(app: typer.Typer, name: str, part: typer.Typer) -> None:
    if part.registered_commands:
        app.add_typer(part, name=name)
    else:
        # Without sub-commands it is no group: its options may stand behind its arguments.
        callback: Any = part.registered_callback
        app.command(name)(callback.callback)


def _describe() -> None:
    """FlowCRM: a team's mailboxes, kept in step with their CRM."""


def prepare(command: Command | None) -> None:
    """Folders, database server, settings and tables, in this order. None: only what `--help` needs."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowcrm.settings")
    if command is None:
        return django.setup()
    if command.as_owner:
        os.environ["FLOWCRM_DB_ROLE"] = "owner"
    if command.pool:
        os.environ.setdefault("FLOWCRM_POOL_SIZE", str(command.pool))
    if command.home:
        _prepare_home(with_server=command.database or command.as_owner)
    django.setup()
    if command.database:
        migrations.apply_missing()
    return None


def _prepare_home(*, with_server: bool) -> None:
    home = current_home()
    home.prepare()
    if with_server and not os.environ.get("DATABASE_URL"):
        postgres.ensure_running(home)
