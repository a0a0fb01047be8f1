"""Conversations at the stand-in, and what was asked for of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flowcrm.lib import clock
from standins.google.client import GoogleStandin
from tests.flow.acme import OLD, Box, letter


def thread(box: Box, count: int, labels: Sequence[Sequence[str]] = (), start: datetime = OLD, *, first: int = 0) -> list[str]:
    """A conversation of so many mails, an hour apart, each answering the one before; labels: of each.

    first: those before it are there already.
    """
    ids, before = [], f"<{box.mailbox_id}-{start.timestamp()}-{first - 1}@thread.example>" if first else ""
    for n in range(first, count):
        message_id = f"<{box.mailbox_id}-{start.timestamp()}-{n}@thread.example>"
        at = start + timedelta(hours=n)
        raw = letter(f"topic of {start}", answers=before, message_id=message_id, at=at, text=f"mail {n}\n")
        ids.append(box.deliver(raw, labels[n] if n < len(labels) else ["INBOX"], at))
        before = message_id
    return ids


def next_round(box: Box) -> None:
    clock.advance(301)
    box.rest()


def rename(standin: GoogleStandin, box: Box, label: str, name: str) -> None:
    """Call a label otherwise, and wait until that is known: folders are looked at every quarter of an hour."""
    standin.control("rename_label", account=box.address, label=label, name=name)
    clock.advance(1000)
    box.rest()


def fetched(standin: GoogleStandin, box: Box) -> set[str]:
    """Ids of mails whose body was asked for."""
    return {
        line.path.rpartition("/")[2]
        for line in standin.log()
        if line.account == box.address and line.operation == "gmail.messages.get" and line.variant == "raw"
    }
