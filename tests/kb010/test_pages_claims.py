"""What the article says of plans, states, safety and help, asked of the pages and of what lies on the disk."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.test import Client
from tink.proto import aes_gcm_pb2, tink_pb2
from zstandard import ZstdDecompressor

from flowcrm.lib import clock
from flowcrm.pages.help.articles import ARTICLES
from flowcrm.store.db import row, workspace_scope
from flowcrm.vault.binding import bind
from standins.google.client import GoogleStandin
from tests.flow.acme import Box, Team, letter
from tests.kb010.words import condition
from tests.people import make_someone, make_workspace
from tests.security.plain import dresses, found_in

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]

_HOST = {"host": "127.0.0.1"}


def test_K34_green_means_authorised_and_synced_within_two_intervals(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    box.rest()
    assert condition(box).dot == "good"

    clock.advance(2 * 300 - 5)
    assert condition(box).dot == "good"
    clock.advance(10)
    assert condition(box).dot != "good"

    box.rest()
    assert condition(box).dot == "good"
    standin.revoke(box.address)
    clock.advance(3700)
    box.rest()
    assert condition(box).dot == "bad"


def test_K34_an_outage_is_no_green_check_mark_and_passes_by_itself(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    box.rest()
    standin.fault("gmail.*", "status", status=503, count=0)
    clock.advance(301)
    box.slice()
    assert (condition(box).dot, str(condition(box).word)) == ("wait", "Cannot reach the server")

    standin.control("clear_faults")
    clock.advance(3600)
    box.rest()
    assert condition(box).dot == "good"


def test_K50_serve_refuses_other_machines_without_tls() -> None:
    host = "0.0.0.0"
    done = subprocess.run(
        [sys.executable, "-m", "flowcrm", "serve", f"--host={host}", "--port=0"],
        env=os.environ | {"FLOWCRM_BASE_URL": "https://crm.acme.example"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    said = " ".join((done.stdout + done.stderr).split())
    assert f"{host} can be reached from other machines; without TLS" in said
    assert "FLOWCRM_TRUSTED_PROXY" in said


def test_K51_a_copy_is_sealed_with_aes_256_and_holds_nothing_readable(team: Team) -> None:
    box = team.mailbox("")
    box.deliver(letter("Zebrafink subject", sender="Zebrafink <zebrafink@zebrafink.example>", text="zebrafink " * 40))
    box.choose("all")
    box.rest()

    with workspace_scope(team.workspace_id):
        found = row("SELECT id, s_head, s_headers, copy::text FROM copy WHERE mailbox_id = %s", [box.mailbox_id])
    assert found is not None
    copy_id, head, headers, everything = found
    for place in (head, headers, everything.encode()):
        assert found_in(place, dresses("zebrafink")) == []
    assert "Zebrafink subject" in _open_by_hand(box, "head", copy_id, head)


def _open_by_hand(box: Box, kind: str, row_id: int, sealed: bytes) -> str:
    """AES-256-GCM as another library does it, with the key from the key store (docs/reference/keys.md). Before the sealed bytes
    stand Tink's prefix of 5 bytes and a nonce of 12; in them a byte that says "compressed"."""
    workspace_id = box.team.workspace_id
    file = Path(settings.KEYS_URL.removeprefix("file://")) / f"workspace-{workspace_id}.keys"
    keys: dict[str, Any] = json.loads(base64.b64decode(json.loads(file.read_text())["keys"]))
    keyset = tink_pb2.Keyset.FromString(base64.b64decode(keys["sealing"]))
    (key,) = (one for one in keyset.key if one.key_id == keyset.primary_key_id)
    secret = aes_gcm_pb2.AesGcmKey.FromString(key.key_data.value).key_value
    assert len(secret) * 8 == 256
    bound = bind("seal", "workspace", workspace_id, kind, row_id)
    packed = AESGCM(secret).decrypt(sealed[5:17], sealed[17:], bound)
    return ZstdDecompressor().decompress(packed[1:]).decode()


def test_K60_the_related_articles_are_there_and_every_link_in_them_works() -> None:
    member = make_someone(make_workspace(), role="admin")
    assert {article.slug for article in ARTICLES} >= {"kb-001", "kb-010", "kb-011", "kb-012", "kb-015"}
    pages = {article.slug: _page(member.client, f"/help/{article.slug}") for article in ARTICLES}
    assert [slug for slug, page in pages.items() if slug.upper() not in page] == []
    links = {link for page in pages.values() for link in re.findall(r'href="(/[^"#]*)', page) if "/static/" not in link}
    assert len(links) > len(pages)
    assert [link for link in sorted(links) if not _leads_somewhere(member.client, link)] == []


@pytest.mark.parametrize("path", ["/settings/integrations", "/settings/plan"])
def test_K60_help_is_linked_from_where_it_is_needed(path: str) -> None:
    member = make_someone(make_workspace(), role="admin")
    main = _page(member.client, path).partition("<main")[2]
    assert re.search(r'href="/help/kb-\d{3}', main)


def _page(client: Client, path: str) -> str:
    answer = client.get(path, headers=_HOST)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def _leads_somewhere(client: Client, link: str) -> bool:
    return bool(client.get(link, follow=True, headers=_HOST).status_code == 200)
