"""Accounts: made once, by set-up, the CLI or the demo."""

import re
from dataclasses import dataclass

from flowcrm.lib import clock
from flowcrm.store.db import next_id, row, run, workspace_scope
from flowcrm.store.errors import UserError
from flowcrm.store.levels import Level
from flowcrm.store.vaults import key_store

# As in the table's own check; it becomes part of a host name (RFC 1035 section 2.3.1).
_NAME = re.compile(r"[a-z0-9](-?[a-z0-9])*")
LONGEST_NAME = 40


class AccountNameInvalid(UserError):
    """Only a-z, 0-9 and single hyphens between them, at most LONGEST_NAME."""


class AccountNameTaken(UserError):
    """Another account has, or had, that name."""


@dataclass(frozen=True, slots=True)
class NewWorkspace:
    """title: as people call it; slug: from `check_account_name`; plan: a key of PLANS; default_level: a Level."""

    title: str
    slug: str
    plan: str
    time_zone: str
    default_level: Level = Level.PEOPLE


def check_account_name(slug: str) -> str:
    """The name in lower case, if a new account may have it. Raises AccountNameInvalid or AccountNameTaken."""
    wanted = slug.strip().lower()
    if len(wanted) > LONGEST_NAME or not _NAME.fullmatch(wanted):
        raise AccountNameInvalid
    if row("SELECT 1 FROM account_name WHERE slug = %s", [wanted]):
        raise AccountNameTaken
    return wanted


def do_make_workspace(new: NewWorkspace) -> int:
    """A new account with its name, its counters and its keys; returns its id. Joins the caller's transaction, if there is one.

    The keys are made before the commit: an account without keys could take in nothing, keys without an account harm nobody.
    """
    workspace_id = next_id()
    with workspace_scope(workspace_id):
        run(
            """INSERT INTO workspace (id, title, plan, time_zone, default_level, created_at) VALUES (%s, %s, %s, %s, %s, %s)""",
            [workspace_id, new.title, new.plan, new.time_zone, new.default_level, clock.now()],
        )
        run("INSERT INTO account_name (slug, workspace_id) VALUES (%s, %s)", [new.slug, workspace_id])
        run("INSERT INTO usage_total (workspace_id) VALUES (%s)", [workspace_id])
        key_store().create_workspace(workspace_id)
    return workspace_id


def do_set_plan(*, workspace_id: int, plan: str) -> None:
    """Another plan, from now on. Nothing is deleted (K01)."""
    run("UPDATE workspace SET plan = %s WHERE id = %s", [plan, workspace_id])
