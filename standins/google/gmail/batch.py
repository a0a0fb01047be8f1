"""POST /batch/gmail/v1: up to a hundred calls in one, each with a status of its own.

https://developers.google.com/workspace/gmail/api/guides/batch
"""

import secrets
from dataclasses import replace
from http.client import responses

from standins.google import multipart
from standins.google.errors import ApiError, invalid
from standins.google.gmail.api import GmailApi
from standins.google.quota import Quota
from standins.web import Answer, Request, make_request

MAX_CALLS = 100


def serve(request: Request, api: GmailApi, quota: Quota) -> Answer:
    try:
        parts = multipart.split(request.body, request.headers.get("content-type", ""))
        if len(parts) > MAX_CALLS:
            raise invalid(f"The batch request could not be processed. The number of calls exceeds the limit of {MAX_CALLS}.")
        if not parts:
            raise invalid("Failed to parse batch request, error: no valid parts.")
        calls = [_call(content, request) for _, content in parts]
    except ApiError as error:
        return error.answer()
    # Gmail starts all calls of a batch at once: those beyond the user's concurrency are refused, one by one.
    who = api.account_of(calls[0])
    fine = len(calls) - quota.enter(who, len(calls))
    answers = [api.call(call, in_batch=True, refuse=number >= fine) for number, call in enumerate(calls)]
    joined = _joined([headers.get("content-id", "") for headers, _ in parts], answers)
    return replace(joined, done=lambda: quota.leave(who, len(calls)))


def _call(content: bytes, outer: Request) -> Request:
    """A part as a request. The batch's own headers count for each call, unless it brings its own."""
    head, body = multipart.divide(content.lstrip(b"\r\n"))
    first, _, rest = head.partition(b"\n")
    words = first.decode("latin-1").split()
    if len(words) < 2:
        raise invalid("Failed to parse batch request, error: no valid request line.")
    inherited = {name: value for name, value in outer.headers.items() if not name.startswith("content-")}
    headers = {**inherited, **multipart.read_head(rest)}
    size = headers.get("content-length", "")
    return make_request(words[0].upper(), words[1], headers, body[: int(size)] if size.isdigit() else body.strip(b"\r\n"))


def _joined(ids: list[str], answers: list[Answer]) -> Answer:
    boundary = f"batch_{secrets.token_urlsafe(24)}"
    lines: list[bytes] = []
    for content_id, answer in zip(ids, answers, strict=True):
        lines.append(f"--{boundary}\r\nContent-Type: application/http\r\n".encode())
        if content_id:
            lines.append(f"Content-ID: {_reply_id(content_id)}\r\n".encode())
        lines.append(b"\r\n" + _http(answer) + b"\r\n")
    lines.append(f"--{boundary}--\r\n".encode())
    # A connection lives or dies as one: the worst that any part met happens to the whole answer.
    return Answer(
        200,
        b"".join(lines),
        f"multipart/mixed; boundary={boundary}",
        late=max(answer.late for answer in answers),
        cut=any(answer.cut for answer in answers),
        drop=any(answer.drop for answer in answers),
    )


def _reply_id(content_id: str) -> str:
    return f"<response-{content_id[1:]}" if content_id.startswith("<") else f"response-{content_id}"


def _http(answer: Answer) -> bytes:
    head = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Unknown')}"]
    if answer.body:
        head.append(f"Content-Type: {answer.content_type}")
    head += [f"{name}: {value}" for name, value in answer.headers]
    head.append(f"Content-Length: {len(answer.body)}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + answer.body
