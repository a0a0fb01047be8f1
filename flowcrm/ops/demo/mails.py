"""From an email to what lies in mailboxes: bytes, place, labels, read or not, for each user who has it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime

from flowcrm.mail.types import FolderRole
from flowcrm.ops.demo import wire
from flowcrm.ops.demo.letters import File, Letter, Party
from flowcrm.ops.demo.people import Cast, User
from flowcrm.ops.demo.programs import PROGRAMS
from flowcrm.ops.demo.scripts import MACHINES, Manner, Script
from flowcrm.ops.demo.threads import Conversation, Said

_FRESH = timedelta(hours=30)
_SETTLED = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class Mail:
    """One email in one mailbox, as the provider holds it.

    mailbox: the address of the mailbox. raw: RFC 5322 bytes with CRLF. at: the provider's time, UTC.
    place: inbox, sent, drafts, spam, trash or archive. labels: names that the owner made, "/" between levels.
    thread: the same for the emails of one conversation, in all mailboxes; a provider has ids of its own per mailbox.
    """

    mailbox: str
    raw: bytes = field(repr=False)
    at: datetime
    place: FolderRole
    labels: tuple[str, ...]
    unread: bool
    thread: str


def deliver(cast: Cast, talk: Conversation, said: Said, now: datetime) -> Iterator[Mail]:
    """A mail for each of our mailboxes that has the email: the sender's without a trace of its way, the others' with one."""
    letter = said.letter
    core = content(letter)
    writer = cast.mailbox(letter.sender.address)
    parties = dict.fromkeys([letter.sender, *(talk.parties[role] for role in said.roles), *letter.bcc])
    for mailbox in dict.fromkeys(cast.mailbox(party.address) for party in parties):
        if mailbox is None:
            continue
        rng = random.Random(f"{letter.message_id}/{mailbox}")
        sent = mailbox == writer
        late = timedelta(0) if sent else timedelta(seconds=rng.randint(1, 9))
        at = min(letter.at + late, max(now, letter.at))
        place = FolderRole.SENT if sent else _place(talk.script, now - at, rng)
        # What somebody has answered, somebody has read.
        unread = not sent and said is talk.last and _unread(talk.script, now - at, place, rng)
        head = _bcc(letter) if sent else _trace(letter, mailbox, at, rng)
        labels = _labels(cast, talk, mailbox) if said is talk.said[0] or _labelled_whole(talk, mailbox) else ()
        yield Mail(mailbox, wire.crlf(head + core), at, place, labels, unread, talk.key)


def draft(cast: Cast, talk: Conversation, letter: Letter) -> Mail:
    """An email that lies unfinished in its writer's mailbox."""
    mailbox = cast.mailbox(letter.sender.address)
    if mailbox is None:
        raise ValueError("only users have drafts")
    return Mail(mailbox, wire.crlf(content(letter)), letter.at, FolderRole.DRAFTS, (), False, talk.key)


def content(letter: Letter) -> bytes:
    """Header and body, the same for everybody who has the email."""
    charset = letter.sender.person.charset
    fields = [
        ("From", wire.mailbox(letter.sender.name, letter.sender.address, charset)),
        ("To", _people(letter.to, charset)),
        ("Cc", _people(letter.cc, charset)),
        ("Subject", wire.encoded(letter.subject, charset)),
        ("Date", format_datetime(letter.at.astimezone(letter.sender.zone))),
        ("Message-ID", f"<{letter.message_id}>"),
        ("In-Reply-To", f"<{letter.parent.message_id}>" if letter.parent else ""),
        ("References", " ".join(f"<{message_id}>" for message_id in letter.references)),
        *letter.headers,
        ("MIME-Version", "1.0"),
    ]
    head = "".join(wire.field(name, value) for name, value in fields if value)
    return head.encode("ascii") + _body(letter, charset)


def _body(letter: Letter, charset: str) -> bytes:
    program = PROGRAMS[letter.sender.person.program]
    rng = random.Random(letter.message_id)
    if letter.manner is Manner.BOUNCE:
        return _report(letter, program.boundary(rng))
    parts = [wire.text_part("plain", letter.text, charset, program.encoding)]
    if letter.html:
        parts.append(_html(letter, charset, program.boundary(rng)))
    if letter.calendar:
        method = 'method="REQUEST"' if letter.manner is Manner.INVITE else 'method="REPLY"'
        parts.append(wire.text_part("calendar", letter.calendar, "utf-8", "base64", method))
    body = wire.multipart("alternative", program.boundary(rng), parts)
    files = [wire.file_part(file.name, file.type, file.content) for file in letter.files if not _shown(file, letter)]
    return wire.multipart("mixed", program.boundary(rng), [body, *files])


