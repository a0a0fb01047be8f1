"""What was taken out is nowhere any more: not readable, and not sealed either. By No-CRM that was put on later, by hand, by an
exclusion list, by deleting it at the provider.

Nothing that came by mail is ever readable on the disk (test_plaintext.py), so that alone would prove little: here the account's
keys open every row and every object, and an export writes out all there is. Before, the words are there.
"""

import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from flowcrm.jobs.upkeep import collect_orphans, empty_bins
from flowcrm.lib import clock
from flowcrm.mail.exclusion import read_entry
from flowcrm.mail.words import BODY, SUBJECT
from flowcrm.ops import postgres
from flowcrm.ops.home import Home
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.vaults import vault
from flowcrm.store.writes.bin import LIFE, do_staying
from flowcrm.store.writes.exclusions import do_exclude
from flowcrm.store.writes.kept_out import do_remove_email, do_remove_thread
from standins.google.client import GoogleStandin
from tests.flow.acme import Box, Team
from tests.security.everywhere import dump, export, files_of
from tests.security.opened import opened
from tests.security.plain import dresses, found_below, found_in

pytestmark = pytest.mark.needs_postgres

# Of the emails that go, and of one that stays beside them.
GOES, STAYS = "kvqzwjxpgb", "pxbzqjkwvg"
SENDER = f"{GOES}sender@{GOES}house.example"


@dataclass(frozen=True)
class Planted:
    box: Box
    google: GoogleStandin
    mails: tuple[str, str]
    others: frozenset[str]


def _no_crm(planted: Planted) -> None:
    label = planted.google.create_label(planted.box.address, "No-CRM")
    planted.google.label(planted.box.address, [planted.mails[0]], add=[label])


def _by_hand(planted: Planted) -> None:
    workspace_id, box = planted.box.team.workspace_id, planted.box.mailbox_id
    for provider_id in planted.mails:
        with workspace_scope(workspace_id):
            [(message_id,)] = rows("SELECT message_id FROM copy WHERE provider_id = %s", [provider_id])
            do_remove_email(workspace_id=workspace_id, mailboxes=[box], message_id=message_id)


def _thread_by_hand(planted: Planted) -> None:
    workspace_id, box = planted.box.team.workspace_id, planted.box.mailbox_id
    with workspace_scope(workspace_id):
        [(conversation_id,)] = rows(
            "SELECT m.conversation_id FROM copy c JOIN message m ON m.id = c.message_id WHERE c.provider_id = %s",
            [planted.mails[0]],
        )
        do_remove_thread(workspace_id=workspace_id, mailboxes=[box], conversation_id=conversation_id)


def _listed(planted: Planted) -> None:
    entry = read_entry(f"{GOES}house.example")
    assert entry is not None
    with workspace_scope(planted.box.team.workspace_id):
        do_exclude(vault(planted.box.team.workspace_id), member_id=planted.box.member_id, entry=entry)


def _deleted(planted: Planted) -> None:
    box = planted.box
    with workspace_scope(box.team.workspace_id):
        do_staying(workspace_id=box.team.workspace_id, mailbox_id=box.mailbox_id, on_leave="keep", on_delete="remove")
    planted.google.delete(box.address, list(planted.mails))


WAYS: dict[str, Callable[[Planted], None]] = {
    "No-CRM, put on later": _no_crm,
    "removed by hand": _by_hand,
    "its thread removed by hand": _thread_by_hand,
    "its domain on a list": _listed,
    "deleted at the provider": _deleted,
}


