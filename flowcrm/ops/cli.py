"""The command `flowcrm`: which commands there are, and what each needs before its module may be imported."""

import errno
import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

import django
import typer
from django.db import OperationalError

from flowcrm import __version__
from flowcrm.ops import listening, migrations, postgres
from flowcrm.ops.errors import HomeRefused, MailServerWrong, OpsError
from flowcrm.ops.home import check_database_urls, current_home
from flowcrm.ops.reports import report_asked_for, reported_where_it_fails
from flowcrm.post.sending import mail_server
from flowcrm.post.server import ServerWrong
from flowcrm.vault.errors import VaultError


@dataclass(frozen=True)
class Command:
    """One word after `flowcrm`. Its module in ops/commands has `app`, a Typer application.

    as_owner: connects as the owner of the tables; upkeep by the operator, never web or worker.
    home, database: whether it needs the installation's folders, and a running database with all its tables.
    pool: how many connections each of its processes may hold; 0: one for each thread.
    listens: answers on a port, which must be free.
    examines: runs all the more where folders or settings are not as they must be, and says so itself.
    reports: has --report, which is written however the command ends.
    """

    module: str
    as_owner: bool = False
    home: bool = True
    database: bool = True
    pool: int = 0
    listens: bool = False
    examines: bool = False
    reports: bool = False


COMMANDS = {
    "serve": Command("serve", listens=True),
    "web": Command("web", pool=10, listens=True),
    "worker": Command("worker"),
    "migrate": Command("migrate", as_owner=True, database=False),
    "workspace": Command("workspace", as_owner=True),
    "member": Command("member", as_owner=True),
    "import": Command("import_", reports=True),
    "export": Command("export"),
    "audit": Command("audit", as_owner=True),
    "mail-test": Command("mail_test", database=False),
    "inspect": Command("inspect_", home=False, database=False),
    "demo": Command("demo", home=False, database=False),
    "demo-house": Command("demo_house"),
    "bench": Command("bench", home=False, database=False),
    "doctor": Command("doctor", database=False, examines=True),
    "postgres": Command("postgres", database=False),
}


# What a full disk and a reader that went away make of printing.
_OF_OUTPUT = (errno.ENOSPC, errno.EPIPE, errno.EIO)


def main() -> None:
    """Entry point: prepare what the named command needs, then hand over to Typer. What goes wrong is said in a sentence."""
    try:
        try:
            _run(sys.argv[1:])
        finally:
            # Here, and not at the interpreter's end, where it could only be a traceback.
            sys.stdout.flush()
    except (OpsError, VaultError) as refusal:
        _end(str(refusal))
    except OperationalError as gone:
        _end(f"the database does not answer ({' '.join(str(gone).split())}). See: flowcrm doctor")
    except OSError as error:
        if error.filename is None and error.errno not in _OF_OUTPUT:
            raise
        _end(
            f"{error.filename}: {error.strerror}."
            if error.filename
            else f"Standard output cannot be written: {error.strerror}."
        )


def _run(words: list[str]) -> None:
    named = next((word for word in words if not word.startswith("-")), "")
    command = None if "--help" in words or "--version" in words else COMMANDS.get(named)
    with reported_where_it_fails(report_asked_for(words) if command and command.reports else None):
        prepare(command, words)
    application([named] if command else COMMANDS)(prog_name="flowcrm")


def _end(sentence: str) -> NoReturn:
    typer.echo(f"flowcrm: {sentence}", err=True)
    # What could not be printed must not be tried once more at the interpreter's end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
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


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flowcrm {__version__}")
        raise typer.Exit


_Version = Annotated[bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print it and end.")]


def _describe(version: _Version = False) -> None:
    """FlowCRM: a team's mailboxes, kept in step with their CRM."""
    del version


def prepare(command: Command | None, words: Sequence[str] = ()) -> None:
    """Folders, database server, settings and tables, in this order. None: only what `--help` needs.

    words: the command's line, which says where `serve` and `web` are to listen.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowcrm.settings")
    if command is None:
        return django.setup()
    if command.listens:
        listening.prepare(words)
    if command.as_owner:
        os.environ["FLOWCRM_DB_ROLE"] = "owner"
    if command.pool:
        os.environ.setdefault("FLOWCRM_POOL_SIZE", str(command.pool))
    if command.home:
        _prepare_home(command)
    django.setup()
    if command.home and not command.examines:
        _check_mail_server()
    if command.database:
        migrations.apply_missing()
    return None


def _check_mail_server() -> None:
    try:
        mail_server()
    except ServerWrong as wrong:
        raise MailServerWrong(str(wrong)) from None


def _prepare_home(command: Command) -> None:
    home = current_home()
    try:
        check_database_urls(os.environ)
        home.prepare()
    except HomeRefused:
        if not command.examines:
            raise
        return
    if (command.database or command.as_owner) and not os.environ.get("DATABASE_URL"):
        postgres.ensure_running(home)
