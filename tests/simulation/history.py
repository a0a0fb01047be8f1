"""Random histories of a team's mailboxes, as plain data: what people and providers do, and what goes wrong meanwhile.

Mails, mailboxes, labels and contacts are named by numbers that wrap around what exists, so that any part of a history is a
history: `shorten` leaves out what a failure does not need.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

MAILBOXES = 2
# The one whose owner wants gone what is deleted at the provider; that of the other, what leaves the chosen labels.
REMOVES = 1
LABELS = 3
PEOPLE = 30


@dataclass(frozen=True)
class Deliver:
    """A mail arrives. sender … reply_to: numbers of people; answers: number of an earlier mail, or None.

    labels: Gmail's own, "label n", or "no crm"; age_days: how old the provider says it is; also: in the other mailbox too;
    size: lines of text.
    """

    box: int
    sender: int
    to: tuple[int, ...]
    cc: tuple[int, ...] = ()
    reply_to: int | None = None
    answers: int | None = None
    labels: tuple[str, ...] = ("INBOX", "UNREAD")
    age_days: int = 0
    also: bool = False
    size: int = 1


@dataclass(frozen=True)
class Relabel:
    """A person reads, files, stars, deletes or rescues a mail at the provider."""

    box: int
    mail: int
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delete:
    """Gone for good at the provider."""

    box: int
    mail: int


@dataclass(frozen=True)
class Remove:
    """A mail, or its whole conversation, is removed here and kept out; nothing happens to what is not here."""

    box: int
    mail: int
    thread: bool = False


@dataclass(frozen=True)
class BringBack:
    """A mail that was removed is taken out of the bin."""

    box: int
    mail: int


@dataclass(frozen=True)
class LetBack:
    """All that was removed may come in again."""

    box: int


@dataclass(frozen=True)
class Exclude:
    """The sender of the last mail but so many, or his domain, is put on one owner's list, or on the account's (None)."""

    mail: int
    domain: bool = False
    box: int | None = None


@dataclass(frozen=True)
class Include:
    """What was put on a list is taken off."""

    entry: int


@dataclass(frozen=True)
class Empty:
    """A month passes, and the bins are emptied."""


@dataclass(frozen=True)
class Choose:
    """Other settings for what comes in. labels: numbers of the mailbox's own labels; since_days: None for all time."""

    box: int
    selection: str
    labels: tuple[int, ...] = ()
    since_days: int | None = None


@dataclass(frozen=True)
class Contact:
    """A contact has these people's addresses from now on (a new one, or the one of that number)."""

    people: tuple[int, ...]
    contact: int | None = None


@dataclass(frozen=True)
class Uncontact:
    """A contact is deleted."""

    contact: int


@dataclass(frozen=True)
class Expire:
    """The provider forgets its history: every bookmark is lost."""

    box: int


@dataclass(frozen=True)
class Pause:
    """Pause, or resume what is paused."""

    box: int


@dataclass(frozen=True)
class Disconnect:
    """Disconnect, or connect what is disconnected."""

    box: int


@dataclass(frozen=True)
class Revoke:
    """The grant is taken back at the provider."""

    box: int


@dataclass(frozen=True)
class Limit:
    """The plan allows so many mails a day and at all."""

    daily: int | None
    stored: int | None


@dataclass(frozen=True)
class Wait:
    seconds: int


@dataclass(frozen=True)
class Fault:
    """Arguments of the stand-in's control `fault`, for one slice."""

    match: str
    kind: str
    count: int = 1
    skip: int = 0
    status: int = 503


@dataclass(frozen=True)
class Slice:
    """A worker takes its turn. meanwhile: what happens while the provider answers its n-th request."""

    box: int
    faults: tuple[Fault, ...] = ()
    request: int = 0
    meanwhile: tuple["Step", ...] = ()


@dataclass(frozen=True)
class Steal:
    """A minute passes without a sign of the worker that holds the lease, and another one takes its turn."""

    box: int


@dataclass(frozen=True)
class Rest:
    """Nothing happens any more until the engine has nothing to do; then the store is compared with the model."""


Step = (
    Deliver
    | Relabel
    | Delete
    | Remove
    | BringBack
    | LetBack
    | Exclude
    | Include
    | Empty
    | Choose
    | Contact
    | Uncontact
    | Expire
    | Pause
    | Disconnect
    | Revoke
    | Limit
    | Wait
    | Slice
    | Steal
    | Rest
)
History = tuple[Step, ...]

_FAULTS = (
    ("gmail.messages.get*", "status"),
    ("gmail.messages.get*", "cut"),
    ("gmail.messages.get*", "drop"),
    ("gmail.messages.get:raw", "vanish"),
    ("gmail.messages.list", "status"),
    ("gmail.messages.list", "duplicate_page"),
    ("gmail.messages.list", "out_of_order"),
    ("gmail.messages.list", "empty_page"),
    ("gmail.messages.list", "vanish"),
    ("gmail.history.list", "status"),
    ("gmail.history.list", "cut"),
    ("gmail.history.list", "duplicate_page"),
    ("gmail.history.list", "out_of_order"),
    ("gmail.*", "wrong_json"),
)
_STATUSES = (429, 403, 500, 503)
_ARRIVALS: tuple[tuple[str, ...], ...] = (
    ("INBOX", "UNREAD"),
    ("INBOX", "UNREAD"),
    ("INBOX",),
    ("SENT",),
    ("SPAM", "UNREAD"),
    ("DRAFT",),
    ("INBOX", "label 0"),
    ("label 1",),
    ("INBOX", "label 1"),
    ("INBOX", "no crm"),
    (),
)
_CHANGES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    ((), ("UNREAD",)),
    (("UNREAD",), ()),
    ((), ("INBOX",)),
    (("STARRED",), ()),
    (("SPAM",), ("INBOX",)),
    (("INBOX",), ("SPAM",)),
    (("TRASH",), ("INBOX",)),
    (("INBOX",), ("TRASH",)),
    (("SENT",), ("DRAFT",)),
    (("label 0",), ()),
    (("no crm",), ()),
    ((), ("no crm",)),
    (("label 1",), ("label 0",)),
    ((), ("label 0",)),
    ((), ("label 1",)),
    ((), ("label 0", "label 1", "label 2")),
)


