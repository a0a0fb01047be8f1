"""People and their membership in an account."""

from flowcrm.lib import clock
from flowcrm.mail.addresses import normalise
from flowcrm.store.db import next_id, row, run
from flowcrm.store.models import Person
from flowcrm.store.vaults import vault
from flowcrm.store.writes.ours import do_ours

ROLES = ("admin", "user")


def do_make_person(*, email: str, name: str, password: str) -> Person:
    """A new sign-in. The password is stored hashed; whether it is good enough was the caller's question."""
    return Person.objects.create_user(email, password, name=name)


def do_save_password(person: Person) -> None:
    """Store the password that was set on the person."""
    person.save(update_fields=["password"])


def do_add_member(*, workspace_id: int, person_id: int, role: str, name: str, time_zone: str) -> int:
    """Let a person into the account (inside its scope); returns the member's id. A second call changes role and name, and lets
    him in again if he had left.

    What came from his sign-in address before is ours from now on.
    """
    found = row(
        """INSERT INTO member (workspace_id, id, person_id, role, name, time_zone, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (workspace_id, person_id) DO UPDATE SET role = EXCLUDED.role, name = EXCLUDED.name,
               deactivated_at = NULL
           RETURNING id""",
        [workspace_id, next_id(), person_id, role, name, time_zone, clock.now()],
    )
    assert found is not None
    member_id = int(found[0])
    _do_address(workspace_id, member_id, Person.objects.values_list("email", flat=True).get(id=person_id))
    return member_id


def _do_address(workspace_id: int, member_id: int, email: str) -> None:
    keys = vault(workspace_id)
    hashed = keys.lookup("address", normalise(email))
    run(
        """INSERT INTO member_address (workspace_id, member_id, gen, h_address) VALUES (%s, %s, %s, %s)
           ON CONFLICT (workspace_id, member_id, gen) DO UPDATE SET h_address = EXCLUDED.h_address""",
        [workspace_id, member_id, keys.generation, hashed],
    )
    do_ours(workspace_id, keys.generation, [hashed])


def do_set_profile(*, workspace_id: int, member_id: int, name: str, time_zone: str) -> None:
    """What a member says of himself (inside the scope)."""
    run(
        "UPDATE member SET name = %s, time_zone = %s WHERE workspace_id = %s AND id = %s",
        [name, time_zone, workspace_id, member_id],
    )
