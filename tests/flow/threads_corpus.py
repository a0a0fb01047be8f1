"""A real archive of a public list, imported in any order, against an oracle that knows nothing but three header fields."""

import email
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain

from flowcrm.ops import mailfiles
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.vaults import vault
from flowcrm.store.writes.members import do_add_member
from flowcrm.sync.archive import ArchiveMail, import_mails, open_archive
from tests.people import make_person
from tests.prove.proof import Figures
from tests.shared import shared
from tests.store.pages import new_workspace

ARCHIVE = "corpus/threads/r-devel-2005-2008.mbox.xz"
PART = 2_500


def prove(seed: int) -> Figures:
    """Import the archive in an order of its own (seed 0: a part of it), and compare the threads."""
    chance = random.Random(seed)
    mails = list({mail.raw: None for mail in mailfiles.read(shared(ARCHIVE))})
    chance.shuffle(mails)
    if seed == 0:
        mails = mails[:PART]
    expected = {frozenset(component) for component in components(mails)}
    found = conversations(mails)
    assert found == expected, f"{len(found - expected)} threads of {len(expected)} differ"
    return {"mails": len(mails), "threads": len(expected), "longest": max(map(len, expected))}


def components(mails: Sequence[bytes]) -> Iterable[set[int]]:
    """Mails, by their place in the sequence, that name each other or a third: the connected components."""
    parent: dict[str, str] = {}

    def root(one: str) -> str:
        while parent.setdefault(one, one) != one:
            parent[one] = one = parent[parent[one]]
        return one

    for number, raw in enumerate(mails):
        for named in _named(raw):
            parent[root(named)] = root(f"mail {number}")
    found: dict[str, set[int]] = {}
    for number in range(len(mails)):
        found.setdefault(root(f"mail {number}"), set()).add(number)
    return found.values()


def _named(raw: bytes) -> set[str]:
    header = email.message_from_bytes(raw.partition(b"\n\n")[0])
    fields = chain.from_iterable(header.get_all(name, []) for name in ("Message-ID", "References", "In-Reply-To"))
    return {one.lower() for value in fields for one in re.findall(r"<([^<>\s]+)>", str(value))}


def conversations(mails: Sequence[bytes]) -> set[frozenset[int]]:
    """The same by the product: the archive of a new account, on the plan without limits."""
    workspace_id = new_workspace("enterprise")
    with workspace_scope(workspace_id):
        member_id = do_add_member(
            workspace_id=workspace_id, person_id=make_person().id, role="admin", name="Anna", time_zone="UTC"
        )
    undated = datetime(2005, 1, 1, tzinfo=UTC)
    source = (ArchiveMail(str(number), raw, None, unread=False, undated_at=undated) for number, raw in enumerate(mails))
    count = import_mails(workspace_id, open_archive(workspace_id, member_id, "archive@acme.example"), source, lambda _: None)
    assert (count.kept, count.unreadable) == (len(mails), ())
    lookup = vault(workspace_id).lookup_bytes
    places = {lookup("archive", raw).hex(): number for number, raw in enumerate(mails)}
    with workspace_scope(workspace_id):
        found = rows("SELECT m.conversation_id, c.provider_id FROM copy c JOIN message m ON m.id = c.message_id")
    groups: dict[int, set[int]] = {}
    for conversation_id, provider_id in found:
        groups.setdefault(conversation_id, set()).add(places[provider_id])
    return {frozenset(group) for group in groups.values()}
