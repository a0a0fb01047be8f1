"""What others hold of a conversation or of a contact's emails: how many, and who, never which. Inside a workspace scope.

A thread with a gap must not look whole (claim K25). So a mailbox at Only me lets its owner's name and a figure be told to
somebody who sees the thread, or the contact, anyway. What is private is not counted: nobody is to know of it.
"""

from dataclasses import dataclass

from flowcrm.store.access import READABLE, Actor
from flowcrm.store.db import row, rows

# Emails with one address that are counted at most in one mailbox; of a company fewer, and of as many of its contacts.
MOST, FEW = 100, 20


@dataclass(frozen=True, slots=True)
class Held:
    """So many emails (of a conversation) or conversations (of a contact) are in a colleague's mailbox, and nowhere else.

    email: what he signs in with, where he may be asked for them.
    """

    member_id: int
    name: str
    count: int
    email: str = ""


def held_by_others(looking: Actor, conversation_id: int) -> tuple[Held, ...]:
    """The emails of a conversation of which the actor sees nothing, each with one of those who have it."""
    found = rows(
        f"""SELECT held.member_id, o.name, count(*)
            FROM message m
            CROSS JOIN LATERAL (
                SELECT b.member_id FROM copy c JOIN mailbox b ON b.workspace_id = c.workspace_id AND b.id = c.mailbox_id
                WHERE c.workspace_id = m.workspace_id AND c.message_id = m.id AND NOT c.shut AND c.binned_at IS NULL
                ORDER BY c.id LIMIT 1) held
            JOIN member o ON o.workspace_id = m.workspace_id AND o.id = held.member_id
            WHERE m.workspace_id = %(workspace)s AND m.conversation_id = %(conversation)s
              AND coalesce((SELECT false FROM copy c WHERE c.workspace_id = m.workspace_id AND c.message_id = m.id
                              AND {READABLE.format("c")} LIMIT 1), true)
            GROUP BY held.member_id, o.name ORDER BY o.name, held.member_id""",
        {**looking.values(), "conversation": conversation_id},
    )
    return tuple(Held(*one) for one in found)


def is_marked(looking: Actor, conversation_id: int) -> bool:
    """Has the actor marked this thread private? (Who else has is nobody's business.)"""
    found = row(
        "SELECT 1 FROM private_thread WHERE workspace_id = %s AND conversation_id = %s AND member_id = %s",
        [looking.workspace_id, conversation_id, looking.member_id],
    )
    return found is not None


def held_of_contact(looking: Actor, contact_id: int) -> tuple[Held, ...]:
    """The conversations with a contact of which the actor sees nothing, by who has them; looked for where he has none.

    Of each mailbox the newest few count, so that a figure means "at least".
    """
    return _held(looking, "SELECT %(of)s::bigint AS id", contact_id, most=MOST)


def held_of_company(looking: Actor, company_id: int) -> tuple[Held, ...]:
    """The same for some of the contacts of a company: whether there is anything, and who might be asked."""
    contacts = "SELECT id FROM contact WHERE workspace_id = %(workspace)s AND company_id = %(of)s LIMIT %(most)s"
    return _held(looking, contacts, company_id, most=FEW)


def _held(looking: Actor, contacts: str, of: int, *, most: int) -> tuple[Held, ...]:
    found = rows(
        f"""WITH people AS MATERIALIZED (
               SELECT a.gen, a.h_address FROM ({contacts}) AS few
               CROSS JOIN LATERAL (
                   SELECT gen, h_address FROM contact_address
                   WHERE workspace_id = %(workspace)s AND contact_id = few.id LIMIT %(most)s) a)
           SELECT b.member_id, o.name, count(DISTINCT m.conversation_id), q.email
           FROM mailbox b
           JOIN member o ON o.workspace_id = b.workspace_id AND o.id = b.member_id
           JOIN person q ON q.id = o.person_id
           CROSS JOIN people a
           CROSS JOIN LATERAL (
               SELECT p.copy_id FROM participant p
               WHERE p.workspace_id = b.workspace_id AND p.gen = a.gen AND p.h_address = a.h_address AND p.mailbox_id = b.id
                 AND p.role <> 'bcc' ORDER BY p.at DESC, p.copy_id LIMIT %(most)s) p
           CROSS JOIN LATERAL (
               SELECT c.message_id FROM copy c
               WHERE c.workspace_id = b.workspace_id AND c.id = p.copy_id AND NOT c.shut AND c.binned_at IS NULL LIMIT 1) c
           CROSS JOIN LATERAL (
               SELECT m.conversation_id FROM message m WHERE m.workspace_id = b.workspace_id AND m.id = c.message_id LIMIT 1) m
           WHERE b.workspace_id = %(workspace)s AND b.id <> ALL(%(known)s::bigint[])
           GROUP BY b.member_id, o.name, q.email ORDER BY o.name, b.member_id""",
        {"workspace": looking.workspace_id, "of": of, "known": list(looking.mailboxes), "most": most},
    )
    return tuple(Held(*one) for one in found)
