"""messages.send, insert, import, and users.drafts: everything that brings a mail into a mailbox through the API."""

import secrets
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

from standins.google.errors import ApiError, invalid, not_found
from standins.google.gmail import messages, render
from standins.google.gmail.call import Call, take_page, wrong_estimate
from standins.google.world import now_ms
from standins.mailbox import Mail, UnknownMail
from standins.rfc822 import Head, base_subject, header_block, header_fields, readable
from standins.web import Json

_RECIPIENTS = ("to", "cc", "bcc")


def send(call: Call) -> Json:
    raw = _raw(call, call.body)
    return render.labelled(_deliver(call, raw, _thread(call, call.body, raw)))


def insert(call: Call) -> Json:
    return _put(call, by_date=call.text("internalDateSource") == "dateHeader")


def import_(call: Call) -> Json:
    """As if it had come by SMTP; a mail without labels lands in the archive."""
    return _put(call, by_date=call.text("internalDateSource") != "receivedTime")


def create_draft(call: Call) -> Json:
    body = _draft_message(call)
    raw = _raw(call, body)
    mail = call.mailbox.add(raw, {"DRAFT"}, now_ms(), _thread(call, body, raw))
    draft_id = f"r{secrets.randbits(60)}"
    call.account.drafts[draft_id] = mail.id
    return {"id": draft_id, "message": render.labelled(mail)}


def update_draft(call: Call) -> Json:
    """The draft's id stays, its mail is a new one: so does Gmail."""
    old = _draft(call, call.path["id"])
    body = _draft_message(call)
    raw = _raw(call, body)
    mail = call.mailbox.add(raw, {"DRAFT"}, now_ms(), _thread(call, body, raw) or old.thread_id)
    call.mailbox.delete(old.id)
    call.account.drafts[call.path["id"]] = mail.id
    return {"id": call.path["id"], "message": render.labelled(mail)}


def get_draft(call: Call) -> Json:
    mail = _draft(call, call.path["id"])
    return {"id": call.path["id"], "message": render.message(mail, messages.readable_format(call, render.FORMATS))}


def list_drafts(call: Call) -> Json:
    names = {mail_id: draft_id for draft_id, mail_id in call.account.drafts.items()}
    found = (mail for mail in messages.matching(call) if mail.id in names)
    page = take_page(
        ((mail.place, {"id": names[mail.id], "message": render.reference(mail)}) for mail in found), call.max_results()
    )
    answer: Json = {"resultSizeEstimate": wrong_estimate(len(page.items), page.next_token is not None)}
    if page.items:
        answer["drafts"] = page.items
    if page.next_token:
        answer["nextPageToken"] = page.next_token
    return answer


def send_draft(call: Call) -> Json:
    draft_id = str(call.body.get("id") or "")
    old = _draft(call, draft_id)
    body = call.body.get("message")
    raw = _raw(call, body) if isinstance(body, dict) and body.get("raw") else old.raw
    # Taken away before it is sent: of two that send it at once, one finds no draft.
    if call.account.drafts.pop(draft_id, None) is None:
        raise not_found()
    try:
        mail = _deliver(call, raw, old.thread_id)
    except ApiError:
        call.account.drafts[draft_id] = old.id
        raise
    call.mailbox.delete(old.id)
    return render.labelled(mail)


def delete_draft(call: Call) -> None:
    call.mailbox.delete(_draft(call, call.path["id"]).id)
    del call.account.drafts[call.path["id"]]


# -- inside ------------------------------------------------------------------------------------------------------------


def _draft_message(call: Call) -> Json:
    body = call.body.get("message")
    return body if isinstance(body, dict) else {}


def _draft(call: Call, draft_id: str) -> Mail:
    try:
        return call.mailbox.mail(call.account.drafts[draft_id])
    except (KeyError, UnknownMail):
        raise not_found() from None


def _raw(call: Call, body: Json) -> bytes:
    """The mail of a request: uploaded, or base64 in `raw`."""
    if call.media is not None:
        return call.media
    given: Any = body.get("raw")
    if not isinstance(given, str) or not given:
        raise invalid("'raw' RFC822 payload message string or uploading message via /upload/* URL required")
    try:
        return render.from_base64(given)
    except ValueError:
        raise ApiError(400, "invalid", "Invalid value at 'message.raw' (TYPE_BYTES), Base64 decoding failed") from None


def _thread(call: Call, body: Json, raw: bytes) -> str | None:
    """The asked thread, where the subject allows it: a mail with another subject starts a new one."""
    thread_id = body.get("threadId")
    if not thread_id:
        return None
    thread = call.mailbox.thread(str(thread_id))
    same = base_subject(Head(raw).subject) == base_subject(thread[0].head.subject)
    return str(thread_id) if same else None


def _put(call: Call, *, by_date: bool) -> Json:
    raw = _raw(call, call.body)
    if not any(name.lower() == "from" for name, _ in header_fields(raw)):
        raise invalid("From header required")
    labels = call.strings("labelIds")
    messages.check_labels(call, labels)
    at_ms = (_date_header(raw) if by_date else None) or now_ms()
    return render.labelled(call.mailbox.add(raw, labels, at_ms, _thread(call, call.body, raw)))


def _date_header(raw: bytes) -> int | None:
    for name, value in header_fields(raw):
        if name.lower() == "date":
            try:
                return int(parsedate_to_datetime(value).timestamp() * 1000)
            except (ValueError, TypeError, OverflowError):
                return None
    return None


def _deliver(call: Call, raw: bytes, thread_id: str | None) -> Mail:
    """Keep the sent copy and hand the mail to everyone here whom it names."""
    people = [
        address
        for name, value in header_fields(raw)
        if name.lower() in _RECIPIENTS
        for _, address in getaddresses([readable(value)])
    ]
    if not any(people):
        raise invalid("Recipient address required")
    raw = _with_message_id(raw)
    owners = {owner.address: owner for address in people if (owner := call.world.owner_of(address))}
    to_self = owners.pop(call.account.address, None)
    mail = call.mailbox.add(raw, {"SENT", "INBOX", "UNREAD"} if to_self else {"SENT"}, now_ms(), thread_id)
    received = _without_bcc(raw)
    for owner in owners.values():
        owner.mailbox.add(received, {"INBOX", "UNREAD"}, now_ms())
    return mail


def _with_message_id(raw: bytes) -> bytes:
    if Head(raw).message_id:
        return raw
    return f"Message-ID: <{secrets.token_hex(16)}@mail.gmail.com>\r\n".encode() + raw


def _without_bcc(raw: bytes) -> bytes:
    """The mail as its recipients get it. Continuation lines go with their header."""
    head = header_block(raw)
    kept: list[bytes] = []
    dropping = False
    for line in head.splitlines(keepends=True):
        if not line.startswith((b" ", b"\t")):
            dropping = line.lower().startswith(b"bcc:")
        if not dropping:
            kept.append(line)
    return b"".join(kept) + raw[len(head) :]
