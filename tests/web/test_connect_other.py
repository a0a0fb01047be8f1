"""Connect other email: a server that the member names, a real one; what is typed wrongly, and what the server refuses."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import override_settings

from flowcrm.store.db import row, rows
from standins.imap.dovecot import PASSWORD, Dovecot
from standins.imap.proxy import ImapProxy
from tests.flow.acme import letter
from tests.flow.imap_box import Hand
from tests.people import Someone

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_dovecot]

PAGE = "/settings/integrations"
CONNECT = f"{PAGE}/connect/other"
REFUSES = {"match": "imap.authenticate", "kind": "status"}


@pytest.fixture
def imap(dovecot: Dovecot) -> Iterator[ImapProxy]:
    with override_settings(ALLOW_LOOPBACK_PROVIDERS=True), ImapProxy(dovecot.port) as proxy:
        yield proxy


def _page(answer: Any) -> str:
    return str(answer.content.decode())


def _typed(imap: ImapProxy, **typed: Any) -> dict[str, Any]:
    usual = {"address": f"ann-{uuid4().hex[:8]}@acme.example", "password": PASSWORD, "host": "127.0.0.1", "security": "none"}
    return {**usual, "port": imap.port, "user": "", "aliases": "", **typed}


def _mailboxes(someone: Someone) -> list[tuple[int, str, str]]:
    with someone.scope():
        return [(one, kind, state) for one, kind, state in rows("SELECT id, kind, state FROM mailbox ORDER BY id")]


def test_a_mailbox_is_connected_chosen_for_and_shown(member: Someone, imap: ImapProxy) -> None:
    page = _page(member.get(CONNECT))
    assert "FlowCRM only reads" in page
    typed = _typed(imap, aliases="sales@acme.example, info@acme.example")
    answer = member.post(CONNECT, typed)
    [(mailbox_id, kind, state)] = _mailboxes(member)
    assert (kind, state) == ("imap", "choosing")
    assert answer.headers["Location"] == f"{PAGE}/{mailbox_id}/settings"
    choose = _page(member.get(f"{PAGE}/{mailbox_id}/settings"))
    assert typed["address"] in choose
    assert "Specific folders" in choose
    assert "Gmail" not in choose
    with member.scope():
        assert row("SELECT count(*) FROM mailbox_identity WHERE mailbox_id = %s", [mailbox_id]) == (3,)
    assert "Other email" in _page(member.get(PAGE)) or typed["address"] in _page(member.get(PAGE))
    assert imap.writes() == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"address": "ann"}, "That is not an email address"),
        ({"address": ""}, "Enter the mailbox&#x27;s email address."),
        ({"password": ""}, "Enter the password."),
        ({"host": "https://imap.example.com/x"}, "That is not a server&#x27;s name"),
        ({"host": "imap..example.com"}, "That is not a server&#x27;s name"),
        ({"host": "a" * 70 + ".example.com"}, "That is not a server&#x27;s name"),
        ({"host": ""}, "Enter the server"),
        ({"port": "70000"}, "A port is a number from 1 to 65535."),
        ({"user": "ann\x07b"}, "holds a character that cannot be typed"),
        ({"password": "x\r\nA LOGOUT"}, "holds a character that cannot be typed"),
        ({"aliases": "sales@acme.example nonsense"}, "nonsense is not an email address."),
    ],
)
def test_what_is_typed_wrongly_is_said_at_its_field_and_nobody_is_asked(
    member: Someone, imap: ImapProxy, wrong: dict[str, Any], said: str
) -> None:
    answer = member.post(CONNECT, _typed(imap, **wrong))
    assert answer.status_code == 422
    assert said in _page(answer)
    assert imap.commands == []
    assert _mailboxes(member) == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            {"match": "imap.authenticate", "kind": "status", "reason": "AUTHENTICATIONFAILED"},
            "refused the user name or the password",
        ),
        (
            {
                "match": "imap.authenticate",
                "kind": "status",
                "reason": "ALERT",
                "message": "Application-specific password required",
            },
            "wants a password made for this app",
        ),
        ({"match": "imap.list", "kind": "status", "reason": "NOPERM"}, "does not let this account read its mail"),
        ({"match": "imap.authenticate", "kind": "drop"}, "ended the connection"),
        ({"match": "imap.list", "kind": "wrong_json"}, "does not speak IMAP as expected"),
    ],
)
def test_what_the_server_refuses_is_said_where_it_can_be_mended(
    member: Someone, imap: ImapProxy, fault: dict[str, Any], said: str
) -> None:
    imap.fault(**fault)
    answer = member.post(CONNECT, _typed(imap))
    assert answer.status_code == 422
    assert said in _page(answer)
    assert PASSWORD not in _page(answer)
    assert _mailboxes(member) == []


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "192.168.1.1"])
def test_private_networks_are_closed_to_members(member: Someone, imap: ImapProxy, host: str) -> None:
    answer = member.post(CONNECT, _typed(imap, host=host, security="tls", port="993"))
    assert "leads into a private network" in _page(answer)


def test_without_tls_no_other_machine_is_asked(member: Someone, imap: ImapProxy) -> None:
    answer = member.post(CONNECT, _typed(imap, host="8.8.8.8", security="none"))
    assert "leads into a private network" in _page(answer)
    with override_settings(ALLOW_LOOPBACK_PROVIDERS=False):
        assert "Select a valid choice" in _page(member.post(CONNECT, _typed(imap, host="8.8.8.8", security="none")))


def test_a_mailbox_is_connected_again_with_a_new_password(member: Someone, imap: ImapProxy) -> None:
    typed = _typed(imap, user="ann-again", aliases="sales@acme.example")
    member.post(CONNECT, typed)
    [(mailbox_id, _, _)] = _mailboxes(member)
    with member.scope():
        rows("UPDATE mailbox SET state = 'reauthorize', import_from = now() WHERE id = %s", [mailbox_id])
    assert f"{CONNECT}?mailbox={mailbox_id}" in _page(member.get(PAGE))
    page = _page(member.get(f"{CONNECT}?mailbox={mailbox_id}"))
    assert "ann-again" in page
    assert "sales@acme.example</textarea>" in "".join(page.split("\n"))
    assert PASSWORD not in page
    # Another address is not taken: the mailbox stays who it is.
    answer = member.post(f"{CONNECT}?mailbox={mailbox_id}", {**typed, "address": "other@acme.example"})
    assert answer.headers["Location"] == PAGE
    assert _mailboxes(member) == [(mailbox_id, "imap", "on")]


def test_a_colleagues_mailbox_is_his(member: Someone, colleague: Someone, imap: ImapProxy) -> None:
    typed = _typed(imap)
    member.post(CONNECT, typed)
    [(mailbox_id, _, _)] = _mailboxes(member)
    assert "A colleague has connected this mailbox" in _page(colleague.post(CONNECT, typed))
    assert colleague.get(f"{CONNECT}?mailbox={mailbox_id}").status_code == 404


def test_disconnecting_forgets_the_password(member: Someone, imap: ImapProxy) -> None:
    member.post(CONNECT, _typed(imap))
    [(mailbox_id, _, _)] = _mailboxes(member)
    member.post(f"{PAGE}/{mailbox_id}/disconnect")
    with member.scope():
        assert row("SELECT count(*) FROM mailbox_secret WHERE mailbox_id = %s", [mailbox_id]) == (0,)
    assert f"{CONNECT}?mailbox={mailbox_id}" in _page(member.get(PAGE))


def test_why_an_email_is_not_here_is_asked_at_the_server(member: Someone, dovecot: Dovecot, imap: ImapProxy) -> None:
    hand = Hand(dovecot)
    hand.deliver(letter("Salary review"), "Trash")
    member.post(CONNECT, _typed(imap, user=hand.user))
    [(mailbox_id, _, _)] = _mailboxes(member)
    chosen = {"selection": "all", "since": "everything", "interval_s": "300", "level": "only_me"}
    member.post(f"{PAGE}/{mailbox_id}/settings", {**chosen, "on_leave": "keep", "on_delete": "keep"})
    page = _page(member.get(f"{PAGE}/{mailbox_id}/why?q=Salary+review"))
    assert "Salary review" in page
    assert "trash" in page
    hand.leave()
