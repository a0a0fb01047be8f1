"""What each kind of fault does to a Gmail call."""

import random
from contextlib import suppress
from dataclasses import replace

from standins.faults import Fault, FaultKind
from standins.google.errors import ApiError
from standins.google.gmail.call import token_for
from standins.mailbox import Mailbox, UnknownMail
from standins.web import Answer, Json, Request

PAGE_KINDS = frozenset({FaultKind.DUPLICATE_PAGE, FaultKind.OUT_OF_ORDER, FaultKind.EMPTY_PAGE, FaultKind.VANISH})
_LISTS = ("messages", "threads", "history", "drafts", "labels")
REFUSING = (FaultKind.STATUS, FaultKind.TIMEOUT, FaultKind.DROP)


def before(fault: Fault, mailbox: Mailbox, variables: dict[str, str]) -> None:
    """Refuse the call where the fault says so; make its mail vanish. Raises the ApiError of a refusal."""
    if fault.kind in REFUSING and not fault.applied:
        raise refusal(fault)
    if fault.kind is FaultKind.VANISH and "id" in variables:
        _delete(mailbox, variables["id"])


def refusal(fault: Fault) -> ApiError:
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    return ApiError(fault.status, fault.reason, fault.message, headers=headers)


def after(fault: Fault, answer: Answer) -> Answer:
    """The answer as the fault lets it through."""
    match fault.kind:
        case FaultKind.STATUS if fault.applied:
            return refusal(fault).answer()
        case FaultKind.TIMEOUT:
            return replace(answer, late=fault.seconds, drop=True)
        case FaultKind.DROP:
            return replace(answer, drop=True)
        case FaultKind.CUT:
            return replace(answer, cut=True)
        case FaultKind.SLOW:
            return replace(answer, late=fault.seconds)
        case FaultKind.WRONG_JSON:
            return replace(answer, status=200, body=answer.body[: len(answer.body) // 2] + b"<!DOCTYPE html>")
        case _:
            return answer


def page(fault: Fault, result: Json, request: Request, mailbox: Mailbox) -> Json:
    """A list answer with the fault in it."""
    name = next((name for name in _LISTS if name in result), "")
    if not name:
        return result
    if fault.kind is FaultKind.VANISH:
        _delete(mailbox, _mail_id(result[name][-1]))
        return result
    if fault.kind is FaultKind.OUT_OF_ORDER:
        items = list(result[name])
        random.Random(fault.seed).shuffle(items)
        return {**result, name: items}
    return _repeat(result, name, request, keep_items=fault.kind is FaultKind.DUPLICATE_PAGE)


def _repeat(result: Json, name: str, request: Request, *, keep_items: bool) -> Json:
    """Lead back to the start of this page: after its items (a duplicate), or instead of them (an empty page)."""
    again = {key: value for key, value in result.items() if keep_items or key != name}
    first_page = request.first("startHistoryId") if name == "history" else token_for((1 << 50, 0))
    again["nextPageToken"] = request.first("pageToken") or first_page
    return again


def _mail_id(item: Json) -> str:
    return str(item["messages"][0]["id"] if "messages" in item else item["id"])


def _delete(mailbox: Mailbox, mail_id: str) -> None:
    with suppress(UnknownMail):
        mailbox.delete(mail_id)
