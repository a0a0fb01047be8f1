"""Nothing that came by mail lies readable anywhere: not in the database (asked, or read as files), the object store, the logs
or the queue. And without the key store nothing opens.
"""

import base64
import io
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.ops import postgres
from flowcrm.ops.home import Home
from flowcrm.queue import wake_sync
from flowcrm.store.db import rows, workspace_scope
from flowcrm.vault.errors import KeyMissing
from flowcrm.vault.keys import KeyStore
from standins.google.client import GoogleStandin
from tests.flow.acme import Box
from tests.people import Someone
from tests.security.everywhere import dump, export, files_of
from tests.security.plain import dresses, found_below, found_in
from tests.security.planted import STEM, TYPED, synced, word

WANTED = dresses(STEM)


@given(st.sampled_from(sorted(WANTED)), st.binary(max_size=5), st.binary(max_size=5))
def test_the_search_finds_the_stem_in_every_dress(dress: str, before: bytes, after: bytes) -> None:
    assert found_in(before + WANTED[dress] + after, WANTED)


@given(st.binary(max_size=9), st.sampled_from(["utf-8", "utf-16-le", "utf-32-be"]))
def test_the_search_finds_the_stem_wherever_it_stands_in_base64_and_hex(before: bytes, coding: str) -> None:
    plain = before + f"a {STEM} b".encode(coding)
    assert found_in(base64.b64encode(plain), WANTED)
    assert found_in(plain.hex().encode(), WANTED)


@pytest.mark.needs_postgres
def test_nothing_that_came_by_mail_can_be_read_anywhere(
    standin: GoogleStandin, logs: io.StringIO, server: Home, database: dict[str, str]
) -> None:
    _look_at_everything(*synced(standin))
    wake_sync()
    superuser = postgres.maintenance_url(server, urlsplit(database["owner"]).path.strip("/"))

    dumped = dump(superuser)
    assert found_in(dumped, dresses(TYPED)), "what people type is in clear; were it not found, neither would be anything else"
    assert found_in(dumped, WANTED) == []
    for folder in (*files_of(superuser), Path(settings.BLOBS_URL.removeprefix("file://")), server.logs, settings.HOME.logs):
        assert list(found_below(folder, WANTED)) == []
    assert "slice ended" in logs.getvalue(), "there was something to say"
    assert found_in(logs.getvalue().encode(), WANTED | dresses(TYPED)) == []


@pytest.mark.needs_postgres
def test_what_is_named_sealed_is_sealed(standin: GoogleStandin) -> None:
    """Columns named s_ hold nothing but what Tink wrote: a version byte and the key's number come first."""
    box, _ = synced(standin)
    with workspace_scope(box.team.workspace_id):
        columns = rows(
            """SELECT table_name, column_name FROM information_schema.columns
               WHERE table_schema = 'public' AND starts_with(column_name, 's_') AND table_name <> 'instance_setting'"""
        )
        values = [
            (table, column, bytes(value))
            for table, column in columns
            for (value,) in rows(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
        ]
    assert {table for table, _, _ in values} >= {"copy", "variant", "blob", "attachment", "folder", "mailbox", "mailbox_secret"}
    assert [(table, column) for table, column, value in values if value[:1] != b"\x01" or len(value) < 33] == []


@pytest.mark.needs_postgres
def test_without_the_key_store_nothing_opens(standin: GoogleStandin, tmp_path: Path) -> None:
    """Database and object store are as they were: a backup of both, in a thief's hands."""
    box, _ = synced(standin)
    elsewhere = tmp_path / "keys"
    elsewhere.mkdir(mode=0o700)
    with pytest.raises(KeyMissing, match=r"keys of .* are not in the key store at .*\. Restore the key store's backup"):
        KeyStore(str(elsewhere)).workspace(box.team.workspace_id)

    exported = tmp_path / "mail.jsonl"
    done = export(box, exported, {"KEYS_URL": elsewhere.as_uri()})

    assert done.returncode != 0
    assert "not in the key store" in done.stdout + done.stderr
    assert not exported.exists()
    assert found_in((done.stdout + done.stderr).encode(), WANTED) == []
    assert list(found_below(tmp_path, WANTED)) == []


@pytest.mark.needs_postgres
def test_with_the_key_store_every_word_is_there(standin: GoogleStandin, tmp_path: Path) -> None:
    box, _ = synced(standin)
    exported = tmp_path / "mail.jsonl"
    done = export(box, exported, {}, "--eml", str(tmp_path / "eml"))
    assert done.returncode == 0, done.stderr
    words = exported.read_text()
    for what in ("subject", "text", "name", "sender", "domain", "reader", "file", "number", "line", "latin", "own"):
        assert word(what) in words, what
    assert any("base64" in said for said in found_below(tmp_path / "eml", WANTED)), "the attachments, byte for byte"


def _look_at_everything(box: Box, member: Someone) -> None:
    """The owner opens every thread, email, file and original, and something that is not there."""
    with workspace_scope(box.team.workspace_id):
        conversations = [one for (one,) in rows("SELECT DISTINCT conversation_id FROM message")]
        messages = [one for (one,) in rows("SELECT id FROM message")]
        files = [one for (one,) in rows("SELECT id FROM attachment")]
    paths = ["/emails", "/settings/integrations", f"/settings/integrations/{box.mailbox_id}/settings"]
    paths += [f"/emails/{one}" for one in conversations]
    paths += [f"/emails/message/{one}{part}" for one in messages for part in ("", "/formatted", "/original")]
    paths += [f"/emails/files/{one}" for one in files]
    opened = [member.get(path, SERVER_NAME="127.0.0.1") for path in paths]
    shown = b"".join(b"".join(answer.streaming_content) if answer.streaming else answer.content for answer in opened)
    for what in ("subject", "text", "content", "label"):
        assert word(what).encode() in shown, what
    assert member.get(f"/emails/1?q={STEM}", SERVER_NAME="127.0.0.1").status_code == 404
