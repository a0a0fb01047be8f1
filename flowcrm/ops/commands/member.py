"""`flowcrm member`: who may sign in to which account."""

import secrets
from typing import Annotated

import typer
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from flowcrm.ops.accounts import account_id, time_zone_of
from flowcrm.ops.errors import Refused
from flowcrm.store.db import row, workspace_scope
from flowcrm.store.models import Person
from flowcrm.store.writes.members import ROLES, do_add_member, do_make_person, do_save_password

app = typer.Typer(no_args_is_help=True, help="Who may sign in to which account.")


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="The sign-in.")],
    name: Annotated[str, typer.Option(help="As others see it; for somebody new without it, the part before the @.")] = "",
    account: Annotated[str, typer.Option(help="The account's name; needed where there are several.")] = "",
    role: Annotated[str, typer.Option(help="admin or user; for somebody new without it, user.")] = "",
    time_zone: Annotated[str, typer.Option(help="For dates and times, for instance Europe/Zurich.")] = "UTC",
) -> None:
    """Let somebody into an account; a new person gets a password that is shown once. Again: changes the role or name given."""
    address, wanted = _address(email), _name(name)
    if role and role not in ROLES:
        raise Refused(f"There is no role {role}. Choose one of: {', '.join(ROLES)}.")
    workspace_id, zone = account_id(account), time_zone_of(time_zone)
    with transaction.atomic(), workspace_scope(workspace_id):
        person, password = _person(address, wanted or address.partition("@")[0])
        before = row("SELECT role, name FROM member WHERE workspace_id = %s AND person_id = %s", [workspace_id, person.id])
        old_role, old_name = before or ("user", person.name)
        do_add_member(
            workspace_id=workspace_id,
            person_id=person.id,
            role=role or old_role,
            name=wanted or old_name,
            time_zone=zone,
        )
    typer.echo(f"{address} may now sign in as {role or old_role}.")
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
    address = email.strip().lower()
    longest = Person._meta.get_field("email").max_length or 0
    if len(address) > longest:
        raise Refused(f"An email address may have {longest} characters; this one has {len(address)}.")
    try:
        validate_email(address)
    except ValidationError:
        raise Refused(f"{email} is not an email address.") from None
    return address


def _name(name: str) -> str:
    longest = Person._meta.get_field("name").max_length or 0
    if len(name.strip()) > longest:
        raise Refused(f"A name may have {longest} characters; this one has {len(name.strip())}.")
    return name.strip()
