"""The inside of one opened email: its text with quotes and signature folded, who it went to, its attachments."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from flowcrm.mail.addresses import domain_of
from flowcrm.mail.quoting import split
from flowcrm.mail.types import Role
from flowcrm.pages.emails import people
from flowcrm.pages.emails.lists import subject
from flowcrm.pages.emails.stream import safe_name
from flowcrm.pages.emails.text import LONGEST, linked
from flowcrm.pages.integrations.wording import wording
from flowcrm.store.access import Actor
from flowcrm.store.queries.mailboxes import Own, owners
from flowcrm.store.queries.senders import KnownAs, known_as
from flowcrm.store.queries.viewing import Viewing, viewed_by
from flowcrm.store.reveal import File, Head, Opened, reveal_message
from flowcrm.store.vaults import vault
from flowcrm.vault.errors import BlobMissing, BlobStoreUnavailable, SealBroken, VaultError

log = structlog.get_logger(__name__)

_HEADERS: Mapping[Role, str | Promise] = {
    Role.FROM: gettext_lazy("From"),
    Role.SENDER: gettext_lazy("Sender"),
    Role.REPLY_TO: gettext_lazy("Reply to"),
    Role.TO: gettext_lazy("To"),
    Role.CC: gettext_lazy("Cc"),
    Role.BCC: gettext_lazy("Bcc"),
}
# Clocks of senders are off by minutes, and mail takes some; more than that is worth telling.
_SAME_TIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Listed:
    """An attachment as it is listed. shown: its name, made harmless."""

    id: int
    shown: str
    size: int
    over_limit: bool


@dataclass(frozen=True, slots=True)
class Body:
    """What is inside the fold. trouble: why it cannot be shown; then the rest is empty.

    frame: the formatted text is shown, from its own address. own, rest: the plain text, and what of it is folded (quotes and
    signature). cut: it is too long for a page. holder: whose it is, if not the reader's. sender: whose address it came from;
    unknown: the address, if nobody's. viewers: who else has opened it, where it is the reader's own.
    explainable: its provider can be asked why it is here.
    keep_out: an address whose mail the reader may want out, and its domain.
    """

    trouble: str = ""
    opened: Opened | None = None
    subject: str = ""
    provider: str = ""
    mailbox: str = ""
    holder: str = ""
    gone: str = ""
    sent_at: datetime | None = None
    people: tuple[tuple[str, str], ...] = ()
    frame: bool = False
    own: SafeString | str = ""
    rest: SafeString | str = ""
    cut: bool = False
    files: tuple[Listed, ...] = ()
    sender: KnownAs | None = None
    unknown: str = ""
    viewers: tuple[Viewing, ...] = ()
    explainable: bool = False
    keep_out: tuple[str, ...] = ()


def body(looking: Actor, message_id: int, own: Own) -> Body:
    """Open one email for a page: one record. Raises NotFound; what keys or object store refuse becomes `trouble`."""
    try:
        opened = reveal_message(looking, message_id, "thread")
    except VaultError as error:
        log.error("not opened", error=type(error).__name__, message=message_id)
        return Body(trouble=trouble(error))
    place = own.places.get(opened.mailbox_id)
    text = split(opened.text[:LONGEST])
    known, unknown = _sender(looking, opened.head, own)
    return Body(
        opened=opened,
        subject=subject(opened.head),
        provider=str(wording(place.kind).who_has) if place else "",
        mailbox=place.address if place else "",
        holder="" if opened.own else owners(looking.workspace_id, [opened.mailbox_id]).get(opened.mailbox_id, ""),
        gone=_day(opened.gone_at) if opened.gone_at and opened.own else "",
        sent_at=_as_written(opened),
        people=_people(opened.head),
        frame=opened.html is not None,
        own=linked(text.own),
        rest=linked("\n\n".join(part for part in (text.signature, text.quoted) if part)),
        cut=len(opened.text) > LONGEST,
        files=_files(opened.files),
        sender=known,
        unknown=unknown,
        explainable=opened.own and place is not None and place.kind != "archive",
        keep_out=_keep_out(opened.head, own) if opened.own else (),
        viewers=viewed_by(looking, message_id) if opened.own else (),
    )


def trouble(error: VaultError) -> str:
    """What a reader is told when an email cannot be opened."""
    if isinstance(error, BlobStoreUnavailable):
        return _("The store for large emails cannot be reached right now. Nothing is lost; try again in a minute.")
    if isinstance(error, BlobMissing | SealBroken):
        return _("This email's stored content is missing or damaged. Tell your admin; the other emails are not affected.")
    return _("The key store cannot be reached right now, so emails stay sealed. Nothing is lost; try again in a minute.")


def _people(head: Head) -> tuple[tuple[str, str], ...]:
    return tuple((str(label), people.with_address(head.of(role))) for role, label in _HEADERS.items() if head.of(role))


def _sender(looking: Actor, head: Head, own: Own) -> tuple[KnownAs | None, str]:
    writers = head.of(Role.FROM)
    address = writers[0].email if writers else ""
    if not address or address in own.addresses:
        return None, ""
    known = known_as(vault(looking.workspace_id), address)
    return known, "" if known else address


def _keep_out(head: Head, own: Own) -> tuple[str, ...]:
    """The other side: who wrote it, or the first whom the reader wrote to."""
    people = [one.email for role in (Role.FROM, Role.TO, Role.CC, Role.BCC) for one in head.of(role)]
    address = next((one for one in people if one and one not in own.addresses), "")
    return (address, domain_of(address)) if address else ()


def _files(files: tuple[File, ...]) -> tuple[Listed, ...]:
    # What is shown inside the formatted text need not be listed again.
    return tuple(Listed(one.id, safe_name(one.name), one.size, one.over_limit) for one in files if not one.inline)


def _as_written(opened: Opened) -> datetime | None:
    written = opened.head.date
    return written if written is not None and abs(written - opened.at) > _SAME_TIME else None


def _day(at: datetime) -> str:
    return date_format(timezone.localtime(at), _("j M Y"))
