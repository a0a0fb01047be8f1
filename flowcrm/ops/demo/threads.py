"""Conversations: a script, the people who play it, and what they have written so far.

A conversation never changes; `advance` returns the next one. So the world can hold those that are still open, and the stream
of arrivals can take them up wherever it likes.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from flowcrm.ops.demo import pace, prose
from flowcrm.ops.demo.compose import Request, compose
from flowcrm.ops.demo.letters import Letter, Party
from flowcrm.ops.demo.scripts import MACHINES, Manner, Script, Turn, common_slots

_OURS = ("us", "us2", "us3", "mate")
_ANSWERED = (Manner.REPLY, Manner.FORWARD)


@dataclass(frozen=True, slots=True)
class Said:
    """An email of a conversation and the roles of those who have it, the writer first."""

    letter: Letter
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """key: unique in a world; with `salt`, the seed of all chance in the conversation.

    at: when the next email is written; None when all is said. said: oldest first.
    """

    key: str
    script: Script
    parties: Mapping[str, Party]
    slots: Mapping[str, str]
    dates: Mapping[str, date]
    subject: str
    at: datetime | None
    said: tuple[Said, ...] = ()
    salt: str = ""

    @property
    def turn(self) -> Turn:
        return self.script.turns[len(self.said)]

    @property
    def last(self) -> Said:
        return self.said[-1]


def begin(key: str, script: Script, parties: Mapping[str, Party], at: datetime, slots: Mapping[str, str]) -> Conversation:
    """A conversation before its first email, which is written at `at`, or when the writer's office opens after that."""
    rng = random.Random(f"{key}/begin")
    if MACHINES.isdisjoint(script.audience):
        at = pace.office(at, parties[script.turns[0].by].zone, rng)
    home = at.astimezone(parties["us"].zone).date()
    dates = {f"d{number}": pace.working(home + timedelta(days=days)) for number, days in enumerate(script.days, start=1)}
    row = rng.choice(script.rows) if script.rows else {}
    chosen = {name: rng.choice(values) for name, values in {**common_slots(script.language), **script.slots}.items()}
    filled = {
        **chosen,
        **_numbers(rng),
        **_calendar(script.language, home, dates),
        **_names(script.language, parties),
        **row,
        **slots,
    }
    subject = prose.write(rng.choice(script.subjects), filled, rng)
    return Conversation(key=key, script=script, parties=parties, slots=filled, dates=dates, subject=subject, at=at)


def advance(talk: Conversation, at: datetime | None = None) -> Conversation:
    """The conversation with its next email written, at `at` or when its time has come. Needs one that is not over."""
    turn, number = talk.turn, len(talk.said)
    at = at or talk.at
    if at is None:
        raise ValueError("the conversation is over")
    rng = random.Random(f"{talk.key}/{talk.salt}/{number}")
    parent = _parent(talk, turn)
    to, cc = _recipients(turn, parent)
    letter = compose(
        Request(
            turn=turn,
            script=talk.script,
            parties=talk.parties,
            to=to,
            cc=cc,
            slots=talk.slots,
            dates=talk.dates,
            subject=talk.subject,
            parent=parent.letter if parent else None,
            first=not any(said.letter.sender == talk.parties[turn.by] for said in talk.said),
            at=at,
        ),
        rng,
    )
    said = (*talk.said, Said(letter, (turn.by, *to, *cc)))
    return replace(talk, said=said, at=_next(talk, said, rng))


def _next(talk: Conversation, said: tuple[Said, ...], rng: random.Random) -> datetime | None:
    if len(said) == len(talk.script.turns):
        return None
    turn = talk.script.turns[len(said)]
    last = said[-1].letter.at
    if turn.manner in (Manner.AUTOMATIC, Manner.BOUNCE):
        return last + timedelta(seconds=rng.randint(2, 90))
    return pace.after(last, turn.after, talk.dates, talk.parties[turn.by].zone, rng)


def _parent(talk: Conversation, turn: Turn) -> Said | None:
    """What the turn answers: the latest email that its writer has, or at least the latest (somebody must have shown it).

    Nobody answers machines or what he passed on himself; an acceptance answers the invitation.
    """
    if not talk.said or turn.manner is Manner.BOUNCE:
        return talk.said[-1] if talk.said else None
    if turn.manner is Manner.ACCEPT:
        return next(said for said in reversed(talk.said) if said.letter.manner is Manner.INVITE)
    answerable = [said for said in reversed(talk.said) if said.letter.manner in _ANSWERED]
    known = (said for said in answerable if turn.by in said.roles)
    own_forward = (turn.by, Manner.FORWARD)
    return next((said for said in known if (said.roles[0], said.letter.manner) != own_forward), answerable[0])


def _recipients(turn: Turn, parent: Said | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Reply to all: to whoever wrote last (or to the same people, when answering oneself), in copy everybody else."""
    if turn.to:
        return turn.to, turn.cc
    if parent is None:
        return ("us",) if turn.by not in _OURS else ("them",), turn.cc
    if turn.manner in (Manner.AUTOMATIC, Manner.BOUNCE, Manner.ACCEPT):
        return (parent.roles[0],), ()
    others = [role for role in parent.roles if role != turn.by]
    known = tuple(others[1:]) + tuple(role for role in turn.cc if role not in parent.roles)
    return (others[0],), known


def _numbers(rng: random.Random) -> dict[str, str]:
    return {
        "qno": f"Q-{rng.randint(2104, 2960)}",
        "ino": f"AC-{rng.randint(10_210, 11_480)}",
        "ticket": f"{rng.randint(4102, 6890)}",
        "po": f"45{rng.randint(10_120, 19_870)}",
        "serial": f"G2-{rng.randint(104, 3870):05}",
    }


def _calendar(language: str, home: date, dates: Mapping[str, date]) -> dict[str, str]:
    words = prose.words(language)
    slots = {
        "month": words.months[(home.month - 2) % 12],
        "nextmonth": words.months[home.month % 12],
        "week": str(home.isocalendar().week),
    }
    for name, day in dates.items():
        slots[name] = words.day(day)
        slots[f"{name}w"] = words.weekdays[day.weekday()]
        slots[f"{name}n"] = _ordinal(day.day)
    return slots


def _ordinal(number: int) -> str:
    """English only: no other language's scripts use it."""
    ending = "th" if 10 < number < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _names(language: str, parties: Mapping[str, Party]) -> dict[str, str]:
    return {role: party.person.called(language) for role, party in parties.items()}
