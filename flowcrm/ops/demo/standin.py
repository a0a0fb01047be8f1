"""The demo's Google: a process of its own, filled with the world's mail, and given new mail as time passes."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from flowcrm.lib import clock
from flowcrm.mail.types import FolderRole
from flowcrm.ops.demo.mails import Mail
from flowcrm.ops.demo.world import World
from flowcrm.ops.errors import Refused
from standins.google.client import Delivery, RemoteStandin, Standin

# Gmail's labels for a place; an archived mail has none.
_PLACES: dict[FolderRole, tuple[str, ...]] = {
    FolderRole.INBOX: ("INBOX",),
    FolderRole.SENT: ("SENT",),
    FolderRole.DRAFTS: ("DRAFT",),
    FolderRole.SPAM: ("SPAM",),
    FolderRole.TRASH: ("TRASH",),
    FolderRole.ARCHIVE: (),
}
# What Gmail gives a user in a minute would make the demo's import last seven minutes.
QUOTA = 600_000
_AT_ONCE = 200


def start(port: int, environment: dict[str, str], log: Path) -> tuple["subprocess.Popen[str]", RemoteStandin]:
    """Start the stand-in; it ends with this process. port: 0 takes a free one."""
    running = subprocess.Popen(
        [sys.executable, "-m", "standins.google", f"--port={port}", f"--quota={QUOTA}"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=log.open("a"),
        text=True,
    )
    first = running.stdout.readline() if running.stdout else ""
    found = re.search(r"http://\S+", first)
    if found is None:
        running.kill()
        raise Refused(f"The stand-in for Google does not start (port {port}); its words are in {log}.")
    return running, RemoteStandin(found[0])


class Postman:
    """Brings the world's mail into the stand-in's mailboxes, and afterwards what arrives."""

    def __init__(self, google: Standin, world: World) -> None:
        self._google = google
        self._labels: dict[str, dict[str, str]] = {}
        self._coming: Iterator[Mail] = world.arrivals(clock.now())
        self._next = next(self._coming)
        for user in world.users:
            google.create_account(user.address, user.name, user.aliases)
            names = sorted({name for mail in world.mails if mail.mailbox == user.address for name in mail.labels})
            self._labels[user.address] = {name: google.create_label(user.address, name) for name in names}

    def fill(self, world: World) -> None:
        """Everything that is there at the world's moment, oldest first, as it would have arrived."""
        for user in world.users:
            mails = [mail for mail in world.mails if mail.mailbox == user.address]
            for start_at in range(0, len(mails), _AT_ONCE):
                page = mails[start_at : start_at + _AT_ONCE]
                self._google.deliver_many(user.address, [self._delivery(mail) for mail in page])

    def bring_due(self) -> None:
        """Deliver what has arrived by now."""
        while self._next.at <= clock.now():
            self._google.deliver_many(self._next.mailbox, [self._delivery(self._next)])
            self._next = next(self._coming)

    def _delivery(self, mail: Mail) -> Delivery:
        labels = [*_PLACES[mail.place], *(["UNREAD"] if mail.unread else [])]
        known = self._labels[mail.mailbox]
        for name in mail.labels:
            if name not in known:
                known[name] = self._google.create_label(mail.mailbox, name)
            labels.append(known[name])
        return Delivery(mail.raw, tuple(labels), _milliseconds(mail.at))


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
