"""Everybody asks for everything: each address with each id of somebody else's, and nobody is told a word of it."""

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, get_resolver, reverse

from flowcrm.store.db import rows
from flowcrm.store.levels import Level
from flowcrm.store.writes.bin import BinReason, do_bin
from flowcrm.store.writes.private import do_level
from tests.mail_helper import connect, keep, raw
from tests.people import Someone, colleague, make_someone, member, stranger

__all__ = ["colleague", "member", "stranger"]

pytestmark = pytest.mark.needs_postgres

# Each stands in one place of the mail only: people, subject, text, name and content of a file, the formatted text.
SECRETS = ("zzperson", "zzsubject", "zzbody", "zzfile", "zzcontent", "zzhtml")
TABLES = ("copy", "message", "conversation", "attachment", "mailbox", "member")
# Addresses whose values are no ids of the account's.
OTHERS = {"article", "join"}


def _mail(number: int) -> bytes:
    return raw(
        f"zzsubject {number}",
        f"zzbody {number}",
        sender=f"zzperson{number} <zzperson{number}@nordlicht.example>",
        html=f"<p>zzhtml {number}</p>",
        files=[(f"zzfile{number}.txt", "text/plain", f"zzcontent {number}".encode())],
    )


@pytest.fixture
def anna(member: Someone) -> Someone:
    """A colleague with an email that nobody else sees, a private one in a mailbox that shows everything, and one in the bin."""
    anna = make_someone(member.workspace_id, name="Anna Berg")
    closed, open_one = connect(anna), connect(anna)
    keep(anna.workspace_id, closed, _mail(1))
    private, binned = keep(anna.workspace_id, open_one, _mail(2), _mail(3))
    with anna.scope():
        do_level(workspace_id=anna.workspace_id, mailbox_id=open_one, level=Level.EVERYTHING)
        [(copy_id,)] = rows("SELECT id FROM copy WHERE message_id = %s", [binned])
        do_bin(workspace_id=anna.workspace_id, mailbox_id=open_one, copy_ids=[copy_id], reason=BinReason.DELETED)
    assert anna.post(f"/emails/message/{private}/private", {"private": "1"}).status_code == 302
    return anna


def _ids(someone: Someone) -> list[int]:
    with someone.scope():
        return sorted({one for table in TABLES for (one,) in rows(f'SELECT id FROM "{table}"')})


def _addresses(ids: list[int]) -> Iterator[str]:
    for found in get_resolver().url_patterns:
        if not isinstance(found, URLPattern) or found.lookup_str.startswith("allauth.") or found.name in OTHERS:
            continue
        names = list(found.pattern.converters)
        assert len(names) <= 1, f"{found.name}: say here how its values are made"
        yield from ([reverse(found.name, args=[one]) for one in ids] if names else [reverse(found.name)])


@pytest.mark.slow
@pytest.mark.parametrize("who", ["admin", "user", "stranger"])
def test_no_address_tells_a_word_of_what_is_somebody_else_s(
    who: str, member: Someone, colleague: Someone, stranger: Someone, anna: Someone
) -> None:
    nosy = {"admin": member, "user": colleague, "stranger": stranger}[who]
    ids, asked = _ids(anna), 0
    for address in _addresses(ids):
        for method in (nosy.get, nosy.part, nosy.post):
            answer = method(address)
            asked += 1
            assert answer.status_code < 500, (address, answer.status_code)
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            said = content.decode("utf-8", "replace").lower() + str(answer.headers).lower()
            assert [one for one in SECRETS if one in said] == [], address
    assert asked > 500


def test_its_owner_is_told_all_of_it(anna: Someone) -> None:
    """Else the test above would pass with a mailbox that is empty."""
    said = ""
    for address in _addresses(_ids(anna)):
        answer = anna.get(address)
        said += (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode("utf-8", "replace").lower()
    assert [one for one in SECRETS if one not in said] == []
