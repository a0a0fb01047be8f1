"""A mailbox whose every word holds one stem, which stands nowhere else on the machine."""

import os
from email.message import EmailMessage

from flowcrm.lib import clock
from standins.google.client import GoogleStandin
from tests.flow.acme import Box, Team, connect
from tests.people import Someone, make_someone

# What came by mail, and what people here have typed into the CRM (which is in clear by design, but in no log).
STEM, TYPED = "qvzkjxwpfb", "wzqkjvxpbf"


def word(what: str) -> str:
    return f"{STEM}{what}"


def synced(standin: GoogleStandin) -> tuple[Box, Someone]:
    """The mailbox and its owner: every kind of mail, read while the provider fails in words that quote what it was asked."""
    team = Team(standin)
    address, member = f"{word('own')}@{word('house')}.example", make_someone(team.workspace_id)
    standin.create_account(address, word("owner"), aliases=[f"{word('alias')}@example.org"])
    label = standin.create_label(address, word("label"))
    box = Box(team, member.member_id, connect(team, member.member_id, address), address)
    ids = [box.deliver(raw, ["INBOX", "UNREAD", label]) for raw in _mails()]
    team.contact(f"{TYPED}@{TYPED}.example")
    standin.fault("gmail.messages.list", "status", status=500, message=f"backend {STEM}")
    standin.fault("gmail.messages.get:raw", "wrong_json")
    standin.fault(f"/gmail/v1/users/me/messages/{ids[-1]}", "status", status=400, message=word("refused"), count=0)
    for selection in ("contacts", "all"):
        box.choose(selection)
        for _ in range(12):
            box.slice()
            clock.advance(1900)
    assert box.kept() == set(ids[:-1])
    assert box.work() == {ids[-1]: "quarantined"}
    return box, member


def _mails() -> list[bytes]:
    rich = EmailMessage()
    rich["From"] = f'"{word("name")}" <{word("sender")}@{word("domain")}.example>'
    rich["To"] = f"{word('reader')}@example.org, {word('second')}@example.org"
    rich["Bcc"] = f"{word('blind')}@example.org"
    rich["Reply-To"] = f"{word('reply')}@example.org"
    rich["Subject"] = f"{word('subject')} für Größe"
    rich["Date"] = "Mon, 01 Jun 2026 09:00:00 +0000"
    rich["Message-ID"] = f"<{word('number')}@{word('host')}.example>"
    rich["References"] = f"<{word('before')}@example.org>"
    rich["List-Id"] = f"<{word('list')}.example.org>"
    rich.set_content(f"{word('text')} grüßt.\n\n> {word('quoted')}\n")
    rich.add_alternative(f'<p>{word("html")}</p><img src="cid:{word("picture")}">', subtype="html")
    rich.add_attachment(f"{word('content')}\n".encode() * 3, maintype="text", subtype="plain", filename=f"{word('file')}.txt")
    rich.add_attachment(
        os.urandom(60_000) + word("content").encode(), maintype="image", subtype="png", filename=f"{word('größe')}.png"
    )
    inner = EmailMessage()
    inner["Subject"] = word("inner")
    inner.set_content(word("deep"))
    rich.add_attachment(inner)
    long = EmailMessage()
    long["From"], long["Subject"] = f"{word('sender')}@example.org", word("long")
    long.set_content("".join(f"{word('line')} {number}\n" for number in range(20_000)))
    bare = f"From: {word('bare')}@example.org\nSubject: {word('latin')} \xe4\xf6\n\n{word('gr')}\xfc\xdfe\n".encode("latin-1")
    broken = (
        f"{word('header')} without colon\nFrom: <{word('open')}\nContent-Type: multipart/mixed\n\n--\n{word('part')}".encode()
    )
    unknown = f"From: a@example.org\nContent-Type: text/plain; charset={word('charset')}\n\n{word('strange')}\xff\n".encode(
        "latin-1"
    )
    apart = f"From: {word('apart')}@example.org\nSubject: {word('apart')}\n\n{word('apart')}\n".encode()
    return [rich.as_bytes(), long.as_bytes(), bare, broken, unknown, apart]
