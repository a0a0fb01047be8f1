"""A real archive of a public list, imported in any order, against an oracle that knows little but three header fields."""

import email
import hashlib
import random
import re
from collections.abc import Iterable, Sequence
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


def prove(seed: int, mails: int | None = None) -> Figures:
    """Import the archive (or so many mails of it) in an order of the seed's, and compare. The list sent some mails twice."""
    chosen = [mail.raw for mail in mailfiles.read(shared(ARCHIVE)) if isinstance(mail, mailfiles.MailFile)]
    random.Random(seed).shuffle(chosen)
    chosen = chosen[:mails]
    expected = {frozenset(component) for component in components(chosen)}
    found = conversations(chosen)
    assert found == expected, f"{len(found - expected)} threads are other than the {len(expected)} that were expected"
    return {"mails": len(chosen), "threads": len(expected), "longest": max(map(len, expected))}


def components(mails: Sequence[bytes]) -> Iterable[set[int]]:
    """Mails, by their place in the sequence, that name each other or a third: the connected components.

    A mail that was sent twice, under two ids, is one message (DESIGN 5, the content key), so it ties what both belong to.
    """
    parent: dict[str, str] = {}

    def root(one: str) -> str:
        while parent.setdefault(one, one) != one:
            parent[one] = one = parent[parent[one]]
        return one

    for number, raw in enumerate(mails):
        for named in _named(raw) | _sent(raw):
            parent[root(named)] = root(f"mail {number}")
    found: dict[str, set[int]] = {}
    for number in range(len(mails)):
        found.setdefault(root(f"mail {number}"), set()).add(number)
    return found.values()


def _named(raw: bytes) -> set[str]:
    """Ids in angle brackets; where a field has none, its words with an @."""
    header = email.message_from_bytes(raw.partition(b"\n\n")[0])
    fields = chain.from_iterable(header.get_all(name, []) for name in ("Message-ID", "References", "In-Reply-To"))
    found = chain.from_iterable(re.findall(r"<([^<>]+)>", one) or re.findall(r"\S+@\S+", one) for one in map(str, fields))
    return {"".join(one.split()).lower() for one in found}


def _sent(raw: bytes) -> set[str]:
    """What is alike in a mail that was sent twice: writer, second and body; nothing where one of the fields is missing."""
    head, _, body = raw.partition(b"\n\n")
    header = email.message_from_bytes(head)
    fields = [str(header.get(name, "")) for name in ("From", "Date")]
    return {f"{fields} {hashlib.sha256(body).hexdigest()}"} if all(fields) else set()


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
    assert (count.kept, count.kept + count.known, count.unreadable) == (len(set(mails)), len(mails), ())
    with workspace_scope(workspace_id):
        found = dict(rows("SELECT c.provider_id, m.conversation_id FROM copy c JOIN message m ON m.id = c.message_id"))
    lookup = vault(workspace_id).lookup_bytes
    groups: dict[int, set[int]] = {}
    for number, raw in enumerate(mails):
        groups.setdefault(found[lookup("archive", raw).hex()], set()).add(number)
    return {frozenset(group) for group in groups.values()}
