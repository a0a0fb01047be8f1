"""One person's mailbox in memory: what every stand-in shows to the world in its own protocol.

A label is a Gmail label or a folder elsewhere; flags (unread, starred) are labels too. Every change appends one event to the
history, under an id that only grows, with gaps as at Gmail. Everything returned is a frozen value; all methods may be called
from any thread.
"""

import bisect
import hashlib
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from standins.rfc822 import Head, base_subject

# Gmail starts a new thread when one grows beyond this.
MAX_THREAD = 100


class UnknownMail(KeyError):
    """No mail of this id is in the mailbox (any more)."""


class UnknownLabel(KeyError):
    """No label of this id is in the mailbox."""


class LabelTaken(ValueError):
    """Another label already has this name."""


class HistoryExpired(LookupError):
    """The history no longer reaches back to the asked id, or never knew it."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label or folder. settings: what one protocol knows about it and the others do not (colour, visibility)."""

    id: str
    name: str
    system: bool = False
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it stands now. raw: RFC 5322 bytes. at_ms: the provider's time of arrival. arrival: 1, 2, 3 … per mailbox."""

    id: str
    thread_id: str
    raw: bytes = field(repr=False)
    labels: frozenset[str]
    at_ms: int
    arrival: int
    history_id: int
    head: Head = field(repr=False, compare=False)

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in the order of time; unique in its mailbox."""
        return (self.at_ms, self.arrival)


class EventKind(StrEnum):
    ADDED = "added"
    DELETED = "deleted"
    LABELS = "labels"


@dataclass(frozen=True, slots=True)
class Event:
    """One change to one mail. labels: all labels right after it. added, removed: of a LABELS event only."""

    id: int
    kind: EventKind
    mail_id: str
    thread_id: str
    labels: frozenset[str]
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()


class Mailbox:
    """Mails, labels, threads and the history of one account."""

    def __init__(self, address: str, system_labels: Iterable[Label] = ()) -> None:
        self.address = address
        self.lock = threading.RLock()
        self._labels = {label.id: label for label in system_labels}
        self._mails: dict[str, Mail] = {}
        self._order: list[tuple[int, int, str]] = []
        self._threads: dict[str, list[str]] = {}
        self._thread_subject: dict[str, str] = {}
        self._known_ids: dict[str, str] = {}
        self._events: list[Event] = []
        self._history_id = 1000
        self._history_floor = 1000
        self._arrivals = 0
        self._made_labels = 0

    # -- reading ---------------------------------------------------------------------------------------------------

    def mail(self, mail_id: str) -> Mail:
        """Raises UnknownMail."""
        try:
            return self._mails[mail_id]
        except KeyError:
            raise UnknownMail(mail_id) from None

    def newest_first(self, before: tuple[int, int] | None = None) -> Iterator[Mail]:
        """Mails in falling order of time, as they stand now; `before`: only those that stand before this place."""
        with self.lock:
            end = len(self._order) if before is None else bisect.bisect_left(self._order, (*before, ""))
            ids = [mail_id for _, _, mail_id in self._order[:end]]
        for mail_id in reversed(ids):
            mail = self._mails.get(mail_id)
            if mail is not None:
                yield mail

    def thread(self, thread_id: str) -> tuple[Mail, ...]:
        """The mails of a thread, oldest first. Raises UnknownMail for a thread without mails."""
        with self.lock:
            mails = [self._mails[mail_id] for mail_id in self._threads.get(thread_id, ())]
        if not mails:
            raise UnknownMail(thread_id)
        return tuple(sorted(mails, key=lambda mail: mail.place))

    def count(self) -> tuple[int, int]:
        """How many mails and how many threads."""
        with self.lock:
            return len(self._mails), len(self._threads)

    def label(self, label_id: str) -> Label:
        """Raises UnknownLabel."""
        try:
            return self._labels[label_id]
        except KeyError:
            raise UnknownLabel(label_id) from None

    def labels(self) -> tuple[Label, ...]:
        with self.lock:
            return tuple(self._labels.values())

    @property
    def history_id(self) -> int:
        return self._history_id

    def history(self, after: int, limit: int) -> tuple[tuple[Event, ...], bool]:
        """Up to `limit` events after an id, oldest first, and whether there are more. Raises HistoryExpired."""
        with self.lock:
            if not self._history_floor <= after <= self._history_id:
                raise HistoryExpired(after)
            start = bisect.bisect_right(self._events, after, key=lambda event: event.id)
            found = self._events[start : start + limit]
            return tuple(found), start + limit < len(self._events)

    def digest(self) -> str:
        """SHA-256 over every byte, label, flag, time and thread: equal before and after means nobody wrote here."""
        total = hashlib.sha256()
        with self.lock:
            for label in sorted(self._labels.values(), key=lambda label: label.id):
                total.update(repr((label.id, label.name, label.system, sorted(label.settings.items()))).encode())
            for mail in sorted(self._mails.values(), key=lambda mail: mail.arrival):
                total.update(repr((mail.id, mail.thread_id, sorted(mail.labels), mail.at_ms, len(mail.raw))).encode())
                total.update(mail.raw)
        return total.hexdigest()

    # -- writing ---------------------------------------------------------------------------------------------------

    def add(self, raw: bytes, labels: Collection[str], at_ms: int, thread_id: str | None = None) -> Mail:
        """Deliver a mail. thread_id: put it there, whatever its headers say. Raises UnknownMail, UnknownLabel."""
        head = Head(raw)
        with self.lock:
            self._check_labels(labels)
            if thread_id is not None and thread_id not in self._threads:
                raise UnknownMail(thread_id)
            self._arrivals += 1
            mail_id = self._new_id()
            thread = thread_id or self._thread_for(head) or mail_id
            history_id = self._next_history_id()
            mail = Mail(mail_id, thread, raw, frozenset(labels), at_ms, self._arrivals, history_id, head)
            self._mails[mail_id] = mail
            bisect.insort(self._order, (*mail.place, mail_id))
            self._join_thread(mail)
            self._events.append(Event(history_id, EventKind.ADDED, mail_id, thread, mail.labels))
            return mail

    def change_labels(self, mail_id: str, add: Collection[str] = (), remove: Collection[str] = ()) -> Mail:
        """Put labels on and take labels off; what is so already leaves no event. Raises UnknownMail, UnknownLabel."""
        with self.lock:
            mail = self.mail(mail_id)
            self._check_labels(add)
            self._check_labels(remove)
            after = (mail.labels | frozenset(add)) - frozenset(remove)
            if after == mail.labels:
                return mail
            changed = replace(mail, labels=after, history_id=self._next_history_id())
            self._mails[mail_id] = changed
            self._events.append(
                Event(
                    changed.history_id,
                    EventKind.LABELS,
                    mail_id,
                    mail.thread_id,
                    after,
                    added=after - mail.labels,
                    removed=mail.labels - after,
                )
            )
            return changed

    def delete(self, mail_id: str) -> None:
        """Remove for good. Raises UnknownMail."""
        with self.lock:
            mail = self.mail(mail_id)
            del self._mails[mail_id]
            del self._order[bisect.bisect_left(self._order, (*mail.place, mail_id))]
            rest = self._threads[mail.thread_id]
            rest.remove(mail_id)
            if not rest:
                del self._threads[mail.thread_id]
            history_id = self._next_history_id()
            self._events.append(Event(history_id, EventKind.DELETED, mail_id, mail.thread_id, mail.labels))

    def create_label(self, name: str, settings: Mapping[str, object] | None = None) -> Label:
        """Raises LabelTaken; names differ by more than their case, as at Gmail."""
        with self.lock:
            self._check_name(name, except_id="")
            self._made_labels += 1
            label = Label(f"Label_{self._made_labels}", name, False, MappingProxyType(dict(settings or {})))
            self._labels[label.id] = label
            return label

    def change_label(self, label_id: str, name: str, settings: Mapping[str, object]) -> Label:
        """Rename a label or change its settings; its id stays. Raises UnknownLabel, LabelTaken."""
        with self.lock:
            label = self.label(label_id)
            self._check_name(name, except_id=label_id)
            self._labels[label_id] = replace(label, name=name, settings=MappingProxyType(dict(settings)))
            return self._labels[label_id]

    def delete_label(self, label_id: str) -> None:
        """Remove a label, and take it off every mail. Raises UnknownLabel."""
        with self.lock:
            self.label(label_id)
            for mail in [mail for mail in self._mails.values() if label_id in mail.labels]:
                self.change_labels(mail.id, remove=[label_id])
            del self._labels[label_id]

    def expire_history(self) -> None:
        """Forget the history up to now, as a provider does after a week: every bookmark handed out so far is lost."""
        with self.lock:
            self._events.clear()
            self._next_history_id()
            self._history_floor = self._history_id

    # -- inside ----------------------------------------------------------------------------------------------------

    def _check_labels(self, label_ids: Iterable[str]) -> None:
        for label_id in label_ids:
            self.label(label_id)

    def _check_name(self, name: str, except_id: str) -> None:
        wanted = name.casefold()
        if any(label.name.casefold() == wanted and label.id != except_id for label in self._labels.values()):
            raise LabelTaken(name)

    def _next_history_id(self) -> int:
        # Gaps, so that nobody comes to rely on "plus one".
        self._history_id += 1 + self._history_id * 7 % 13
        return self._history_id

    def _new_id(self) -> str:
        # Of Gmail's shape (16 hex digits), but in no order of time, and equal for the n-th mail of any mailbox: an id means
        # something in its own mailbox only.
        scattered = hashlib.blake2b(self._arrivals.to_bytes(8, "big"), digest_size=7).hexdigest()
        return f"19{scattered}"

    def _thread_for(self, head: Head) -> str | None:
        """Gmail's rule: a reference must be known in the thread, and the subjects must be the same."""
        subject = base_subject(head.subject)
        for parent in reversed(head.parents):
            thread_id = self._known_ids.get(parent)
            if thread_id is None or self._thread_subject.get(thread_id) != subject:
                continue
            if len(self._threads.get(thread_id, ())) < MAX_THREAD:
                return thread_id
        return None

    def _join_thread(self, mail: Mail) -> None:
        self._threads.setdefault(mail.thread_id, []).append(mail.id)
        self._thread_subject.setdefault(mail.thread_id, base_subject(mail.head.subject))
        # The ids of missing parents too: two replies to a mail that is not here still belong together.
        for message_id in (mail.head.message_id, *mail.head.parents):
            if message_id:
                self._known_ids.setdefault(message_id, mail.thread_id)
