"""A mail as the Message of the Gmail API, in each of its four formats.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages
"""

import base64
import secrets
from collections.abc import Collection
from email.message import Message

from standins.google.errors import ApiError, bad_value
from standins.mailbox import Mail
from standins.rfc822 import header_fields, parse, part_bytes, readable
from standins.web import Json

FORMATS = ("minimal", "full", "raw", "metadata")
# Content of a part beyond this is left out and fetched by its attachment id.
_INLINE_BYTES = 256 * 1024


def message(mail: Mail, wanted: str, headers: Collection[str] = ()) -> Json:
    """`wanted`: one of FORMATS. headers: of "metadata" only; empty means all."""
    answer: Json = {
        "id": mail.id,
        "threadId": mail.thread_id,
        "labelIds": sorted(mail.labels),
        "snippet": mail.head.snippet,
        "sizeEstimate": len(mail.raw),
        "historyId": str(mail.history_id),
        "internalDate": str(mail.at_ms),
    }
    if not mail.labels:
        del answer["labelIds"]
    if wanted == "raw":
        answer["raw"] = to_base64(mail.raw)
    if wanted == "full":
        answer["payload"] = _part(parse(mail.raw), "", list(header_fields(mail.raw)))
    if wanted == "metadata":
        answer["payload"] = _head(mail, headers)
    return answer


def reference(mail: Mail) -> Json:
    """Who a mail is, and no more: what lists and writing calls answer."""
    return {"id": mail.id, "threadId": mail.thread_id}


def labelled(mail: Mail) -> Json:
    """A mail with its labels: what changes and the history answer."""
    answer: Json = reference(mail)
    if mail.labels:
        answer["labelIds"] = sorted(mail.labels)
    return answer


def check_format(given: str, allowed: Collection[str] = FORMATS) -> str:
    wanted = (given or "full").lower()
    if wanted not in allowed:
        raise bad_value("format", "type.googleapis.com/gmail.v1.Format", given)
    return wanted


def attachment(mail: Mail, attachment_id: str) -> Json:
    """The content of one part. Raises the ApiError of an id that names none."""
    part_id = _part_of(attachment_id)
    part = parse(mail.raw)
    for number in part_id.split(".") if part_id else ():
        children = part.get_payload()
        if not isinstance(children, list) or not number.isdigit() or int(number) >= len(children):
            raise ApiError(400, "invalidArgument", "Invalid attachment token")
        child = children[int(number)]
        assert isinstance(child, Message)
        part = child
    data = _content(part)
    return {"size": len(data), "data": to_base64(data)}


def to_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """URL-safe base64, with or without padding; the plain alphabet too, as Google takes it. Raises ValueError."""
    text = text.strip().replace("+", "-").replace("/", "_").rstrip("=")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _head(mail: Mail, headers: Collection[str]) -> Json:
    wanted = {name.lower() for name in headers}
    fields = [(name, value) for name, value in header_fields(mail.raw) if not wanted or name.lower() in wanted]
    payload: Json = {"mimeType": _content_type(mail)}
    if fields:
        payload["headers"] = _headers(fields)
    return payload


def _content_type(mail: Mail) -> str:
    for name, value in header_fields(mail.raw):
        if name.lower() == "content-type":
            return value.split(";")[0].strip().lower() or "text/plain"
    return "text/plain"


def _headers(fields: list[tuple[str, str]]) -> list[Json]:
    # Gmail hands header values out unfolded and decoded.
    return [{"name": name, "value": readable(value)} for name, value in fields]


def _part(part: Message, part_id: str, fields: list[tuple[str, str]]) -> Json:
    answer: Json = {
        "partId": part_id,
        "mimeType": part.get_content_type(),
        "filename": readable(part.get_filename() or ""),
        "headers": _headers(fields),
    }
    if part.is_multipart():
        answer["body"] = {"size": 0}
        answer["parts"] = [
            _part(
                child, f"{part_id}.{number}" if part_id else str(number), [(name, str(value)) for name, value in child.items()]
            )
            for number, child in enumerate(part.get_payload())
            if isinstance(child, Message)
        ]
        if answer["filename"]:
            answer["body"] = {"attachmentId": _attachment_id(part_id), "size": len(_content(part))}
        return answer
    data = part_bytes(part)
    answer["body"] = {"size": len(data)}
    if answer["filename"] or len(data) > _INLINE_BYTES:
        answer["body"]["attachmentId"] = _attachment_id(part_id)
    elif data:
        answer["body"]["data"] = to_base64(data)
    return answer


def _content(part: Message) -> bytes:
    """A part's content; of an attached mail, the mail itself."""
    if part.is_multipart():
        return b"".join(child.as_bytes() for child in part.get_payload() if isinstance(child, Message))
    return part_bytes(part)


def _attachment_id(part_id: str) -> str:
    # Gmail's are long, and new on every answer: nobody may keep one as an identity.
    return f"ANGjdJ{to_base64(f'{part_id}|{secrets.token_urlsafe(48)}'.encode())}"


def _part_of(attachment_id: str) -> str:
    try:
        return from_base64(attachment_id.removeprefix("ANGjdJ")).decode().split("|")[0]
    except ValueError:
        raise ApiError(400, "invalidArgument", "Invalid attachment token") from None
