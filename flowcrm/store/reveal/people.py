"""People whom a mailbox's owner has written to, for him alone."""

import json
from dataclasses import dataclass
from datetime import datetime

from flowcrm.store.access import Actor
from flowcrm.store.db import rows
from flowcrm.store.errors import NotFound
from flowcrm.store.vaults import vault
from flowcrm.store.writes.audit import do_audit

# A page that somebody looks through; those whom he wrote to most often come first.
MOST_PEOPLE = 500


@dataclass(frozen=True, slots=True)
class Person:
    """name: as headers gave it most often, perhaps empty. written: to how many of the mails; last_at: the latest of them."""

    id: int
    email: str
    name: str
    written: int
    last_at: datetime


# Of people who have become contacts or members since, there is nothing to decide.
_UNDECIDED = """
    FROM people_found p
    WHERE p.workspace_id = %(ws)s AND p.mailbox_id = %(mailbox)s AND p.gen = %(gen)s
      AND NOT EXISTS (SELECT 1 FROM contact_address a
                      WHERE a.workspace_id = p.workspace_id AND a.gen = p.gen AND a.h_address = p.h_address)
      AND NOT EXISTS (SELECT 1 FROM mailbox_identity i
                      WHERE i.workspace_id = p.workspace_id AND i.gen = p.gen AND i.h_address = p.h_address)
      AND NOT EXISTS (SELECT 1 FROM member_address m
                      WHERE m.workspace_id = p.workspace_id AND m.gen = p.gen AND m.h_address = p.h_address)"""


def reveal_people(looking: Actor, mailbox_id: int, *, only: list[int] | None = None) -> tuple[Person, ...]:
    """Those who are no contacts yet, whom he wrote to most often first. only: of these ids.

    Raises NotFound where the mailbox is not the actor's own.
    """
    if mailbox_id not in looking.own:
        raise NotFound
    keys = vault(looking.workspace_id)
    found = rows(
        f"""SELECT p.id, p.s_person, p.written, p.last_at {_UNDECIDED}
              AND (%(only)s::bigint[] IS NULL OR p.id = ANY(%(only)s::bigint[]))
            ORDER BY p.written DESC, p.last_at DESC, p.id LIMIT %(most)s""",
        {"ws": looking.workspace_id, "mailbox": mailbox_id, "gen": keys.generation, "only": only, "most": MOST_PEOPLE},
    )
    people = []
    for found_id, sealed, written, last_at in found:
        opened = json.loads(keys.open("person", found_id, bytes(sealed)))
        names = opened["names"]
        people.append(Person(found_id, opened["email"], max(names, key=names.get, default=""), written, last_at))
    if people:
        do_audit(
            workspace_id=looking.workspace_id,
            actor_id=looking.member_id,
            verb="people",
            surface="people",
            object_ids=[mailbox_id],
            ip=looking.ip,
        )
    return tuple(people)
