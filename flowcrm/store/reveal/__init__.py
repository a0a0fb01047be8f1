"""The only door through which a person reads what came by mail; tools/rules.py finds every other one.

Each function checks that the actor may read it, opens it with the vault, and writes the audit record: who, what (ids of
messages), how much of it (the verb), from where and on which surface. All but `reveal_export` and `reveal_copies`, which make
transactions of their own, run inside a workspace scope, and a caller that rolls back rolls the record back with what it showed.

Raises NotFound for what the actor may not know of, and VaultError where keys or object store are out of reach.
"""

from flowcrm.store.reveal.export import ExportedCopy, ExportedMessage, reveal_copies, reveal_export
from flowcrm.store.reveal.files import File, OpenedFile, reveal_attachment
from flowcrm.store.reveal.found import MOST_FOUND, MOST_PROPOSED, Hit, reveal_hits
from flowcrm.store.reveal.heads import Head, reveal_binned, reveal_heads
from flowcrm.store.reveal.messages import PARSED_AT_ONCE, Opened, reveal_message
from flowcrm.store.reveal.originals import Original, reveal_original
from flowcrm.store.reveal.people import MOST_PEOPLE, Person, reveal_people
from flowcrm.store.reveal.records import Verb
from flowcrm.store.reveal.written_to import MOST_WRITTEN_TO, WrittenTo, reveal_written_to

__all__ = [
    "MOST_FOUND",
    "MOST_PEOPLE",
    "MOST_PROPOSED",
    "MOST_WRITTEN_TO",
    "PARSED_AT_ONCE",
    "ExportedCopy",
    "ExportedMessage",
    "File",
    "Head",
    "Hit",
    "Opened",
    "OpenedFile",
    "Original",
    "Person",
    "Verb",
    "WrittenTo",
    "reveal_attachment",
    "reveal_binned",
    "reveal_copies",
    "reveal_export",
    "reveal_heads",
    "reveal_hits",
    "reveal_message",
    "reveal_original",
    "reveal_people",
    "reveal_written_to",
]
