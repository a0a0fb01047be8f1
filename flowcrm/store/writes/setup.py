"""The first account of an installation, guarded by a code that only the terminal shows.

`flowcrm serve` asks for a code on an empty database and prints it (ops/firstrun.py). The database keeps a hash of the code,
sealed with the instance's key, and how often somebody guessed wrongly; after WRONG_TRIES the code is dead, and the next start
makes a new one.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from flowcrm.store.db import row, run, workspace_scope
from flowcrm.store.errors import UserError
from flowcrm.store.writes.instance import do_instance_setting, instance_setting
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.workspaces import NewWorkspace, do_make_workspace

WRONG_TRIES = 5

_KEY = "setup_code"
# Without letters that look alike. 12 of 30: 58 bits, far more than five guesses need.
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


class CodeWrong(UserError):
    """That is not the code. tries_left: 0 when it is dead now."""

    def __init__(self, tries_left: int) -> None:
        super().__init__("not the set-up code")
        self.tries_left = tries_left


class CodeDead(UserError):
    """There is no code to enter: used, guessed wrongly too often, or never made."""


@dataclass(frozen=True, slots=True)
class FirstPerson:
    """Who sets the installation up, and becomes its first admin."""

    name: str
    email: str
    password: str


def new_setup_code() -> str:
    """A fresh code (XXXX-XXXX-XXXX) to show on the terminal; the former one is dead. The instance's keys must be there."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(12))
    do_instance_setting(key=_KEY, value={"hash": _hash(letters), "wrong": 0})
    return "-".join(letters[start : start + 4] for start in (0, 4, 8))


def check_setup_code(code: str) -> None:
    """Raise CodeWrong or CodeDead unless it is the code. A wrong one is counted at once, whatever happens to the request."""
    with transaction.atomic():
        stored = _locked()
        right = stored is not None and hmac.compare_digest(stored["hash"], _hash(code))
        if stored is not None and not right:
            do_instance_setting(key=_KEY, value={**stored, "wrong": stored["wrong"] + 1})
    if stored is None:
        raise CodeDead
    if not right:
        raise CodeWrong(WRONG_TRIES - stored["wrong"] - 1)


def do_set_up(*, person: FirstPerson, workspace: NewWorkspace) -> int:
    """The first person, admin of the first account; returns the workspace's id. The code dies with it.

    Raises CodeDead where somebody else was faster.
    """
    with transaction.atomic():
        if not run("DELETE FROM instance_setting WHERE key = %s", [_KEY]):
            raise CodeDead
        made = do_make_person(email=person.email, name=person.name, password=person.password)
        workspace_id = do_make_workspace(workspace)
        with workspace_scope(workspace_id):
            do_add_member(
                workspace_id=workspace_id, person_id=made.id, role="admin", name=person.name, time_zone=workspace.time_zone
            )
    return workspace_id


def _locked() -> dict[str, Any] | None:
    """The living code's record; its row stays locked, so that guesses at the same moment count one after another."""
    row("SELECT 1 FROM instance_setting WHERE key = %s FOR UPDATE", [_KEY])
    stored = instance_setting(_KEY)
    return stored if stored is not None and stored["wrong"] < WRONG_TRIES else None


def _hash(code: str) -> str:
    letters = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest()
