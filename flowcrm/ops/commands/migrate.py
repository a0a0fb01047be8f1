"""`flowcrm migrate`: bring the tables to what this version of the code expects."""

import typer

from flowcrm.ops import migrations

app = typer.Typer()


@app.callback(invoke_without_command=True)
def migrate() -> None:
    """Bring the database's tables up to date (as the owner role). Safe to repeat."""
    migrations.apply()
    typer.echo("The database is up to date.")
