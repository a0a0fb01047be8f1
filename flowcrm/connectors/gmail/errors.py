"""What Gmail's refusals mean. `_ROWS` is the whole table: the first row that fits decides.

Source: developers.google.com/workspace/gmail/api/guides/handle-errors, google.rpc.ErrorInfo, and threads where the page is
silent (429 inside a batch for too many at once; "Queries per minute" as 403; 404 for a history id that is too old).
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Flag, auto
from typing import Any
from zoneinfo import ZoneInfo

from flowcrm.lib import clock
from flowcrm.lib.http import Answer, retry_after
from flowcrm.mail.errors import (
    CursorLost,
    Gone,
    MailError,
    NeedsAdmin,
    NeedsLogin,
    Permanent,
    PermissionMissing,
    RateLimited,
    Transient,
)


class Asked(Flag):
    """What the request was for: the same status means different things."""

    MAILBOX = auto()
    ITEM = auto()
    LABEL = auto()
    PAGE = auto()
    HISTORY = auto()
    HISTORY_PAGE = auto()


class PageLost(Transient):
    """A page token that Gmail does not know any more: start this listing's part, or this history walk, again."""


class LabelLost(Permanent):
    """A label to list that was deleted: it holds nothing any more."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Gmail's error answer, read as far as it can be.

    words: every reason that it gives and its message, in lower case. scope: the permission that was asked for.
    gmails: it is Gmail's own error object, and not the page of a proxy or a portal.
    """

    status: int
    gmails: bool
    code: str
    message: str
    words: str
    retry_at: datetime | None
    scope: str


@dataclass(frozen=True, slots=True)
class _Row:
    status: int | range
    words: tuple[str, ...]
    asked: Asked
    make: Callable[[str, Refusal], MailError]
    sentence: str
    only_others: bool = False

    def fits(self, refusal: Refusal, asked: Asked) -> bool:
        status = refusal.status in self.status if isinstance(self.status, range) else refusal.status == self.status
        if not status or asked not in self.asked or (self.only_others and refusal.gmails):
            return False
        return not self.words or any(word in refusal.words for word in self.words)


def gmail_error(answer: Answer, asked: Asked, scope: str) -> MailError:
    """The member of the mail tree for an answer that is not 2xx. scope: the permission that the mailbox was connected with."""
    refusal = _read(answer, scope)
    row = next(row for row in _ROWS if row.fits(refusal, asked))
    return row.make(f"{row.sentence} Gmail says: {refusal.message}" if refusal.message else row.sentence, refusal)


def unreadable(code: str = "unreadable") -> Transient:
    """For a 2xx answer that is not what Gmail sends: a proxy's page, or half an answer."""
    return Transient("Gmail gave an unreadable answer.", code=code)


# -- the table -------------------------------------------------------------------------------------------------------------


def _plain(kind: type[MailError]) -> Callable[[str, Refusal], MailError]:
    return lambda text, refusal: kind(text, code=refusal.code)


def _throttled(text: str, refusal: Refusal) -> MailError:
    return RateLimited(text, code=refusal.code, retry_at=refusal.retry_at)


def _spent(text: str, refusal: Refusal) -> MailError:
    return RateLimited(text, code=refusal.code, retry_at=refusal.retry_at or _pacific_midnight())


def _permission(text: str, refusal: Refusal) -> MailError:
    return PermissionMissing(text, code=refusal.code, scope=refusal.scope)


_ANY = Asked.MAILBOX | Asked.ITEM | Asked.LABEL | Asked.PAGE | Asked.HISTORY | Asked.HISTORY_PAGE
_SERVER = range(500, 600)
_EVERY = range(1000)

_DAILY = ("dailylimitexceeded",)
_RATE = ("ratelimitexceeded", "rate_limit_exceeded", "quotaexceeded", "per minute", "quota exceeded", "too many concurrent")
_API_OFF = ("accessnotconfigured", "service_disabled")
_POLICY = ("domainpolicy", "domain_policy")
_SCOPE = ("insufficientpermissions", "access_token_scope_insufficient", "insufficient authentication scopes", "metadata scope")
_NO_SERVICE = ("failedprecondition", "failed_precondition", "mail service not enabled")

