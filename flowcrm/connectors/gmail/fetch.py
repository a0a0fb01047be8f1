"""Mails by their ids: users.messages.get, one request a mail, several at a time over connections that stay open.

Not Gmail's multipart batch: it runs its parts in parallel anyway and charges each, so it saves nothing of the quota, which is
the limit (5 mails a second and person, 2026). It would cost much: one answer of up to 25 times 67 MB, no answer before the
slowest part, and one cut connection loses all 25.
"""

import base64
import binascii
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from flowcrm.connectors.gmail.api import Api, Params, read_object
from flowcrm.connectors.gmail.errors import Asked
from flowcrm.connectors.gmail.folders import split_labels
from flowcrm.mail.errors import MailError, NeedsAdmin, NeedsLogin, Permanent, RateLimited, Transient
from flowcrm.mail.types import Fetched, Headers, ItemFailed

# So many failures in a row are not the mails' fault.
_STRIKES = 3

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Mail = TypeVar("Mail", Headers, Fetched)


def headers(api: Api, provider_ids: Sequence[str]) -> tuple[Headers | ItemFailed, ...]:
    """format=metadata: costs as much as the whole mail, but travels light."""
    return _each(api, provider_ids, (("format", "metadata"),), _headers)


def fetch(api: Api, provider_ids: Sequence[str]) -> tuple[Fetched | ItemFailed, ...]:
    """format=raw: the bytes as Gmail received them, with labels and Gmail's own date."""
    return _each(api, provider_ids, (("format", "raw"),), _fetched)


def _each(
    api: Api, provider_ids: Sequence[str], params: Params, read: Callable[[str, dict[str, Any]], Mail]
) -> tuple[Mail | ItemFailed, ...]:
    """One answer for each id, in order; fewer when memory is full.

    Only the waiting happens in threads: units are spent and answers decoded here, in the caller's, one after the other.
    """
    answers: list[Mail | ItemFailed] = []
    under_way: deque[tuple[str, Future[bytes]]] = deque()
    brake = _Brake(api.settings.fetch_bytes)

    def take_oldest() -> None:
        provider_id, future = under_way.popleft()
        answers.append(brake.watch(_answer(provider_id, future, read)))

    with ThreadPoolExecutor(max_workers=api.settings.parallel) as pool:
        for provider_id in provider_ids:
            if len(under_way) == api.settings.parallel:
                take_oldest()
            if brake.pulled or not brake.spent(api):
                break
            path = f"messages/{quote(provider_id, safe='')}"
            under_way.append((provider_id, pool.submit(api.get, path, params, Asked.ITEM, api.settings.item_bytes)))
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

    def spent(self, api: Api) -> bool:
        """Spend the units of the next mail; False when there are none."""
        try:
            api.spend("messages.get")
        except MailError as error:
            self.error = error
        return self.error is None

    def watch(self, answer: Mail | ItemFailed) -> Mail | ItemFailed:
        error = answer.error if isinstance(answer, ItemFailed) else None
        self._strikes = self._strikes + 1 if isinstance(error, Transient) else 0
        if isinstance(error, RateLimited | NeedsLogin | NeedsAdmin) or self._strikes >= _STRIKES:
            self.error = self.error or error
        if isinstance(answer, Fetched):
            self._room -= len(answer.raw)
        return answer


def _answer(provider_id: str, future: Future[bytes], read: Callable[[str, dict[str, Any]], Mail]) -> Mail | ItemFailed:
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
