"""What must be in the store when the provider rests: the promises of sync once more, as plainly as they can be said.

Nothing here is shared with the product. The model looks at each mailbox after every step and remembers which mails the rules
have ever let in since the last rest (*welcome*): such a mail may have been kept, and what is kept stays. A mail that the
rules let in when the provider rests must have been kept.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

UNFINISHED = frozenset({"DRAFT", "SPAM", "TRASH"})
SENT = "SENT"
TRASH = "TRASH"


@dataclass(frozen=True)
class Letter:
    """One real email, whichever mailboxes it lies in. searchable: whose addresses stand in From, To, Cc or Bcc.

    reply_to: who else may make it a contact's mail, but cannot be searched for at the provider.
    names: ids of the mails that it answers.
    """

    message_id: str
    searchable: frozenset[str]
    reply_to: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Shown:
    """One mail as the provider shows it now."""

    provider_id: str
    thread: str
    at: datetime
    labels: frozenset[str]


@dataclass
class Mail:
    """A letter in one mailbox. welcome: the rules have let it in since the last rest.

    heard: its arrival was reported to us when a contact stood in it, so that even a Reply-To cannot be missed.
    once: it may have been stored at some time.
    removed: its owner wants it out and kept out; by_hand: that put its copy into the bin.
    emptied: it went from the bin, and nobody has looked for it since.
    """

    letter: Letter
    thread: str
    at: datetime
    labels: frozenset[str]
    gone: bool = False
    welcome: bool = False
    heard: bool = False
    once: bool = False
    removed: bool = False
    by_hand: bool = False
    emptied: bool = False


@dataclass
class Mailbox:
    """One mailbox with its settings. following: it was at rest, and the provider has told us of every change since.

    excluded: labels that keep a whole thread out. was_out: kept mails whose thread was out for a while since the last rest:
    they may have been taken out, or nobody may have noticed. removes: what is deleted at the provider goes to the bin.
    removed_threads: their owner wants them out, and what comes later in them.
    listed: addresses and domains on its owner's exclusion list and the account's.
    leaves: what has no chosen mail in its thread any more goes to the bin. Since the last rest: chose, the threads that had one
    then; moved, those where that changed since; left, what lay in the bin for it; unsure: marks may have been read anew.
    """

    selection: str | None = None
    chosen: frozenset[str] = frozenset()
    since: datetime | None = None
    mails: dict[str, Mail] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    following: bool = False
    excluded: frozenset[str] = frozenset()
    was_out: frozenset[str] = frozenset()
    removes: bool = False
    removed_threads: set[str] = field(default_factory=set)
    listed: frozenset[str] = frozenset()
    leaves: bool = False
    chose: frozenset[str] = frozenset()
    moved: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    unsure: bool = False

    def is_binned(self, mail: Mail) -> bool:
        return mail.by_hand or self.is_listed(mail) or (self.removes and (mail.gone or TRASH in mail.labels))

    def is_listed(self, mail: Mail) -> bool:
        people = mail.letter.searchable | mail.letter.reply_to
        return not self.listed.isdisjoint(people | {address.partition("@")[2] for address in people})

    def has_left(self, provider_id: str, mail: Mail) -> bool | None:
        """Whether it lies in the bin for want of a chosen mail in its thread; None: either is right."""
        if not self.leaves or mail.thread in self.chooses():
            return False
        if self.unsure or provider_id in self.was_out:
            return None
        if mail.thread in self.chose:
            return True
        return None if mail.thread in self.moved else provider_id in self.left

    def chooses(self) -> frozenset[str]:
        """The threads that have a chosen mail."""
        bears = (one for one in self.mails.values() if not one.gone and not one.labels & UNFINISHED)
        return frozenset(one.thread for one in bears if self.selection == "labels" and one.labels & self.chosen)

    def is_removed(self, mail: Mail) -> bool:
        return mail.removed or mail.thread in self.removed_threads

    def thread(self, mail: Mail) -> list[Mail]:
        """The mails of its thread that are there."""
        return [one for one in self.mails.values() if one.thread == mail.thread and not one.gone]

    def is_out(self, mail: Mail) -> bool:
        return any(one.labels & self.excluded for one in self.thread(mail))

    def may_be_out(self, mail: Mail) -> bool:
        """A mail that is gone goes on keeping its thread out, if its label was noticed before it went."""
        return any(one.labels & self.excluded for one in self.mails.values() if one.thread == mail.thread)


@dataclass(frozen=True)
class Kept:
    """One copy in the store. message, conversation: any names for the groups that it belongs to."""

    provider_id: str
    folders: frozenset[str]
    unread: bool
    gone: bool
    message: int
    conversation: int
    binned: bool = False


def lets_in(mailbox: Mailbox, mail: Mail, contacts: frozenset[str]) -> bool:
    """DESIGN section 5, "Coming in", as far as there are settings for it."""
    if mailbox.is_removed(mail) or mailbox.is_listed(mail):
        return False
    if mail.gone or mailbox.is_out(mail) or mail.labels & UNFINISHED:
        return False
    if mailbox.since is not None and mail.at < mailbox.since:
        return False
    if mailbox.selection == "labels":
        return _is_chosen(mailbox, mail)
    if mailbox.selection == "contacts":
        return bool((mail.letter.searchable | mail.letter.reply_to) & contacts)
    return mailbox.selection == "all"


def _is_chosen(mailbox: Mailbox, mail: Mail) -> bool:
    """A chosen mail brings what came later in its thread, and what was sent in it."""
    if mail.labels & mailbox.chosen:
        return True
    chosen = [one for one in mailbox.thread(mail) if one.labels & mailbox.chosen and not one.labels & UNFINISHED]
    return bool(chosen) and (SENT in mail.labels or mail.at >= min(one.at for one in chosen))


class Model:
    """The team's mailboxes and contacts."""

    def __init__(self) -> None:
        self.mailboxes: dict[int, Mailbox] = {}
        self.contacts: frozenset[str] = frozenset()
        self.returned = 0

    def see(self, box: int, letters: Mapping[str, Letter], shown: Iterable[Shown]) -> None:
        """The provider's mailbox as it is now."""
        mailbox, there = self.mailboxes[box], set()
        chose = mailbox.chooses()
        for one in shown:
            there.add(one.provider_id)
            mail = mailbox.mails.get(one.provider_id)
            arrives = mail is None or bool(mail.labels & UNFINISHED and not one.labels & UNFINISHED)
            if mail is None:
                mail = mailbox.mails[one.provider_id] = Mail(letters[one.provider_id], one.thread, one.at, one.labels)
            # What comes back out of the bin may be more than the plan has room for: it was here before.
            self.returned += mailbox.is_binned(mail) and TRASH not in one.labels
            mail.labels = one.labels
            if arrives:
                mail.emptied = False
                mail.heard = mailbox.following and lets_in(mailbox, mail, self.contacts)
        for provider_id in mailbox.mails.keys() - there:
            mailbox.mails[provider_id].gone = True
        chooses = mailbox.chooses()
        mailbox.moved |= chooses ^ mailbox.chose
        # What comes back with its label was here before, like what comes out of the trash.
        self.returned += sum(one.thread in chooses - chose for one in mailbox.mails.values()) if mailbox.leaves else 0
        self._welcome()

    def choose(self, box: int, selection: str, chosen: frozenset[str], since: datetime | None) -> None:
        mailbox = self.mailboxes[box]
        mailbox.selection, mailbox.chosen, mailbox.since = selection, chosen, since
        self.returned += len(mailbox.mails) if mailbox.leaves else 0
        self.lost_sight(box)

    def meet(self, contacts: frozenset[str]) -> None:
        """These are the addresses of all contacts now."""
        if self.contacts - contacts:
            # A mail that was left out in between is found again by searching only.
            for box in self.mailboxes:
                self._forget_heard(box)
        self.contacts = contacts
        self._welcome()

    def lost_sight(self, box: int) -> None:
        """From here the mailbox is listed anew."""
        self.mailboxes[box].following, self.mailboxes[box].unsure = False, True
        self._forget_heard(box)
        for mail in self.mailboxes[box].mails.values():
            mail.emptied = False
        self._welcome()

    def remove(self, box: int, stored: Set[str], held: Iterable[str], *, thread: bool) -> None:
        """The owner removes these mails, which are stored and not in the bin; and, if he wants that, their threads, with what
        lies in the bin of them. held: all that is stored."""
        mailbox = self.mailboxes[box]
        mailbox.kept |= frozenset(stored)
        for mail in [mailbox.mails[one] for one in stored]:
            mail.by_hand = True
            mail.removed = mail.removed or not thread
            mailbox.removed_threads |= {mail.thread} if thread else set()
        gone = {mailbox.mails[one].thread for one in stored} if thread else set()
        for mail in [mailbox.mails[one] for one in held if mailbox.mails[one].thread in gone]:
            mail.by_hand = True
        self._turn_away(mailbox)

    def exclude(self, box: int, entry: str, stored: Iterable[str]) -> None:
        """Nobody of these is wanted any more: what is stored goes into the bin."""
        mailbox = self.mailboxes[box]
        mailbox.kept |= frozenset(stored)
        mailbox.listed |= {entry}
        self._turn_away(mailbox)

    def include(self, box: int, listed: frozenset[str]) -> None:
        """Only these are on the lists now: what went for others comes back, and what was left out is looked for."""
        mailbox = self.mailboxes[box]
        self.returned += sum(mailbox.is_listed(mail) for mail in mailbox.mails.values())
        mailbox.listed = listed
        self.lost_sight(box)

    def bring_back(self, box: int, provider_id: str) -> None:
        """The owner takes one mail out of the bin: it may come in again, and so may what came later in its thread."""
        mailbox = self.mailboxes[box]
        mail = mailbox.mails[provider_id]
        mail.by_hand = mail.removed = False
        mailbox.removed_threads.discard(mail.thread)
        self._welcome()

    def let_back(self, box: int) -> None:
        """Everything that was removed may come in again; what is in the bin stays there."""
        mailbox = self.mailboxes[box]
        mailbox.removed_threads.clear()
        for mail in mailbox.mails.values():
            mail.removed = False
        self.lost_sight(box)

    def empty(self, box: int, binned: Iterable[str]) -> None:
        """These mails have lain in the bin long enough."""
        mailbox = self.mailboxes[box]
        mailbox.kept -= frozenset(binned)
        mailbox.left -= frozenset(binned)
        for mail in [mailbox.mails[one] for one in binned]:
            mail.by_hand = mail.welcome = False
            mail.emptied = True
        self._welcome()

    def must_hold(self, box: int) -> set[str]:
        """The mails that have to be there when everything rests."""
        mailbox = self.mailboxes[box]
        stays = mailbox.kept - mailbox.was_out
        let_in = {
            provider_id
            for provider_id, mail in mailbox.mails.items()
            if lets_in(mailbox, mail, self.contacts) and self._findable(mailbox, mail) and not mail.emptied
        }
        return {one for one in stays | let_in if not mailbox.may_be_out(mailbox.mails[one])}

    def may_hold(self, box: int) -> set[str]:
        mailbox = self.mailboxes[box]
        may = set(mailbox.kept) | {provider_id for provider_id, mail in mailbox.mails.items() if mail.welcome}
        return {one for one in may if not mailbox.is_out(mailbox.mails[one])}

    def rest(self, box: int, copies: Iterable[Kept]) -> None:
        """Everything was compared: from here on the next round counts."""
        mailbox = self.mailboxes[box]
        found = {one.provider_id: one.binned for one in copies}
        kept = found.keys()
        mailbox.left = frozenset(one for one in kept if found[one] and not mailbox.is_binned(mailbox.mails[one]))
        mailbox.chose, mailbox.moved, mailbox.unsure = mailbox.chooses(), frozenset(), False
        mailbox.kept, mailbox.following, mailbox.was_out = frozenset(kept), True, frozenset()
        for provider_id, mail in mailbox.mails.items():
            mail.welcome = False
            # What No-CRM took out is in no bin any more.
            mail.by_hand = mail.by_hand and provider_id in mailbox.kept
        self._welcome()

    def _turn_away(self, mailbox: Mailbox) -> None:
        """What is not stored by now does not come in any more, whatever is under way."""
        for mail in mailbox.mails.values():
            mail.welcome = mail.welcome and not mailbox.is_removed(mail) and not mailbox.is_listed(mail)
        self._welcome()

    def _findable(self, mailbox: Mailbox, mail: Mail) -> bool:
        return mailbox.selection != "contacts" or bool(mail.letter.searchable & self.contacts) or mail.heard

    def _welcome(self) -> None:
        for mailbox in self.mailboxes.values():
            mailbox.was_out |= {one for one in mailbox.kept if mailbox.is_out(mailbox.mails[one])}
            for mail in mailbox.mails.values():
                mail.welcome = mail.welcome or lets_in(mailbox, mail, self.contacts)
                mail.once = mail.once or mail.welcome

    def _forget_heard(self, box: int) -> None:
        for mail in self.mailboxes[box].mails.values():
            mail.heard = False


