"""`flowcrm postgres`: the embedded server by hand, and what a server of your own needs."""

import typer
from django.conf import settings

from flowcrm.ops import postgres, roles, tuning
from flowcrm.ops.home import DATABASE

app = typer.Typer(no_args_is_help=True, help="The embedded PostgreSQL; and what a server of your own needs.")


@app.command()
def start() -> None:
    """Start the embedded server, if it does not run."""
    postgres.ensure_running(settings.HOME)
    typer.echo(f"PostgreSQL runs: {postgres.maintenance_url(settings.HOME, DATABASE)}")


@app.command()
def stop() -> None:
    """Stop the embedded server; what was committed stays."""
    postgres.stop(settings.HOME)
    typer.echo("PostgreSQL is stopped.")


@app.command("settings")
def settings_() -> None:
    """Print the settings that the embedded server gets on this machine; a good start for your own server, too."""
    typer.echo(tuning.as_file(tuning.settings_here(settings.HOME.path)), nl=False)


@app.command("roles")
def roles_() -> None:
    """Print the SQL that makes roles and database on a server of your own, for psql as an administrator."""
    typer.echo(roles.script(DATABASE), nl=False)
