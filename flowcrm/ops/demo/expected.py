"""What must come in of a stand-in's mailbox, by a second opinion: their bytes, read by Python's email package."""

import base64
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.utils import getaddresses
from typing import Any

from flowcrm.ops.demo.people import Cast
from standins.google.client import Standin

# For whole threads. The demo has it in this spelling.
_KEPT_OUT = "No-CRM"
_LEFT_OUT = frozenset({"DRAFT", "SPAM", "TRASH"})
_PEOPLE = ("from", "to", "cc", "bcc", "reply-to")


@dataclass(frozen=True, slots=True)
class Expected:
    """at_provider: all mails, drafts and spam included. kept: those that must come in; why_not: the others, with the reason."""

    at_provider: frozenset[str]
    kept: frozenset[str]
    why_not: dict[str, str]

    def skipped(self, kept: frozenset[str]) -> dict[str, int]:
        """How many of the mails that are not here should not be, by reason."""
        return dict(sorted(Counter(reason for mail_id, reason in self.why_not.items() if mail_id not in kept).items()))


def expect(google: Standin, address: str, selection: str, since: datetime, cast: Cast) -> Expected:
    """The answer for one mailbox. selection: "all" or "contacts"."""
    contacts = frozenset(one.lower() for contact in cast.contacts for one in contact.addresses)
    wanted = contacts if selection == "contacts" else None
    shown = google.snapshot(address)
    out = {label["id"] for label in shown["labels"] if label["name"] == _KEPT_OUT}
    threads = {mail["threadId"] for mail in shown["mails"] if out & set(mail["labels"])}
    reasons = dict(_reasons(google, address, shown["mails"], since, wanted))
    reasons |= {str(mail["id"]): "excluded" for mail in shown["mails"] if mail["threadId"] in threads}
    return Expected(
        at_provider=frozenset(reasons),
        kept=frozenset(mail_id for mail_id, reason in reasons.items() if not reason),
        why_not={mail_id: reason for mail_id, reason in reasons.items() if reason},
    )


def _reasons(
    google: Standin, address: str, mails: list[dict[str, Any]], since: datetime, wanted: frozenset[str] | None
) -> Iterator[tuple[str, str]]:
    """Each mail's id, and why it must not come in: "" where it must. not_asked_for: no search of ours finds it."""
    for mail in mails:
        mail_id = str(mail["id"])
        if not _LEFT_OUT.isdisjoint(mail["labels"]):
            yield mail_id, "draft_spam_trash"
        elif int(mail["internalDate"]) < since.timestamp() * 1000:
            yield mail_id, "before_since"
        elif wanted is not None and wanted.isdisjoint(_addresses(google, address, mail_id)):
            yield mail_id, "not_asked_for"
        else:
            yield mail_id, ""


def _addresses(google: Standin, address: str, mail_id: str) -> set[str]:
    raw = base64.urlsafe_b64decode(google.control("raw", account=address, id=mail_id)["raw"])
    headers = message_from_bytes(raw)
    values = [str(value) for name in _PEOPLE for value in headers.get_all(name, [])]
    return {one.lower() for _, one in getaddresses(values)}