def make_history(seed: int) -> History:
    """About thirty steps in three rounds, each of which comes to rest."""
    chance = random.Random(seed)
    steps: list[Step] = [_contact(chance)] if chance.random() < 0.7 else []
    if chance.random() < 0.2:
        steps.append(Limit(chance.choice([None, 5, 10]), chance.choice([None, 8, 15])))
    steps += [_deliver(chance) for _ in range(chance.randrange(12))]
    steps += [_choose(chance, box) for box in range(MAILBOXES)]
    for _ in range(3):
        steps += [_step(chance) for _ in range(chance.randrange(3, 12))]
        steps.append(Rest())
        if chance.random() < 0.2:
            steps.append(Empty())
    return tuple(steps)


def shorten(history: History, fails: Callable[[History], bool]) -> History:
    """A shorter history that still fails: parts of it are left out as long as it does."""
    size = len(history) // 2
    while size:
        start = 0
        while start < len(history):
            without = history[:start] + history[start + size :]
            if fails(without):
                history = without
            else:
                start += size
        size //= 2
    return history


def _step(chance: random.Random) -> Step:
    makers: list[tuple[int, Callable[[random.Random], Step]]] = [
        (8, _deliver),
        (6, _relabel),
        (2, lambda one: Delete(_box(one), one.randrange(100))),
        (2, _remove),
        (1, lambda one: BringBack(_box(one), one.randrange(100))),
        (1, lambda one: LetBack(_box(one))),
        (2, _exclude),
        (1, _include),
        (2, lambda one: _choose(one, _box(one))),
        (2, _contact),
        (1, lambda one: Uncontact(one.randrange(5))),
        (1, lambda one: Expire(_box(one))),
        (1, lambda one: Pause(_box(one))),
        (1, lambda one: Disconnect(_box(one))),
        (1, lambda one: Revoke(_box(one))),
        (2, lambda one: Wait(one.choice([1, 40, 61, 400, 4000, 90_000]))),
        (7, _slice),
    ]
    [(_, make)] = chance.choices(makers, [weight for weight, _ in makers])
    return make(chance)


def _box(chance: random.Random) -> int:
    return chance.randrange(MAILBOXES)


def _people(chance: random.Random, most: int) -> tuple[int, ...]:
    return tuple(chance.sample(range(PEOPLE), chance.randrange(most + 1)))


def _deliver(chance: random.Random) -> Deliver:
    return Deliver(
        box=_box(chance),
        sender=chance.randrange(PEOPLE),
        to=_people(chance, 2),
        cc=_people(chance, 1),
        reply_to=chance.choice([None, None, None, chance.randrange(PEOPLE)]),
        answers=chance.choice([None, chance.randrange(100)]),
        labels=chance.choice(_ARRIVALS),
        age_days=chance.choice([0, 0, 0, 3, 100]),
        also=chance.random() < 0.2,
        size=chance.choice([1, 1, 1, 2000]),
    )


def _relabel(chance: random.Random) -> Relabel:
    add, remove = chance.choice(_CHANGES)
    return Relabel(_box(chance), chance.randrange(100), add, remove)


def _remove(chance: random.Random) -> Remove:
    return Remove(_box(chance), chance.randrange(100), chance.random() < 0.5)


def _exclude(chance: random.Random) -> Exclude:
    return Exclude(chance.randrange(8), chance.random() < 0.3, chance.choice([None, *range(MAILBOXES)]))


def _include(chance: random.Random) -> Include:
    return Include(chance.randrange(5))


def _choose(chance: random.Random, box: int) -> Choose:
    selection = chance.choice(["all", "labels", "contacts"])
    labels = tuple(chance.sample(range(LABELS), chance.randrange(LABELS)))
    return Choose(box, selection, labels, chance.choice([None, None, 30]))


def _contact(chance: random.Random) -> Contact:
    # More addresses than go into one search make a listing of several parts.
    people = tuple(chance.sample(range(PEOPLE), chance.choice([1, 2, 3, 5, 25])))
    return Contact(people, chance.choice([None, chance.randrange(5)]))


def _slice(chance: random.Random) -> Slice:
    faults = tuple(_fault(chance) for _ in range(chance.choice([0, 0, 1, 2])))
    if chance.random() < 0.5:
        return Slice(_box(chance), faults)
    return Slice(_box(chance), faults, chance.randrange(16), (_interruption(chance),))


def _fault(chance: random.Random) -> Fault:
    match, kind = chance.choice(_FAULTS)
    return Fault(match, kind, chance.choice([1, 2, 5]), chance.randrange(3), chance.choice(_STATUSES))


def _interruption(chance: random.Random) -> Step:
    makers: tuple[Callable[[random.Random], Step], ...] = (
        _deliver,
        _relabel,
        _contact,
        _remove,
        lambda one: LetBack(_box(one)),
        _exclude,
        _include,
        lambda one: Delete(_box(one), one.randrange(100)),
        lambda one: _choose(one, _box(one)),
        lambda one: Expire(_box(one)),
        lambda one: Steal(_box(one)),
        lambda one: Steal(_box(one)),
        lambda one: Pause(_box(one)),
        lambda one: Disconnect(_box(one)),
    )
    return chance.choice(makers)(chance)