def disagreements(model: Model, box: int, kept: Iterable[Kept], waiting: Iterable[str]) -> list[str]:
    """What one mailbox's copies have wrong, in words. waiting: mails for which the plan has no room."""
    mailbox, copies = model.mailboxes[box], {one.provider_id: one for one in kept}
    wrong = [f"{one} is missing" for one in sorted(model.must_hold(box) - copies.keys() - set(waiting))]
    wrong += [f"{one} should not be here" for one in sorted(copies.keys() - model.may_hold(box))]
    for provider_id, copy in copies.items():
        mail = mailbox.mails[provider_id]
        if copy.gone != mail.gone:
            wrong.append(f"{provider_id} is {'gone' if mail.gone else 'there'} at the provider, and here it is not")
        left = mailbox.has_left(provider_id, mail)
        # One that No-CRM took out for a while may have come in anew: who knows.
        may = {None} if mail.by_hand and provider_id in mailbox.was_out else {mailbox.is_binned(mail) or left}
        if None not in may and copy.binned not in may:
            wrong.append(f"{provider_id} lies {'in' if copy.binned else 'out of'} the bin, and should not")
        if not mail.gone and copy.folders != mail.labels - {"UNREAD"}:
            wrong.append(f"{provider_id} lies in {sorted(mail.labels)}, and here in {sorted(copy.folders)}")
        if not mail.gone and copy.unread != ("UNREAD" in mail.labels):
            wrong.append(f"{provider_id} is {'un' if 'UNREAD' in mail.labels else ''}read, and here it is not")
    return wrong


