"""An email byte for byte."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from flowcrm.store.access import Actor
from flowcrm.store.reveal.bodies import open_headers, open_pieces
from flowcrm.store.reveal.heads import open_head
from flowcrm.store.reveal.records import Verb, record
from flowcrm.store.reveal.shown import read_shown
from flowcrm.store.vaults import vault


@dataclass(frozen=True, slots=True)
class Original:
    """An email byte for byte as the provider gave it. pieces needs no database: it may be read after the scope has closed.

    whole: False where attachments over the limit were left at the provider; they are missing in `pieces`, nothing else is.
    """

    message_id: int
    subject: str
    size: int
    whole: bool
    pieces: Iterator[bytes] = field(repr=False)


def reveal_original(looking: Actor, message_id: int, surface: str) -> Original:
    """The bytes of one email in a mailbox of the actor's own, header block and all that follows, in a stream. Nobody else has
    the headers of a copy: a Bcc may stand there."""
    keys, found = vault(looking.workspace_id), read_shown(looking.narrowed(None), message_id)
    headers = open_headers(keys, found.body)
    pieces = open_pieces(keys, headers, found.body)
    # Read up to the first piece from the object store: what is missing there is to be said before an answer has begun.
    begun = list(islice(pieces, 2))
    record(looking, Verb.ORIGINAL, surface, [message_id])
    return Original(
        message_id,
        open_head(keys, found.body.copy_id, found.s_head).subject,
        len(headers) + found.body.size,
        found.body.whole,
        chain(begun, pieces),
    )
