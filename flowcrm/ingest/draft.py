"""A mail on its way through the steps: what each step found, for the next."""

from dataclasses import dataclass, field

from flowcrm.ingest.types import Context
from flowcrm.mail.types import Fetched, ParsedMail


@dataclass(frozen=True, slots=True)
class Identity:
    """Keyed hashes that say which message this is (see mail.prepared.Prepared)."""

    candidate: bytes
    keys: tuple[bytes, ...]
    content: bytes
    core: bytes
    files: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """The inputs of every step. own_lines: what its writer wrote, by cheap marks."""

    fetched: Fetched
    context: Context
    parsed: ParsedMail
    own_lines: tuple[str, ...] = field(repr=False)
