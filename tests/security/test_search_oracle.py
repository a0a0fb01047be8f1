"""Search as an oracle: every word of every email is tried by everybody, and finds it exactly where that person could read the
word on some page. What the pages say is asked of the pages themselves, so nothing here repeats the product's rules.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

import pytest

from flowcrm.store.db import rows
from flowcrm.store.levels import Level
from flowcrm.store.vaults import vault
from flowcrm.store.writes.bin import BinReason, do_bin
from flowcrm.store.writes.exclusions import check_entry, do_exclude
from flowcrm.store.writes.kept_out import do_remove_email
from flowcrm.store.writes.private import do_level, do_mark_email, do_mark_thread
from flowcrm.store.writes.purge import do_purge_copies
from tests.mail_helper import connect, conversation_of, keep, raw
from tests.people import Someone, make_someone, make_workspace

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("pages")]

MAILS = 14
_WORD = re.compile(r"q[a-z]{7}")


@dataclass
class Office:
    """Three people of one account with a mailbox each, and somebody elsewhere. words: all that were ever written."""

    chance: random.Random
    people: list[Someone] = field(default_factory=list)
    boxes: list[int] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)

    @property
    def workspace_id(self) -> int:
        return self.people[0].workspace_id

    def word(self) -> str:
        """One that stands nowhere else."""
        made = "q" + "".join(self.chance.choices("abcdefghijklmnoprstuvwxyz", k=7))
        self.words.append(made)
        return made


@pytest.fixture(params=range(4))
def office(request: pytest.FixtureRequest) -> Office:
    made = Office(random.Random(request.param))
    workspace_id = make_workspace()
    for name, role in (("Anna Berg", "admin"), ("Ben Keller", "user"), ("Vera Voss", "user")):
        made.people.append(make_someone(workspace_id, role=role, name=name))
        made.boxes.append(connect(made.people[-1]))
    for number in range(MAILS):
        _deliver(made, number)
    for _ in range(MAILS):
        _happens(made)
    for box in made.boxes:
        with made.people[0].scope():
            do_level(workspace_id=workspace_id, mailbox_id=box, level=made.chance.choice(list(Level)))
    return made


def _deliver(office: Office, number: int) -> None:
    """To some of them; gateways put a banner, a tag or a Bcc of their own into each copy."""
    chance = office.chance
    subject, body, name, file = (office.word() for _ in range(4))
    files = [(f"{file}.pdf", "application/pdf", b"x")] if chance.random() < 0.3 else []
    answers = f"<{chance.randrange(number)}@x>" if number and chance.random() < 0.4 else ""
    for box in chance.sample(office.boxes, chance.choice([1, 2, 3])):
        text = f"The words are {body} and many others that stay as they are."
        if chance.random() < 0.5:
            text = f"CAUTION: {office.word()} came from outside of the organization.\n\n{text}"
        tag = f"[{office.word()}] " if chance.random() < 0.3 else ""
        bcc = [("Bcc", f"{office.word()} <{office.word()}@secret.example>")] if chance.random() < 0.4 else []
        mail = raw(
            f"{tag}{subject}",
            text,
            sender=f"{name} <{name}@nordlicht.example>",
            message_id=f"<{number}@x>",
            reply_to=answers,
            headers=bcc,
            files=files,
        )
        office.messages += keep(office.workspace_id, box, mail)


def _happens(office: Office) -> None:
    """Somebody marks, removes, excludes or loses an email."""
    chance, workspace_id = office.chance, office.workspace_id
    place, message = chance.randrange(len(office.boxes)), chance.choice(office.messages)
    box, member_id = office.boxes[place], office.people[place].member_id
    with office.people[place].scope():
        copies = [one for (one,) in rows("SELECT id FROM copy WHERE mailbox_id = %s AND message_id = %s", [box, message])]
    thread = conversation_of(workspace_id, message) if copies else 0
    what = chance.choice(["private", "thread", "bin", "remove", "purge", "list"]) if copies else ""
    with office.people[place].scope():
        if what == "private":
            do_mark_email(workspace_id=workspace_id, mailboxes=[box], message_id=message, private=True)
        elif what == "thread":
            do_mark_thread(workspace_id=workspace_id, member_id=member_id, conversation_id=thread, private=True)
        elif what == "bin":
            do_bin(workspace_id=workspace_id, mailbox_id=box, copy_ids=copies, reason=BinReason.DELETED)
        elif what == "remove":
            do_remove_email(workspace_id=workspace_id, mailboxes=[box], message_id=message)
        elif what == "purge" and message in _shared(office):
            do_purge_copies(workspace_id=workspace_id, mailbox_id=box, copy_ids=copies)
        elif what == "list":
            entry = check_entry(f"{chance.choice(office.words)}@nordlicht.example")
            do_exclude(vault(workspace_id), member_id=chance.choice([None, member_id]), entry=entry)


def _shared(office: Office) -> set[int]:
    """Emails of which several people have a copy: such a one is still there when one copy is gone for good."""
    found = rows("SELECT message_id FROM copy GROUP BY message_id HAVING count(DISTINCT mailbox_id) > 1")
    return {message for (message,) in found}


def _readable(reader: Someone) -> dict[str, set[int]]:
    """Word -> conversations in which a page shows it to him: all lists, threads and texts that lead from there."""
    shown: dict[str, set[int]] = {}
    for conversation in _threads(reader):
        thread = _page(reader, f"/emails/{conversation}")
        opened = [_page(reader, f"/emails/message/{one}") for one in re.findall(r"/emails/message/(\d+)\"", thread)]
        for word in _WORD.findall(" ".join([thread, *opened])):
            shown.setdefault(word, set()).add(conversation)
    return shown


def _threads(reader: Someone) -> Iterator[int]:
    page = _page(reader, "/emails?only=all")
    assert "Show more" not in page
    yield from dict.fromkeys(int(one) for one in re.findall(r'href="/emails/(\d+)"', page))


def _page(reader: Someone, path: str) -> str:
    answer = reader.get(path)
    assert answer.status_code in (200, 404)
    return unescape(answer.content.decode()).lower() if answer.status_code == 200 else ""


def _found(reader: Someone, word: str) -> set[int]:
    return {int(one) for one in re.findall(r'href="/emails/(\d+)\?open=', _page(reader, f"/emails?q={word}"))}


def test_every_word_finds_exactly_what_its_reader_could_read_anyway(office: Office) -> None:
    elsewhere = make_someone(make_workspace("Elsewhere"), role="admin", name="Sten Strange")
    connect(elsewhere)
    hidden = shown = 0
    for reader in [*office.people, elsewhere]:
        readable = _readable(reader)
        for word in office.words:
            assert _found(reader, word) == readable.get(word, set()), (reader.person.name, word)
            hidden += word not in readable
            shown += word in readable
    assert min(hidden, shown) > len(office.words) / 2, "of both kinds there are many, or this proves nothing"
