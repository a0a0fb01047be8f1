"""A person at the stand-in's pages: chooses an account, ticks permissions, presses Allow or Cancel, and is sent back."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import unescape
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.test import override_settings

from flowcrm.store.db import rows
from flowcrm.store.writes.instance import do_instance_setting
from standins.google.client import READONLY, GoogleStandin
from tests.people import Someone

CLIENT_ID, SECRET = "flowcrm-demo.apps.googleusercontent.com", "flowcrm-demo-secret"
_FIELD = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')


@contextmanager
def google_at_work(*, set_up: bool = True) -> Iterator[GoogleStandin]:
    """The product speaks to a stand-in; set_up: its client is entered already."""
    with GoogleStandin() as google, override_settings(ALLOW_LOOPBACK_PROVIDERS=True, **google.settings()):
        if set_up:
            enter_client(CLIENT_ID, SECRET)
        yield google


def enter_client(client_id: str, secret: str) -> None:
    do_instance_setting(key="google_app", value={"client_id": client_id, "client_secret": secret})


def leave(someone: Someone, mailbox_id: int | None = None) -> str:
    """Press "Continue to Google"; the address that the browser is led to."""
    path = "/settings/integrations/connect/gmail" + (f"?mailbox={mailbox_id}" if mailbox_id else "")
    answer = someone.post(path)
    assert answer.status_code == 302, answer.status_code
    return str(answer["Location"])


def consent(url: str, account: str, *, decision: str = "allow", granted: Sequence[str] = (READONLY,)) -> str:
    """Choose the account and decide; the address that the browser is sent back to."""
    _, page = _ask("GET", f"{url}&{urlencode({'account': account})}")
    fields = [(name, unescape(value)) for name, value in _FIELD.findall(page) if name != "granted"]
    fields += [("granted", scope) for scope in granted]
    host = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    location, _ = _ask("POST", f"{host}/o/oauth2/v2/consent", urlencode([*fields, ("decision", decision)]))
    return location


def connect_at(someone: Someone, account: str, mailbox_id: int | None = None) -> int:
    """The whole way; returns the mailbox's id."""
    answer = someone.get(on_our_side(consent(leave(someone, mailbox_id), account)))
    assert answer.status_code == 302, answer.content.decode()
    with someone.scope():
        return int(rows("SELECT max(id) FROM mailbox WHERE member_id = %s", [someone.member_id])[0][0])


def on_our_side(url: str) -> str:
    """The path of an address of ours, with its query."""
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}" == settings.BASE_URL
    return f"{parts.path}?{parts.query}"


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def _ask(method: str, url: str, body: str = "") -> tuple[str, str]:
    """Where the answer leads, and its page."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, headers)
        answer = connection.getresponse()
        return answer.getheader("Location") or "", answer.read().decode()
    finally:
        connection.close()