_ROWS: tuple[_Row, ...] = (
    _Row(_EVERY, _DAILY, _ANY, _spent, "The day's allowance of this installation's Google project is used up."),
    _Row(429, (), _ANY, _throttled, "Gmail asks for patience."),
    _Row(403, _RATE, _ANY, _throttled, "Gmail asks for patience."),
    # Whatever such a page says, it is no word of Gmail's about a mail, a place or a permission.
    _Row(range(400, 500), (), _ANY, _plain(Transient), "Something between here and Gmail answered instead.", only_others=True),
    # Of the access token only, which can end before its hour: whether the grant is dead too, its renewal tells (oauth.refresh).
    _Row(401, (), _ANY, _plain(NeedsLogin), "Gmail does not accept the sign-in any more."),
    _Row(403, _API_OFF, _ANY, _plain(NeedsAdmin), "The Gmail API is switched off in the Google project."),
    _Row(403, _POLICY, _ANY, _plain(NeedsAdmin), "The organisation's Google administrator does not allow this app."),
    _Row(403, _SCOPE, _ANY, _permission, "A permission is missing."),
    _Row(400, _NO_SERVICE, _ANY & ~Asked.ITEM, _plain(NeedsAdmin), "This Google account has no Gmail."),
    _Row(404, (), Asked.HISTORY | Asked.HISTORY_PAGE, _plain(CursorLost), "Gmail has forgotten what changed since then."),
    _Row(400, (), Asked.PAGE | Asked.HISTORY_PAGE, _plain(PageLost), "Gmail has forgotten the page."),
    _Row(404, (), Asked.PAGE, _plain(PageLost), "Gmail has forgotten the page, or the label of its listing."),
    _Row(400, (), Asked.HISTORY, _plain(CursorLost), "Gmail does not know the place from which to go on."),
    _Row(400, ("label",), Asked.LABEL, _plain(LabelLost), "Gmail does not know the label."),
    _Row(404, (), Asked.LABEL, _plain(LabelLost), "Gmail does not know the label."),
    _Row(404, (), Asked.ITEM, _plain(Gone), "The email is no longer there."),
    _Row(410, (), Asked.ITEM, _plain(Gone), "The email is no longer there."),
    _Row(_SERVER, (), _ANY, _plain(Transient), "Gmail has a problem of its own."),
    _Row(408, (), _ANY, _plain(Transient), "Gmail waited too long for the request."),
    # A proxy or a captive portal in between, not Gmail.
    _Row(range(300, 400), (), _ANY, _plain(Transient), "Something between here and Gmail answered instead."),
    _Row(_EVERY, (), Asked.ITEM, _plain(Permanent), "Gmail refuses to give this email."),
    # Never NeedsLogin for a refusal that nobody explained: signing in again would not help, and would cost hours.
    _Row(403, (), _ANY, _plain(NeedsAdmin), "Gmail forbids it for a reason that FlowCRM does not know."),
    _Row(_EVERY, (), _ANY, _plain(Transient), "Gmail refuses for a reason that FlowCRM does not know."),
)


# -- reading the answer ------------------------------------------------------------------------------------------------------

_SAYS_WHEN = re.compile(r"retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)", re.IGNORECASE)
_ADDRESS = re.compile(r"\S+@\S+")
_MESSAGE_LENGTH = 200


def _read(answer: Answer, scope: str) -> Refusal:
    error = _error_object(answer.body)
    message = str(error.get("message") or "")
    details = _objects(error.get("details"))
    named = [str(entry["reason"]) for entry in _objects(error.get("errors")) + details if "reason" in entry]
    if error.get("status"):
        named.append(str(error["status"]))
    return Refusal(
        status=answer.status,
        gmails=bool(error),
        code=named[0] if named else str(answer.status),
        # An address in Gmail's own sentence ("Delegation denied for …") must not reach the logs.
        message=_ADDRESS.sub("(address)", message)[:_MESSAGE_LENGTH],
        words=" ".join([*named, message]).lower(),
        retry_at=retry_after(answer.headers) or _retry_info(details) or _retry_in_words(message),
        scope=scope,
    )


def _error_object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    error = content.get("error") if isinstance(content, dict) else None
    return error if isinstance(error, dict) else {}


def _objects(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _retry_info(details: list[dict[str, Any]]) -> datetime | None:
    """google.rpc.RetryInfo: a duration such as "12.5s"."""
    for entry in details:
        match = re.fullmatch(r"(\d{1,7}(?:\.\d+)?)s", str(entry.get("retryDelay", "")))
        if match:
            return clock.now() + timedelta(seconds=float(match[1]))
    return None


def _retry_in_words(message: str) -> datetime | None:
    """Gmail's per-user limit says it in the sentence: "User-rate limit exceeded.  Retry after 2026-03-27T18:02:32.323Z"."""
    match = _SAYS_WHEN.search(message)
    try:
        return datetime.fromisoformat(match[1]).astimezone(UTC) if match else None
    except ValueError:
        return None


def _pacific_midnight() -> datetime:
    """When Google's daily allowances begin anew."""
    pacific = ZoneInfo("America/Los_Angeles")
    tomorrow = clock.now().astimezone(pacific).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=pacific).astimezone(UTC)
