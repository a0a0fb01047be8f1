"""`flowcrm member`: who may sign in to which account."""

import secrets
from typing import Annotated

import typer
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from flowcrm.ops.accounts import account_id, time_zone_of
from flowcrm.ops.errors import Refused
from flowcrm.store.db import workspace_scope
from flowcrm.store.models import Person
from flowcrm.store.writes.members import ROLES, do_add_member, do_make_person, do_save_password

app = typer.Typer(no_args_is_help=True, help="Who may sign in to which account.")


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="The sign-in.")],
    name: Annotated[str, typer.Option(help="As others see it; without, the part before the @.")] = "",
    account: Annotated[str, typer.Option(help="The account's name; needed where there are several.")] = "",
    role: Annotated[str, typer.Option(help="admin or user.")] = "user",
    time_zone: Annotated[str, typer.Option(help="For dates and times, for instance Europe/Zurich.")] = "UTC",
) -> None:
    """Let somebody into an account; a new person gets a password that is shown once. Again: changes role and name."""
    address, shown = _address(email), name or email.partition("@")[0]
    if role not in ROLES:
        raise Refused(f"There is no role {role}. Choose one of: {', '.join(ROLES)}.")
    workspace_id, zone = account_id(account), time_zone_of(time_zone)
    with transaction.atomic(), workspace_scope(workspace_id):
        person, password = _person(address, shown)
        do_add_member(workspace_id=workspace_id, person_id=person.id, role=role, name=shown, time_zone=zone)
    typer.echo(f"{address} may now sign in as {role}.")
    if password:
        typer.echo(f"Password, shown only now: {password}")


@app.command()
def password(email: Annotated[str, typer.Argument(help="The sign-in.")]) -> None:
    """Give somebody a new password, shown once. Whoever is signed in with the old one is signed out."""
    person = Person.objects.filter(email=_address(email)).first()
    if person is None:
        raise Refused(f"Nobody signs in as {email}. See: flowcrm member add")
    fresh = secrets.token_urlsafe(12)
    person.set_password(fresh)
    do_save_password(person)
    typer.echo(f"Password, shown only now: {fresh}")


def _person(email: str, name: str) -> tuple[Person, str]:
    """The person with that sign-in, and the password of a new one."""
    known = Person.objects.filter(email=email).first()
    if known:
        return known, ""
    password = secrets.token_urlsafe(12)
    return do_make_person(email=email, name=name, password=password), password


def _address(email: str) -> str:
    try:
        validate_email(email.strip())
    except ValidationError:
        raise Refused(f"{email} is not an email address.") from None
    return email.strip().lower()
