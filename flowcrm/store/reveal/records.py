"""The audit record of each opening."""

from collections.abc import Sequence
from enum import StrEnum

from flowcrm.store.access import Actor
from flowcrm.store.writes.audit import do_audit
from flowcrm.store.writes.viewing import do_note_viewing


class Verb(StrEnum):
    """How much was opened. LIST: people, subject and first line. SEARCH: where a word stands in the text. READ: the text. FILE:
    an attachment. ORIGINAL: all bytes. EXPORT: people, subjects, texts and the names of files, of a page of messages."""

    LIST = "list"
    SEARCH = "search"
    READ = "read"
    FILE = "file"
    ORIGINAL = "original"
    EXPORT = "export"


# After these somebody knows what the email says. (A formatted text is the second half of an opening that is noted already.)
_OPENED = frozenset({Verb.READ, Verb.FILE, Verb.ORIGINAL, Verb.EXPORT})
_SECOND_HALF = "formatted"


def record(looking: Actor, verb: Verb, surface: str, object_ids: Sequence[int]) -> None:
    """One audit record; and for the owners of the emails, who has opened them. object_ids: of messages; with FILE of one and of
    its attachment."""
    if looking.member_id is not None and verb in _OPENED and surface != _SECOND_HALF:
        messages = object_ids[:1] if verb is Verb.FILE else object_ids
        do_note_viewing(workspace_id=looking.workspace_id, member_id=looking.member_id, message_ids=messages)
    do_audit(
        workspace_id=looking.workspace_id,
        actor_id=looking.member_id,
        verb=verb,
        surface=surface,
        object_ids=object_ids,
        ip=looking.ip,
    )
