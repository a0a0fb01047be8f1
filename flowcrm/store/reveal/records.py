"""The audit record of each opening."""

from collections.abc import Sequence
from enum import StrEnum

from flowcrm.store.access import Actor
from flowcrm.store.writes.audit import do_audit


class Verb(StrEnum):
    """How much was opened. LIST: people, subject and first line. READ: the text. FILE: an attachment. ORIGINAL: all bytes.
    EXPORT: people, subjects, texts and the names of files, of a page of messages."""

    LIST = "list"
    READ = "read"
    FILE = "file"
    ORIGINAL = "original"
    EXPORT = "export"


def record(looking: Actor, verb: Verb, surface: str, object_ids: Sequence[int]) -> None:
    do_audit(
        workspace_id=looking.workspace_id,
        actor_id=looking.member_id,
        verb=verb,
        surface=surface,
        object_ids=object_ids,
        ip=looking.ip,
    )