@pytest.mark.parametrize("way", WAYS)
def test_what_was_taken_out_is_nowhere_any_more(
    way: str, standin: GoogleStandin, logs: io.StringIO, server: Home, database: dict[str, str], tmp_path: Path
) -> None:
    planted = _planted(standin)
    workspace_id = planted.box.team.workspace_id
    before = opened(workspace_id)
    assert {place for place, content in before.items() if GOES.encode() in content} == set(before), "it was in every place"
    assert GOES in _exported(planted.box, tmp_path / "before")
    assert _hints(workspace_id) == 4
    files = list(_objects(workspace_id))

    WAYS[way](planted)
    clock.advance(301)
    planted.box.rest()
    if way != "No-CRM, put on later":
        clock.advance(LIFE.total_seconds() + 1)
        empty_bins()
    assert planted.box.kept() == planted.others
    for one in files:
        # The object store keeps its own time, so an object ages by its file.
        os.utime(one, (time.time() - 7200, time.time() - 7200))
    collect_orphans()

    after = opened(workspace_id)
    assert {place for place, content in after.items() if STAYS.encode() in content} == set(after)
    assert [place for place, content in after.items() if found_in(content, dresses(GOES))] == []
    assert len(list(_objects(workspace_id))) < len(files)
    exported = _exported(planted.box, tmp_path / "after")
    assert (GOES in exported, STAYS in exported) == (False, True)
    assert _hints(workspace_id) == 0
    # And readable it is nowhere, as ever.
    superuser = postgres.maintenance_url(server, urlsplit(database["owner"]).path.strip("/"))
    assert found_in(dump(superuser), dresses(GOES)) == []
    for folder in (*files_of(superuser), *(Path(one) for one in _folders()), server.logs, settings.HOME.logs):
        assert list(found_below(folder, dresses(GOES))) == []
    assert found_in(logs.getvalue().encode(), dresses(GOES)) == []


def _planted(google: GoogleStandin) -> Planted:
    """Two mails of a thread that will go, and two that stay; of each pair one lies in the object store and one in its row."""
    team = Team(google)
    box = team.mailbox("all")
    first = box.deliver(_mail(GOES, SENDER, f"<1@{GOES}.example>", large=True))
    answer = box.deliver(_mail(GOES, SENDER, f"<2@{GOES}.example>", answers=f"<1@{GOES}.example>"))
    others = frozenset(
        box.deliver(_mail(STAYS, f"{STAYS}@{STAYS}house.example", f"<{n}@{STAYS}.example>", large=large))
        for n, large in ((3, True), (4, False))
    )
    box.rest()
    return Planted(box, google, (first, answer), others)


def _mail(stem: str, sender: str, message_id: str, *, answers: str = "", large: bool = False) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"{stem}name <{sender}>", f"{stem}reader@x.example", f"{stem}subject"
    mail["Date"], mail["Message-ID"] = datetime(2026, 6, 1, 9, tzinfo=UTC), message_id
    if answers:
        mail["In-Reply-To"] = mail["References"] = answers
    mail.set_content(f"{stem}text of {message_id}\n")
    mail.add_attachment(f"{stem}content\n", filename=f"{stem}file.txt")
    if large:
        mail.add_attachment(os.urandom(60_000), maintype="image", subtype="png", filename=f"{stem}picture.png")
    return mail.as_bytes()


def _hints(workspace_id: int) -> int:
    """By how much it can still be told that there was such an email: search words, and the sender."""
    keys = vault(workspace_id)
    words = [keys.token(SUBJECT, f"{GOES}subject"), keys.token(BODY, f"{GOES}text")]
    with workspace_scope(workspace_id):
        found = rows("SELECT count(*) FROM search_row WHERE workspace_id = %s AND tok && %s::bigint[]", [workspace_id, words])
        people = rows("SELECT count(*) FROM participant WHERE h_address = %s", [keys.lookup("address", SENDER)])
    return int(found[0][0]) + int(people[0][0])


def _exported(box: Box, folder: Path) -> str:
    folder.mkdir()
    done = export(box, folder / "mail.jsonl", {}, "--eml", str(folder / "eml"))
    assert done.returncode == 0, done.stderr
    return (folder / "mail.jsonl").read_text() + "".join(
        one.read_text(errors="replace") for one in (folder / "eml").rglob("*.eml")
    )


def _folders() -> tuple[str, ...]:
    return (settings.BLOBS_URL.removeprefix("file://"),)


def _objects(workspace_id: int) -> list[Path]:
    return [one for one in (Path(_folders()[0]) / str(workspace_id)).rglob("*") if one.is_file()]