def _html(letter: Letter, charset: str, boundary: str) -> bytes:
    """The HTML, and with it the pictures that it shows; what plain text cannot show becomes an ordinary attachment."""
    program = PROGRAMS[letter.sender.person.program]
    page = wire.text_part("html", program.document(letter.html), charset, program.encoding)
    shown = [file for file in letter.files if _shown(file, letter)]
    return wire.multipart(
        "related", boundary, [page, *(wire.file_part(f.name, f.type, f.content, f.content_id) for f in shown)]
    )


def _shown(file: File, letter: Letter) -> bool:
    return bool(file.content_id) and f"cid:{file.content_id}" in letter.html


def _report(letter: Letter, boundary: str) -> bytes:
    """multipart/report (RFC 6522): what a person reads, what a machine reads (RFC 3464), the header of what failed."""
    failed = letter.parent
    if failed is None:
        raise ValueError("a bounce needs something that bounced")
    status = (
        "Reporting-MTA: dns; mx.acme.example\n\n"
        f"Final-Recipient: rfc822; {failed.to[0].address}\nAction: failed\nStatus: 5.1.2\n"
        f"Diagnostic-Code: smtp; 550 5.1.2 {failed.to[0].domain}: domain not found\n"
    )
    head = content(failed).partition(b"\n\n")[0] + b"\n"
    parts = [
        wire.text_part("plain", letter.text, "us-ascii", "7bit"),
        wire.part("message/delivery-status", "7bit", status.encode("ascii")),
        wire.part("text/rfc822-headers", "7bit", head),
    ]
    return wire.multipart('report; report-type="delivery-status"', boundary, parts)


def _people(parties: tuple[Party, ...], charset: str) -> str:
    return ", ".join(wire.mailbox(party.name, party.address, charset) for party in parties)


def _bcc(letter: Letter) -> bytes:
    return wire.field("Bcc", _people(letter.bcc, "utf-8")).encode("ascii") if letter.bcc else b""


def _trace(letter: Letter, mailbox: str, at: datetime, rng: random.Random) -> bytes:
    """What servers put on top on the way to one mailbox. Addresses of hosts from RFC 5737."""
    host = f"mail.{letter.sender.domain}"
    origin = "" if letter.manner is Manner.BOUNCE else letter.sender.address
    hop = f"from {host} ({host} [203.0.113.{rng.randint(2, 250)}]) by mx.acme.example"
    received = f"{hop} with ESMTPS id {rng.getrandbits(44):011x} for <{mailbox}>; {format_datetime(at)}"
    spf = "pass" if origin else "none"
    fields = (
        ("Delivered-To", mailbox),
        ("Return-Path", f"<{origin}>"),
        ("Received", received),
        ("Authentication-Results", f"mx.acme.example; spf={spf} smtp.mailfrom={origin or '<>'}"),
    )
    return "".join(wire.field(*item) for item in fields).encode("ascii")


def _place(script: Script, age: timedelta, rng: random.Random) -> FolderRole:
    if "spam" in script.audience:
        return FolderRole.SPAM
    machine = not MACHINES.isdisjoint(script.audience)
    if rng.random() < (0.12 if machine else 0.01) and age > _FRESH:
        return FolderRole.TRASH
    return FolderRole.ARCHIVE if age > _SETTLED and rng.random() < 0.65 else FolderRole.INBOX


def _unread(script: Script, age: timedelta, place: FolderRole, rng: random.Random) -> bool:
    if place is FolderRole.SPAM:
        return True
    if not MACHINES.isdisjoint(script.audience):
        return rng.random() < 0.3
    return place is FolderRole.INBOX and rng.random() < (0.6 if age < _FRESH else 0.01)


def _labels(cast: Cast, talk: Conversation, mailbox: str) -> tuple[str, ...]:
    """Each owner has habits: sales labels for the CRM, the colleague files by customer, the admin sorts invoices by year."""
    rng = random.Random(f"{talk.key}/{mailbox}/labels")
    owner = next(user for user in cast.users if user.address == mailbox)
    labels = list(talk.script.labels)
    if "Invoices" in labels and owner.key == "admin" and talk.said:
        labels.append(f"Invoices/{talk.said[0].letter.at.year}")
    if _with_contact(talk.script):
        labels += _habit(owner, talk, rng)
    return tuple(dict.fromkeys(labels))


def _habit(owner: User, talk: Conversation, rng: random.Random) -> list[str]:
    if owner.key == "sales" and rng.random() < 0.55:
        return ["CRM"]
    if owner.key == "colleague" and rng.random() < 0.6:
        company = talk.parties["them"].company
        return [f"Customers/{company.name}"] if company else []
    return []


def _with_contact(script: Script) -> bool:
    return not {"prospect", "customer", "supplier"}.isdisjoint(script.audience)


def _labelled_whole(talk: Conversation, mailbox: str) -> bool:
    """Some threads bear their label on the first email only, as when it was put on before the answers came."""
    return random.Random(f"{talk.key}/{mailbox}/whole").random() < 0.7
