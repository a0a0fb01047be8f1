"""How far a preview is: a value that the page itself carries from one look to the next, since nothing of it is stored."""

import base64
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

# Of an id of a mail or thread: keyed before, so that it says nothing, and long enough that two of a million hardly meet.
SHORT = 6


class Stage(StrEnum):
    """What the provider is asked, in this order.

    BEGIN: its labels, for those called No-CRM. OUT: the threads that bear one. EDGE: what lies within a second of "since".
    LISTED: what a walk would list. CHECKED: headers, where an address decides. THREADS: the threads that chosen labels bring.
    """

    BEGIN = "begin"
    OUT = "out"
    EDGE = "edge"
    LISTED = "listed"
    CHECKED = "checked"
    THREADS = "threads"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Example:
    """One mail as a person knows it again."""

    sender: str
    subject: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """number, cursor, looked: which label of the stage, which page of it, how much of that page is done.

    excluded: labels that keep threads out. out: threads that they keep out. edge: mails that are listed and yet too old.
    seen: what the stage has counted and may be named once more, mails or threads. stay: stored mails that their thread brings.
    coming: stage -> certain to come in. open: found, and an address decides.
    after: the stored mail up to which all is looked at; None: all of them. going, back: of those, how many do not fit,
    and how many come back from the bin.
    some, shown: ids of a few that come in, and as many as were asked for what a person knows. leaving, left: the same of those
    that do not fit, by the copy's id.
    """

    stage: Stage = Stage.BEGIN
    number: int = 0
    cursor: str | None = None
    looked: int = 0
    excluded: tuple[str, ...] = ()
    out: frozenset[bytes] = frozenset()
    edge: frozenset[str] = frozenset()
    seen: frozenset[bytes] = frozenset()
    stay: frozenset[int] = frozenset()
    coming: dict[str, int] = field(default_factory=dict)
    open: int = 0
    after: str | None = ""
    going: int = 0
    back: int = 0
    some: tuple[str, ...] = ()
    shown: tuple[Example, ...] = ()
    leaving: tuple[int, ...] = ()
    left: tuple[Example, ...] = ()

    def dump(self) -> bytes:
        """As bytes, to be sealed: examples are somebody's mail."""
        values = asdict(self)
        for name in ("out", "seen"):
            values[name] = base64.b64encode(b"".join(sorted(values[name]))).decode()
        for name in ("edge", "stay"):
            values[name] = sorted(values[name])
        for name in ("shown", "left"):
            values[name] = [[one.sender, one.subject, one.at and one.at.isoformat()] for one in getattr(self, name)]
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    def load(cls, dumped: bytes) -> "Place":
        """What `dump` gave."""
        values: dict[str, Any] = json.loads(dumped)
        values["stage"] = Stage(values["stage"])
        for name in ("out", "seen"):
            joined = base64.b64decode(values[name])
            values[name] = frozenset(joined[start : start + SHORT] for start in range(0, len(joined), SHORT))
        for name in ("edge", "stay"):
            values[name] = frozenset(values[name])
        for name in ("shown", "left"):
            values[name] = tuple(
                Example(sender, subject, at and datetime.fromisoformat(at)) for sender, subject, at in values[name]
            )
        for name in ("excluded", "some", "leaving"):
            values[name] = tuple(values[name])
        return cls(**values)
