"""Which messages are *ours*: those that any member of the account has sent, whoever has a copy of them.

A message is ours when its From is an address of a member (his sign-in, or what any mailbox of the account sends as), or when a
copy of it lies in Sent. Addresses and mails come in any order, so both sides look for the other: a page of mails asks which
senders are members, and a new address turns the mails that are here already. Each does so holding the workspace's commit lock,
so that none of the two misses what the other is about to commit. An address that a member gives up leaves what he wrote ours.
"""

from collections.abc import Iterable

from flowcrm.mail.types import Role
from flowcrm.store.db import run
from flowcrm.store.writes.usage import do_lock_commits


def do_ours(workspace_id: int, gen: int, addresses: Iterable[bytes]) -> None:
    """These addresses are a member's now, in this transaction: what they sent before is ours too."""
    do_lock_commits(workspace_id)
    # By arrays of ids: a join may be planned as a walk over all messages for each of them, where statistics are old.
    run(
        """UPDATE message SET ours = true
           WHERE workspace_id = %(ws)s AND NOT ours AND id = ANY(ARRAY(
               SELECT message_id FROM copy WHERE workspace_id = %(ws)s AND id = ANY(ARRAY(
                   SELECT copy_id FROM participant
                   WHERE workspace_id = %(ws)s AND gen = %(gen)s AND h_address = ANY(%(addresses)s::bytea[])
                     AND role = %(role)s))))""",
        {"ws": workspace_id, "gen": gen, "addresses": sorted(addresses), "role": Role.FROM.value},
    )
