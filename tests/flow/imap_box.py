"""A mailbox at a real IMAP server, synced by the real engine."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.test import override_settings
from imapclient import IMAPClient

from flowcrm.mail.types import Security, ServerLogin
from flowcrm.mailboxes.connect import Owner, finish_imap
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.vaults import key_store, vault
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.vault.seal import open_text
from standins.imap.dovecot import PASSWORD, Dovecot
from standins.imap.proxy import ImapProxy
from tests.flow.acme import OLD, Box, Team

_USERS = itertools.count(1)


class Hand:
    """The owner at his server, with another program than ours. Mails are named by their subjects."""

    def __init__(self, server: Dovecot) -> None:
        self.user = f"flow{next(_USERS)}-{uuid4().hex[:6]}"
        self._line = IMAPClient("127.0.0.1", server.port, ssl=False, timeout=10)
        self._line.login(self.user, PASSWORD)

    def deliver(self, raw: bytes, folder: str = "INBOX", at: datetime = OLD, *, unread: bool = True) -> None:
        self._line.append(folder, raw, () if unread else (rb"\Seen",), at)

    def make(self, folder: str) -> None:
        self._line.create_folder(folder)

    def rename(self, folder: str, name: str) -> None:
        self._line.rename_folder(folder, name)

    def move(self, subject: str, folder: str, to: str) -> None:
        self._line.move(self._uids(subject, folder), to)

    def read(self, subject: str, folder: str = "INBOX") -> None:
        self._line.add_flags(self._uids(subject, folder), [rb"\Seen"])

    def delete(self, subject: str, folder: str = "INBOX") -> None:
        uids = self._uids(subject, folder)
        self._line.delete_messages(uids)
        self._line.uid_expunge(uids)

    def figures(self) -> list[tuple[str, object]]:
        """Every folder with all that could tell that somebody wrote into it."""
        what = ["UIDVALIDITY", "UIDNEXT", "MESSAGES", "UNSEEN", "RECENT", "HIGHESTMODSEQ"]
        return [(name, self._line.folder_status(name, what)) for _, _, name in self._line.list_folders()]

    def leave(self) -> None:
        self._line.logout()

    def _uids(self, subject: str, folder: str) -> list[int]:
        self._line.select_folder(folder)
        found: list[int] = self._line.search(["SUBJECT", subject])
        assert found, (subject, folder)
        return found


@dataclass(frozen=True)
class ImapBox(Box):
    """hand: its owner's; proxy: what we are seen through."""

    hand: Hand
    proxy: ImapProxy

    def subjects(self) -> set[str]:
        """Of the emails kept of it and not in the bin."""
        return {subject for subject, gone, binned in self._copies() if not binned}

    def gone(self) -> set[str]:
        return {subject for subject, gone, _ in self._copies() if gone}

    def binned(self) -> set[str]:
        return {subject for subject, _, binned in self._copies() if binned}

    def unread_subjects(self) -> set[str]:
        keys = vault(self.team.workspace_id)
        with workspace_scope(self.team.workspace_id):
            found = rows("SELECT id, s_head FROM copy WHERE mailbox_id = %s AND unread", [self.mailbox_id])
        return {_subject(open_text(keys, "head", copy_id, bytes(head))) for copy_id, head in found}

    def lies_in(self, subject: str) -> set[str]:
        """Names of the folders."""
        keys = vault(self.team.workspace_id)
        with workspace_scope(self.team.workspace_id):
            found = rows(
                """SELECT c.id, c.s_head, o.id, o.s_name FROM copy c
                   JOIN copy_folder f ON f.workspace_id = c.workspace_id AND f.copy_id = c.id
                   JOIN folder o ON o.workspace_id = c.workspace_id AND o.mailbox_id = c.mailbox_id
                                AND o.provider_id = f.provider_id
                   WHERE c.mailbox_id = %s""",
                [self.mailbox_id],
            )
        return {
            keys.open("folder", folder_id, bytes(name)).decode()
            for copy_id, head, folder_id, name in found
            if _subject(open_text(keys, "head", copy_id, bytes(head))) == subject
        }

    def _copies(self) -> list[tuple[str, bool, bool]]:
        keys = vault(self.team.workspace_id)
        with workspace_scope(self.team.workspace_id):
            found = rows(
                "SELECT id, s_head, gone_at IS NOT NULL, binned_at IS NOT NULL FROM copy WHERE mailbox_id = %s",
                [self.mailbox_id],
            )
        return [
            (_subject(open_text(keys, "head", copy_id, bytes(head))), gone, binned) for copy_id, head, gone, binned in found
        ]

    def folder(self, name: str) -> str:
        """The provider's id of a folder."""
        keys = vault(self.team.workspace_id)
        with workspace_scope(self.team.workspace_id):
            found = rows("SELECT id, provider_id, s_name FROM folder WHERE mailbox_id = %s", [self.mailbox_id])
        return next(one for folder_id, one, sealed in found if keys.open("folder", folder_id, bytes(sealed)).decode() == name)


def _subject(head: bytes | str) -> str:
    return str(json.loads(head)["subject"])


def login(box_user: str, port: int, password: str = PASSWORD) -> ServerLogin:
    return ServerLogin("127.0.0.1", port, Security.NONE, box_user, password)


@contextmanager
def imap_box(
    server: Dovecot, selection: str = "all", folders: tuple[str, ...] = (), *, plain: bool = False
) -> Iterator[ImapBox]:
    """A new member of a new team connects a new mailbox and chooses what comes in."""
    with override_settings(ALLOW_LOOPBACK_PROVIDERS=True), ImapProxy(server.port, plain=plain) as proxy:
        key_store().create_instance()
        team, hand = Team(None), Hand(server)  # type: ignore[arg-type]
        for one in folders:
            hand.make(one)
        address = f"{hand.user}@acme.example"
        person = do_make_person(email=address, name="Anna", password=uuid4().hex)
        with workspace_scope(team.workspace_id):
            member_id = do_add_member(
                workspace_id=team.workspace_id, person_id=person.id, role="user", name="Anna", time_zone="UTC"
            )
        owner = Owner(team.workspace_id, member_id, None)
        mailbox_id = finish_imap(owner, address, ("sales@acme.example",), login(hand.user, proxy.port))
        box = ImapBox(team, member_id, mailbox_id, address, hand, proxy)
        if selection:
            box.choose(selection, labels=[box.folder(one) for one in folders])
        yield box
        assert proxy.writes() == []
        hand.leave()
