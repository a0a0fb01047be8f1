"""The measured part of bench/preview.py."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import uuid4

import psutil
from django.test import Client, override_settings

from flowcrm.connectors.gmail.client import GmailConnector
from flowcrm.lib import clock
from flowcrm.mail.types import Scope, Tokens
from flowcrm.mailboxes.connect import Owner, Visit, do_connect
from flowcrm.mailboxes.open import GMAIL_SCOPES, gmail_settings
from flowcrm.store.db import workspace_scope
from flowcrm.store.models import Person
from flowcrm.store.vaults import key_store
from flowcrm.store.writes.instance import do_instance_setting
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.workspaces import NewWorkspace, do_make_workspace
from standins.google.client import Delivery, RemoteStandin, Standin
from standins.google.world import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET

ADDRESS = "mara@acme.example"
START = datetime(2024, 1, 5, 8, tzinfo=UTC)
CHOICE = {
    "selection": "all",
    "since": "everything",
    "interval_s": "300",
    "level": "only_me",
    "on_leave": "keep",
    "on_delete": "keep",
}
PAGES = 20


def run(mails: int, promised: float) -> Iterator[str]:
    """Make the mailbox, ask its page; lines for the report."""
    with _google() as google:
        started = time.perf_counter()
        _fill(google, mails)
        person, mailbox_id = _connect(google)
        yield f"preview: {mails:,} emails at the stand-in, made in {time.perf_counter() - started:.0f} s"
        each = _page(google)
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        path = f"/settings/integrations/{mailbox_id}/preview?{urlencode(CHOICE)}"
        started = time.perf_counter()
        page = client.get(path).content.decode()
        first = time.perf_counter() - started
        said, looks, largest = _said(page), 1, len(page)
        while found := re.search(r'name="place" value="([^"]*)"', page):
            page = client.post(path, {"place": found[1]}, headers={"HX-Request": "true"}).content.decode()
            looks, largest = looks + 1, max(largest, len(page))
        whole = time.perf_counter() - started
    yield f'  first words after {first:.2f} s, {first / promised:.2f} of the {promised:.0f} s promised: "{said}"'
    yield f'  all of it after {whole:.1f} s in {looks} looks, the page up to {largest / 1024:.0f} KB: "{_said(page)}"'
    yield f"  {whole / (mails / 500 * each):.1f} times what the pages of ids alone take ({1000 * each:.0f} ms for 500)"
    yield f"  load {psutil.getloadavg()[0]:.1f}"


def _said(page: str) -> str:
    found = re.search(r"(At least )?[\d,]+ emails come in", page)
    return found[0] if found else "nothing"


def _page(google: Standin) -> float:
    """Seconds for a page of 500 ids."""
    token = google.access_token(ADDRESS)
    with closing(GmailConnector(access_token=token, settings=gmail_settings(), spend=lambda _units: None)) as connector:
        cursor, started = connector.changes(None, Scope()).cursor, time.perf_counter()
        for _ in range(PAGES):
            cursor = connector.changes(cursor, Scope()).cursor
    return (time.perf_counter() - started) / PAGES


def _fill(google: Standin, mails: int) -> None:
    google.create_account(ADDRESS, "Mara")
    for begin in range(0, mails, 5000):
        google.deliver_many(ADDRESS, [_mail(n) for n in range(begin, min(begin + 5000, mails))])


def _mail(number: int) -> Delivery:
    at = START + timedelta(minutes=10 * number)
    head = f"From: p{number % 400}@x.example\r\nTo: {ADDRESS}\r\nSubject: mail {number}\r\nMessage-ID: <{number}@x.example>\r\n"
    return Delivery(f"{head}\r\nText {number}.\r\n".encode(), ("INBOX",), int(at.timestamp() * 1000))


def _connect(google: Standin) -> tuple[Person, int]:
    key_store().create_instance()
    do_instance_setting(key="google_app", value={"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET})
    new = NewWorkspace(title="Bench", slug=f"b{uuid4().hex[:12]}", plan="enterprise", time_zone="UTC")
    workspace_id = do_make_workspace(new)
    person = do_make_person(email=ADDRESS, name="Mara", password=uuid4().hex)
    with workspace_scope(workspace_id):
        member_id = do_add_member(workspace_id=workspace_id, person_id=person.id, role="admin", name="Mara", time_zone="UTC")
    given = google.tokens(ADDRESS)
    tokens = Tokens(given["access_token"], given["refresh_token"], clock.now() + timedelta(hours=1), frozenset(GMAIL_SCOPES))
    with closing(GmailConnector(access_token=tokens.access, settings=gmail_settings(), spend=lambda _units: None)) as connector:
        visit = Visit(connector.check(), connector.folders(), tokens)
    return person, do_connect("gmail", Owner(workspace_id, member_id, None), visit)


@contextmanager
def _google() -> Iterator[Standin]:
    """A stand-in in a process of its own, with the quota that projects have."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "standins.google", f"--port={port}"]
    process = subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        google = RemoteStandin(f"http://127.0.0.1:{port}")
        with override_settings(**google.settings(), ALLOW_LOOPBACK_PROVIDERS=True):
            yield google
    finally:
        process.terminate()
        process.wait()