def grouping_errors(model: Model, kept: Mapping[int, Iterable[Kept]]) -> list[str]:
    """Copies of one letter are one message; messages that name each other or share a thread are one conversation. What once
    belonged together stays together, when the mail between them goes."""
    copies = [(box, one, model.mailboxes[box].mails[one.provider_id]) for box, found in kept.items() for one in found]
    wrong = _differs("messages", [(one.message, {mail.letter.message_id}) for _, one, mail in copies], [])
    once = [_ties(box, mail) for box, mailbox in model.mailboxes.items() for mail in mailbox.mails.values() if mail.once]
    return wrong + _differs("conversations", [(one.conversation, _ties(box, mail)) for box, one, mail in copies], once)


def _ties(box: int, mail: Mail) -> frozenset[str]:
    return frozenset({mail.letter.message_id, *mail.letter.names, f"{box} {mail.thread}"})


def _differs(what: str, members: list[tuple[int, Set[str]]], once: list[frozenset[str]]) -> list[str]:
    """Compares a grouping by name with the components of members that share a tie; those that only something of `once` ties
    may be one or not."""
    found: dict[int, set[int]] = {}
    for number, (name, _) in enumerate(members):
        found.setdefault(name, set()).add(number)
    ties = [one for _, one in members]
    least, most = _components(ties), _components([*ties, *once])
    together = all(any(one <= other for other in found.values()) for one in least)
    apart = all(any(one <= other for other in most) for one in found.values())
    if together and apart:
        return []
    return [f"{what} are {sorted(map(sorted, found.values()))}, not {sorted(map(sorted, least))}"]


def _components(members: Sequence[Set[str]]) -> list[set[int]]:
    """Which of them hang together by what they share."""
    components: list[tuple[set[int], set[str]]] = []
    for number, ties in enumerate(members):
        joined = [one for one in components if one[1] & ties]
        components = [one for one in components if not one[1] & ties]
        components.append(({number}.union(*(one[0] for one in joined)), set(ties).union(*(one[1] for one in joined))))
    return [numbers for numbers, _ in components]
