"""The scripts that conversations follow: who says what after how long, read from scripts/*.toml.

A script is prose with two marks: {slot} is filled in once per conversation, [one|another] is chosen anew each time.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("scripts")

# Audiences of scripts that no person at a desk writes: at any hour, and without an answer.
MACHINES = frozenset({"newsletter", "notice", "spam"})


class Manner(StrEnum):
    """What kind of email a turn is."""

    REPLY = "reply"
    FORWARD = "forward"
    INVITE = "invite"
    ACCEPT = "accept"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One email of a script.

    by, to, cc: roles: us, us2 (users), mate (colleague without sign-in), them, them2 (the other side), daemon (a mail server).
    to: only these people get it; otherwise everybody in the conversation does. cc: joins from here on.
    after: how long the writer takes: soon, hours, day, days, week, or the name of a date ("d1") to wait for.
    files: attachments by name, made by their ending. picture: a picture within the text.
    bare: without greeting and closing. typo: sent to a mistyped address.
    """

    by: str
    text: str = ""
    after: str = "hours"
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    picture: str = ""
    manner: Manner = Manner.REPLY
    bare: bool = False
    typo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends what nobody at a desk wrote: a newsletter, a shop, a swindler."""

    name: str
    address: str
    program: str = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One kind of conversation.

    audience: for whom it is: prospect, customer, supplier, team, stranger, notice, spam, draft.
    desk: the users' keys who may play "us"; empty: whoever looks after the company.
    topic: general, technical or money; only contacts who deal with it get the script.
    days: how many days after the start the dates d1, d2, d3 lie. rows: slots that belong together, one row is taken.
    labels: what the owners of our mailboxes put on it. list: the name of the mailing list that everybody writes to.
    """

    key: str
    audience: tuple[str, ...]
    subjects: tuple[str, ...]
    turns: tuple[Turn, ...]
    language: str = "en"
    desk: tuple[str, ...] = ()
    topic: str = "general"
    days: tuple[int, ...] = (6, 8, 15)
    slots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: tuple[Mapping[str, str], ...] = ()
    labels: tuple[str, ...] = ()
    sender: Sender | None = None
    list: str = ""

    @property
    def waits(self) -> bool:
        """Does a turn have to wait for a date? Such a script cannot be played within minutes."""
        return any(turn.after in ("d1", "d2", "d3") for turn in self.turns)


@cache
def load() -> tuple[Script, ...]:
    """Every script, in the order of the files' names."""
    return tuple(
        _script(entry, data)
        for path in sorted(_FOLDER.glob("*.toml"))
        for data in (tomllib.loads(path.read_text(encoding="utf-8")),)
        for entry in data["script"]
    )


@cache
def common_slots(language: str) -> Mapping[str, tuple[str, ...]]:
    """Slots that every script of a language may use."""
    data = tomllib.loads(_FOLDER.with_name("slots.toml").read_text(encoding="utf-8"))
    return {key: tuple(values) for key, values in {**data["any"], **data.get(language, {})}.items()}


def _script(entry: dict[str, Any], defaults: dict[str, Any]) -> Script:
    """A script; what stands at the top of its file (audience, language, desk, topic) holds for all its scripts."""
    entry = {**{key: value for key, value in defaults.items() if key != "script"}, **entry}
    return Script(
        **{key: _tuple(value) for key, value in entry.items() if key not in ("turns", "slots", "sender")},
        turns=tuple(_turn(turn) for turn in entry["turns"]),
        slots={key: tuple(values) for key, values in entry.get("slots", {}).items()},
        sender=Sender(**entry["sender"]) if "sender" in entry else None,
    )


def _turn(entry: dict[str, Any]) -> Turn:
    fields = {key: _tuple(value) for key, value in entry.items()}
    return Turn(**{**fields, "manner": Manner(entry.get("manner", "reply")), "text": entry.get("text", "").strip()})


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
