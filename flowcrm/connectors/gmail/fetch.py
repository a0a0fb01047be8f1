"""Mails and threads by their ids: users.messages.get, users.threads.get; one request each, several at a time over connections
that stay open.

Not Gmail's multipart batch: it runs its parts in parallel anyway and charges each, so it saves nothing of the quota, which is
the limit (5 mails a second and person, 2026). It would cost much: one answer of up to 25 times 67 MB, no answer before the
slowest part, and one cut connection loses all 25.
"""

import base64
import binascii
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from flowcrm.connectors.gmail.api import Api, Params, read_object
from flowcrm.connectors.gmail.errors import Asked
from flowcrm.connectors.gmail.folders import split_labels
from flowcrm.mail.errors import MailError, NeedsAdmin, NeedsLogin, Permanent, RateLimited, Transient
from flowcrm.mail.types import Change, ChangeKind, Fetched, Headers, ItemFailed, Thread

# So many failures in a row are not the mails' fault.
_STRIKES = 3

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Item = TypeVar("Item", Headers, Fetched, Thread)


@dataclass(frozen=True, slots=True)
class _Call:
    """A request for one item. operation: what it costs."""

    operation: str
    folder: str
    params: Params


_HEADERS = _Call("messages.get", "messages", (("format", "metadata"),))
_RAW = _Call("messages.get", "messages", (("format", "raw"),))
_THREAD = _Call("threads.get", "threads", (("format", "minimal"),))


def headers(api: Api, provider_ids: Sequence[str]) -> tuple[Headers | ItemFailed, ...]:
    """format=metadata: costs as much as the whole mail, but travels light."""
    return _each(api, provider_ids, _HEADERS, _headers)


def fetch(api: Api, provider_ids: Sequence[str]) -> tuple[Fetched | ItemFailed, ...]:
    """format=raw: the bytes as Gmail received them, with labels and Gmail's own date."""
    return _each(api, provider_ids, _RAW, _fetched)


def threads(api: Api, thread_ids: Sequence[str]) -> tuple[Thread | ItemFailed, ...]:
    """users.threads.get, format=minimal: ids, labels and dates of all mails of a thread, also of those in spam and trash."""
    return _each(api, thread_ids, _THREAD, _thread)


def _each(
    api: Api, provider_ids: Sequence[str], call: _Call, read: Callable[[str, dict[str, Any]], Item]
) -> tuple[Item | ItemFailed, ...]:
    """One answer for each id, in order; fewer when memory is full.

    Only the waiting happens in threads: units are spent and answers decoded here, in the caller's, one after the other.
    """
    answers: list[Item | ItemFailed] = []
    under_way: deque[tuple[str, Future[bytes]]] = deque()
    brake = _Brake(api.settings.fetch_bytes)

    def take_oldest() -> None:
        provider_id, future = under_way.popleft()
        answers.append(brake.watch(_answer(provider_id, future, read)))

    with ThreadPoolExecutor(max_workers=api.settings.parallel) as pool:
        for provider_id in provider_ids:
            if len(under_way) == api.settings.parallel:
                take_oldest()
            if brake.pulled or not brake.spent(api, call.operation):
                break
            path = f"{call.folder}/{quote(provider_id, safe='')}"
            under_way.append((provider_id, pool.submit(api.get, path, call.params, Asked.ITEM, api.settings.item_bytes)))
        while under_way:
            take_oldest()
    if brake.error:
        answers += [ItemFailed(provider_id, brake.error) for provider_id in provider_ids[len(answers) :]]
    return tuple(answers)


class _Brake:
    """Says when to ask for no further mail: an error that concerns the whole mailbox, or enough bytes in memory."""

    def __init__(self, room: int) -> None:
        self.error: MailError | None = None
        self._room = room
        self._strikes = 0

    @property
    def pulled(self) -> bool:
        return self.error is not None or self._room <= 0

    def spent(self, api: Api, operation: str) -> bool:
        """Spend the units of the next item; False when there are none."""
        try:
            api.spend(operation)
        except MailError as error:
            self.error = error
        return self.error is None

    def watch(self, answer: Item | ItemFailed) -> Item | ItemFailed:
        error = answer.error if isinstance(answer, ItemFailed) else None
        self._strikes = self._strikes + 1 if isinstance(error, Transient) else 0
        if isinstance(error, RateLimited | NeedsLogin | NeedsAdmin) or self._strikes >= _STRIKES:
            self.error = self.error or error
        if isinstance(answer, Fetched):
            self._room -= len(answer.raw)
        return answer


def _answer(provider_id: str, future: Future[bytes], read: Callable[[str, dict[str, Any]], Item]) -> Item | ItemFailed:
    try:
        return read(provider_id, read_object(future.result()))
    except MailError as error:
        return ItemFailed(provider_id, error)


def _headers(provider_id: str, message: dict[str, Any]) -> Headers:
    fields = (message.get("payload") or {}).get("headers") or []
    folder_ids, unread = split_labels(message.get("labelIds") or ())
    return Headers(
        provider_id=provider_id,
        thread_id=message.get("threadId"),
        folder_ids=folder_ids,
        at=_moment(message),
        unread=unread,
        fields=tuple((str(entry.get("name", "")), str(entry.get("value", ""))) for entry in fields),
    )


def _fetched(provider_id: str, message: dict[str, Any]) -> Fetched:
    folder_ids, unread = split_labels(message.get("labelIds") or ())
    return Fetched(
        provider_id=provider_id,
        thread_id=message.get("threadId"),
        folder_ids=folder_ids,
        at=_moment(message),
        unread=unread,
        raw=_raw(message),
    )


def _thread(thread_id: str, thread: dict[str, Any]) -> Thread:
    return Thread(thread_id, tuple(_in_thread(thread_id, message) for message in thread.get("messages") or ()))


def _in_thread(thread_id: str, message: dict[str, Any]) -> Change:
    folder_ids, unread = split_labels(message.get("labelIds") or ())
    return Change(ChangeKind.ARRIVED, str(message["id"]), thread_id, folder_ids, unread, at=_moment(message))


def _moment(message: dict[str, Any]) -> datetime:
    """internalDate: milliseconds since 1970, as a string."""
    try:
        return _EPOCH + timedelta(milliseconds=int(message["internalDate"]))
    except (KeyError, ValueError, TypeError, OverflowError):
        raise Permanent("Gmail gives no usable date for this email.", code="internalDate") from None


def _raw(message: dict[str, Any]) -> bytes:
    """base64url (RFC 4648, 5), padded or not."""
    text = message.get("raw")
    if not isinstance(text, str):
        raise Permanent("Gmail gives this email without its content.", code="raw")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise Permanent("Gmail gives this email in a form that cannot be decoded.", code="raw") from None
