"""`flowcrm workspace`: the accounts of this installation."""

from typing import Annotated

import typer
from rich.table import Table

from flowcrm.ops.accounts import account_id, time_zone_of
from flowcrm.ops.errors import Refused
from flowcrm.ops.firstrun import ensure_instance_keys
from flowcrm.ops.tables import print_table
from flowcrm.store.db import router_rows, workspace_scope
from flowcrm.store.plans import PLANS
from flowcrm.store.writes.workspaces import (
    AccountNameInvalid,
    AccountNameTaken,
    NewWorkspace,
    check_account_name,
    do_make_workspace,
    do_set_plan,
)

app = typer.Typer(no_args_is_help=True, help="The accounts of this installation and their plans.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The name in its addresses: a-z, 0-9 and hyphens.")],
    title: Annotated[str, typer.Option(help="What people call it; without, the name.")] = "",
    plan: Annotated[str, typer.Option(help=f"One of: {', '.join(PLANS)}.")] = "professional",
    time_zone: Annotated[str, typer.Option(help="Its days begin there, for instance Europe/Zurich.")] = "UTC",
) -> None:
    """Make an account."""
    try:
        slug = check_account_name(name)
    except AccountNameInvalid:
        raise Refused(f"{name} cannot be an account's name: use a-z, 0-9 and single hyphens between them.") from None
    except AccountNameTaken:
        raise Refused(f"An account has, or had, the name {name}. Choose another.") from None
    ensure_instance_keys()
    do_make_workspace(NewWorkspace(title or name, slug, known_plan(plan), time_zone_of(time_zone)))
    typer.echo(f"Account {slug} is made. Add people with: flowcrm member add EMAIL --account {slug} --role admin")


@app.command("list")
def list_() -> None:
    """All accounts with their plans."""
    found = router_rows(
        """SELECT a.slug, w.title, w.plan, w.time_zone,
                  (SELECT count(*) FROM member m WHERE m.workspace_id = w.id AND m.deactivated_at IS NULL)
           FROM workspace w JOIN account_name a ON a.workspace_id = w.id AND a.current ORDER BY a.slug"""
    )
    table = Table("account", "title", "plan", "time zone", "users")
    for one in found:
        table.add_row(*(str(value) for value in one))
    print_table(table)


@app.command()
def plan(name: str, plan: Annotated[str, typer.Argument(help=f"One of: {', '.join(PLANS)}.")]) -> None:
    """Put an account on another plan, from now on. Nothing is deleted; on Starter its sync pauses."""
    workspace_id, known = account_id(name), known_plan(plan)
    with workspace_scope(workspace_id):
        do_set_plan(workspace_id=workspace_id, plan=known)
    typer.echo(f"Account {name} is on the plan {PLANS[known].label}.")


def known_plan(plan: str) -> str:
    """The plan's key, in lower or upper case, if there is such a plan. Raises Refused."""
    key = plan.strip().lower()
    if key not in PLANS:
        raise Refused(f"There is no plan {plan}. Choose one of: {', '.join(PLANS)}.")
    return key
