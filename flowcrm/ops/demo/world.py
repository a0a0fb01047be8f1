"""The demo's world: the account Acme, its people, two thousand emails, and those that keep arriving.

Everything follows from a seed and a moment: the same two give the same bytes. All of it is invented; no name, address or
sentence comes from a real mailbox, and every domain ends in .example.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from flowcrm.ops.demo import pace, people, scripts
from flowcrm.ops.demo.casting import Casting
from flowcrm.ops.demo.mails import Mail, deliver, draft
from flowcrm.ops.demo.people import Cast, Company, Contact, User
from flowcrm.ops.demo.threads import Conversation, advance

EMAILS = 2000

# How many emails belong to whom; conversations with contacts fill up the rest.
_SHARES = {"team": 120, "stranger": 130, "newsletter": 80, "notice": 190, "spam": 45}
_DRAFTS = 14

# Of the arrivals, how many continue a conversation and how many begin one without contacts; the rest begin one with them.
_CONTINUE = 0.65
_OTHERS = 0.12
_OTHER_AUDIENCES = ("notice", "notice", "stranger", "team", "newsletter")
_OPEN = 40


@dataclass(frozen=True, slots=True)
class World:
    """Who is there and what lies in the mailboxes at the moment `now`.

    mails: oldest first; an email that several users have is there once for each, under the same Message-ID.
    open: conversations that will go on.
    """

    seed: int
    now: datetime
    account: str
    users: tuple[User, ...]
    companies: tuple[Company, ...]
    contacts: tuple[Contact, ...]
    mails: tuple[Mail, ...] = field(repr=False)
    open: tuple[Conversation, ...] = field(repr=False)

    def arrivals(self, after: datetime) -> Iterator[Mail]:
        """New mail from `after` on, about one email a minute, without end; an email to two users comes twice in a row.

        The same world and moment give the same mail; another moment gives other emails under other Message-IDs.
        """
        cast = people.load()
        key = f"{self.seed}/{after:%Y%m%dT%H%M%S}"
        rng = random.Random(key)
        casting = Casting(cast, _lively(), key)
        # Chance of its own for what is taken up here, or else two streams would write other emails under the same Message-ID.
        going = [replace(talk, salt=key) for talk in self.open[-_OPEN:] if not talk.script.waits]
        at = after
        while True:
            at += timedelta(seconds=rng.randint(35, 85))
            talk = advance(_take_up(casting, cast, going, at, rng), at)
            if talk.at is not None:
                going.append(talk)
            yield from deliver(cast, talk, talk.last, at)


def generate(seed: int, now: datetime) -> World:
    """The world of a seed as it is at the moment `now` (aware, UTC)."""
    cast = people.load()
    talks = _played(cast, seed, now)
    mails = [mail for talk in talks for said in talk.said for mail in deliver(cast, talk, said, now)]
    mails += _drafts(cast, talks, now, random.Random(f"{seed}/drafts"))
    return World(
        seed=seed,
        now=now,
        account=cast.account,
        users=cast.users,
        companies=cast.companies,
        contacts=cast.contacts,
        mails=tuple(sorted(mails, key=lambda mail: (mail.at, mail.mailbox, mail.thread))),
        open=tuple(sorted((talk for talk in talks if talk.at and talk.said), key=lambda talk: talk.last.letter.at)),
    )


def _played(cast: Cast, seed: int, now: datetime) -> list[Conversation]:
    """Conversations up to now that hold, with the drafts, exactly EMAILS emails."""
    rng = random.Random(f"{seed}/world")
    casting = Casting(cast, scripts.load(), str(seed))
    talks: list[Conversation] = []
    for audience, share in _SHARES.items():
        talks += _fill(share, now, partial(_without_contact, casting, audience, now, rng))
    # Everybody appears at least twice; after that the busy ones appear more often.
    waiting = [*cast.contacts, *cast.contacts]
    weights = [contact.busy for contact in cast.contacts]

    def with_contact() -> Conversation:
        contact = waiting.pop() if waiting else rng.choices(cast.contacts, weights)[0]
        return casting.with_contact(contact, pace.weekday_start(now, rng), now)

    talks += _fill(EMAILS - _DRAFTS - sum(_SHARES.values()), now, with_contact)
    return talks


def _without_contact(casting: Casting, audience: str, now: datetime, rng: random.Random) -> Conversation:
    start = pace.start if audience in scripts.MACHINES else pace.weekday_start
    return casting.audience(audience, start(now, rng))


def _fill(room: int, now: datetime, make: Callable[[], Conversation]) -> Iterator[Conversation]:
    """Conversations played up to now until they hold `room` emails; the last one is cut short where it would hold more."""
    while room:
        talk = make()
        while talk.at is not None and talk.at <= now and len(talk.said) < room:
            talk = advance(talk)
        if talk.said:
            room -= len(talk.said)
            yield talk


def _drafts(cast: Cast, talks: list[Conversation], now: datetime, rng: random.Random) -> Iterator[Mail]:
    """Answers that somebody has begun: the latest conversations in which a contact wrote last."""
    turns = next(script for script in scripts.load() if "draft" in script.audience).turns
    unanswered = [talk for talk in talks if _awaits_us(talk) and talk.script.language == "en"]
    latest = sorted(unanswered, key=lambda talk: talk.last.letter.at)[-_DRAFTS:]
    for talk in latest:
        begun = replace(talk.script, turns=(*talk.script.turns[: len(talk.said)], rng.choice(turns)))
        at = min(now, pace.after(talk.last.letter.at, "soon", {}, talk.parties["us"].zone, rng))
        yield draft(cast, talk, advance(replace(talk, salt="draft", script=begun), at).last.letter)


def _awaits_us(talk: Conversation) -> bool:
    return talk.last.roles[:2] == ("them", "us") and talk.parties["them"].company is not None


def _lively() -> list[scripts.Script]:
    """Scripts that can be played within minutes."""
    return [script for script in scripts.load() if not script.waits and not {"draft", "spam"} & set(script.audience)]


def _take_up(casting: Casting, cast: Cast, going: list[Conversation], at: datetime, rng: random.Random) -> Conversation:
    """What goes on now: mostly a conversation under way, now and then a new one."""
    chance = rng.random()
    if going and (chance < _CONTINUE or len(going) > _OPEN):
        return going.pop(rng.randrange(len(going)))
    if chance > 1 - _OTHERS:
        return casting.audience(rng.choice(_OTHER_AUDIENCES), at)
    contact = rng.choices(cast.contacts, [contact.busy for contact in cast.contacts])[0]
    return casting.with_contact(contact, at, at)
