"""What is so of IMAP only, at a real server: UIDs that begin anew, folders by the dozen, marks for deletion, signing in."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flowcrm.connectors.imap.api import ImapSettings
from flowcrm.connectors.imap.client import ImapConnector
from flowcrm.lib.http import HostRules
from flowcrm.mail.errors import MailError, NeedsLogin, Permanent, Transient
from flowcrm.mail.types import ChangeKind, Fetched, ItemFailed, Scope, Security, ServerLogin
from standins.imap.dovecot import PASSWORD, Dovecot
from tests.contract.imap import Imap, MemoryCatalogue, key
from tests.contract.reading import EVERYTHING, START, bookmark, deliver_many, fetched, listed, mail, pages, since, told
from tests.post.authority import make_authority

pytestmark = pytest.mark.needs_dovecot

_USERS = itertools.count(1)


@pytest.fixture(params=[False, True], ids=["imap", "imap-plain"])
def imap(request: pytest.FixtureRequest, dovecot: Dovecot) -> Iterator[Imap]:
    """An empty mailbox, at a server with and without extensions."""
    found = Imap(dovecot, f"own{next(_USERS)}", plain=request.param)
    yield found
    assert found.writes() == []
    found.close()


# -- changes ---------------------------------------------------------------------------------------------------------------


def test_uids_that_begin_anew_are_other_mails(imap: Imap) -> None:
    """The folder was made anew under its old name: nothing that we know of it holds any more."""
    own = imap.create_folder("Own")
    old = [imap.deliver(mail(f"n{number}"), own) for number in range(2 * imap.page)]
    mailbox = imap.connect()
    cursor = bookmark(mailbox)
    imap.make_anew(own)
    new = imap.deliver(mail("after"), own)
    changes, cursor = since(mailbox, cursor)
    assert {change.provider_id for change in changes if change.kind is ChangeKind.GONE} == set(old)
    assert [change.provider_id for change in changes if change.kind is ChangeKind.ARRIVED] == [new]
    assert since(mailbox, cursor)[0] == []
    assert [type(answer) for answer in mailbox.fetch([old[0], new])] == [ItemFailed, Fetched]


def test_mails_whose_uids_began_anew_are_the_same_mails(imap: Imap) -> None:
    """Restored from a backup, or copied to another host: other UIDs, and nothing is fetched a second time for it."""
    own = imap.create_folder("Own")
    ids = {imap.deliver(mail(f"n{number}"), own) for number in range(2)}
    mailbox = imap.connect()
    cursor = bookmark(mailbox)
    aside = imap.create_folder("Aside")
    for one in ids:
        imap.file(one, add=[aside])
    imap.make_anew(own)
    for one in ids:
        imap.file(one, add=[own])
    changes, cursor = since(mailbox, cursor)
    assert {change.provider_id: change.folder_ids for change in changes if change.kind is not ChangeKind.GONE} == dict.fromkeys(
        ids, frozenset({own})
    )
    assert {fetched(answer).provider_id for answer in mailbox.fetch(sorted(ids))} == ids


def test_a_folder_made_anew_while_it_is_listed_costs_no_other(imap: Imap) -> None:
    own = imap.create_folder("Own")
    for number in range(2 * imap.page):
        imap.deliver(mail(f"own {number}"), own, START + timedelta(days=30, hours=number))
    ids = deliver_many(imap, 2)
    mailbox = imap.connect()
    page = mailbox.changes(None, EVERYTHING)
    while not page.changes:
        page = mailbox.changes(page.cursor, EVERYTHING)
    imap.make_anew(own)
    new = imap.deliver(mail("after"), own)
    rest = [change for page in pages(mailbox, page.cursor) for change in page.changes]
    kinds = {change.provider_id: change.kind for change in rest}
    assert {*ids, new} <= {one for one, kind in kinds.items() if kind is ChangeKind.ARRIVED}
    assert all(kinds[change.provider_id] is ChangeKind.GONE for change in page.changes)


def test_a_copy_of_a_mail_is_the_same_mail_in_two_folders(imap: Imap) -> None:
    own = imap.create_folder("Own")
    known = imap.deliver(mail())
    mailbox = imap.connect()
    cursor = bookmark(mailbox)
    imap.copy(known, own)
    changes, cursor = since(mailbox, cursor)
    assert [(one.provider_id, one.folder_ids) for one in changes] == [(known, frozenset({imap.inbox, own}))]
    imap.delete_in(known, imap.inbox)
    changes, _ = since(mailbox, cursor)
    assert [(one.kind, one.provider_id, one.folder_ids, one.left_ids) for one in changes] == [
        (ChangeKind.FOLDERS, known, frozenset({own}), frozenset({imap.inbox}))
    ]


def test_mails_that_share_a_message_id_are_two(imap: Imap) -> None:
    same = "Message-ID: <scan@printer.example>\r\n"
    ids = [imap.deliver(mail(f"Scan {page}", more=same), at=START + timedelta(hours=page)) for page in (1, 2)]
    assert listed(imap.connect()) == ids[::-1]
    assert ids[0] != ids[1]


def test_a_page_that_is_read_again_tells_the_same(imap: Imap) -> None:
    """Whoever died before he wrote the page down asks for it again: the catalogue has it already, and tells all the same."""
    own = imap.create_folder("Own")
    moved, gone = imap.deliver(mail("moved")), imap.deliver(mail("gone"))
    mailbox = imap.connect()
    cursor = bookmark(mailbox)
    imap.file(moved, add=[own])
    imap.delete(gone)
    imap.deliver(mail("new"))
    assert since(mailbox, cursor) == since(mailbox, cursor)
    assert len(since(mailbox, cursor)[0]) == 3


def test_what_is_marked_for_deletion_is_gone_and_may_come_back(imap: Imap) -> None:
    known = imap.deliver(mail())
    mailbox = imap.connect()
    cursor = bookmark(mailbox)
    imap.flag(known, rb"\Deleted")
    changes, cursor = since(mailbox, cursor)
    assert [(change.kind, change.provider_id) for change in changes] == [(ChangeKind.GONE, known)]
    imap.flag(known, rb"\Deleted", off=True)
    changes, _ = since(mailbox, cursor)
    assert [(change.kind, change.provider_id) for change in changes] == [(ChangeKind.ARRIVED, known)]


def test_two_changes_that_leave_the_figures_alone_are_found_in_the_inbox(imap: Imap) -> None:
    first, second = imap.deliver(mail("1")), imap.deliver(mail("2"), unread=False)
    mailbox = imap.connect()
    cursor = bookmark(mailbox)
    imap.mark(first, unread=False)
    imap.mark(second, unread=True)
    now = {change.provider_id: change.unread for change in since(mailbox, cursor)[0]}
    assert now == {first: False, second: True}


def test_a_deleted_folder_takes_its_mails_along(imap: Imap) -> None:
    own = imap.create_folder("Own")
    ids = [imap.deliver(mail(str(number)), own) for number in range(2 * imap.page)]
    mailbox = imap.connect()
    cursor = bookmark(mailbox)
    imap.delete_folder(own)
    changes, cursor = since(mailbox, cursor)
    assert {change.provider_id for change in changes if change.kind is ChangeKind.GONE} == set(ids)
    assert own not in cursor


def test_a_new_folder_is_followed_from_its_first_mail(imap: Imap) -> None:
    mailbox = imap.connect()
    cursor = bookmark(mailbox)
    ids = [imap.deliver(mail(str(number)), imap.create_folder(f"Own {number}")) for number in range(6)]
    assert {change.provider_id for change in since(mailbox, cursor)[0]} == set(ids)


# -- listing ---------------------------------------------------------------------------------------------------------------


def test_folders_are_listed_side_by_side_newest_first(imap: Imap) -> None:
    own = imap.create_folder("Own")
    places = [imap.inbox, imap.sent, own]
    ids = [imap.deliver(mail(str(day)), places[day % 3], START + timedelta(days=2 * day)) for day in range(12)]
    assert listed(imap.connect()) == ids[::-1]


def test_dozens_of_folders_are_listed_and_followed_over_pages(imap: Imap) -> None:
    own = [imap.create_folder(f"Customers/{number:02}") for number in range(15)]
    ids = [imap.deliver(mail(str(number)), folder) for number, folder in enumerate(own)]
    mailbox = imap.connect()
    assert set(listed(mailbox)) == set(ids)
    cursor = bookmark(mailbox)
    for one in ids:
        imap.mark(one, unread=False)
    changes, cursor = since(mailbox, cursor)
    assert {change.provider_id: change.unread for change in changes} == dict.fromkeys(ids, False)
    assert since(mailbox, cursor)[0] == []


def test_on_a_slow_line_pages_are_short_and_still_go_on(imap: Imap) -> None:
    own = [imap.create_folder(f"Customers/{number}") for number in range(4)]
    ids = [imap.deliver(mail(str(number)), folder) for number, folder in enumerate(own)]
    mailbox = imap.connect(page_seconds=0)
    assert set(listed(mailbox)) == set(ids)
    cursor = bookmark(mailbox)
    for one in ids:
        imap.mark(one, unread=False)
    walked = list(pages(mailbox, cursor))
    assert {change.provider_id for page in walked for change in page.changes} == set(ids)
    assert all(len(page.changes) <= 1 for page in walked)


def test_more_addresses_than_are_searched_for_are_found_in_the_headers(imap: Imap) -> None:
    wanted = imap.deliver(mail("reply to", more="Reply-To: =?utf-8?q?Eve?= <EVE@initech.example>\r\n"))
    imap.deliver(mail("other", sender="eve@initech.example.org"))
    few = ("eve@initech.example",)
    many = (*few, *(f"p{number}@x.example" for number in range(9)))
    for addresses in (few, many):
        assert listed(imap.connect(), Scope(addresses=addresses)) == [wanted]


@pytest.mark.parametrize("name", ['Quo"ted', "Büro & Söhne", "顧客", "a\\b", "100%", "star*", "INBOX2"])
def test_folders_have_any_name(imap: Imap, name: str) -> None:
    own = imap.create_folder(name)
    wanted = imap.deliver(mail("für Sie"), own)
    mailbox = imap.connect()
    assert name in {folder.name for folder in mailbox.folders()}
    assert listed(mailbox, Scope(folder_ids=(own,))) == [wanted]
    assert fetched(mailbox.fetch([wanted])[0]).folder_ids == {own}


# -- trouble ---------------------------------------------------------------------------------------------------------------

COMMANDS = ("imap.list", "imap.status", "imap.examine", "imap.search", "imap.fetch", "imap.authenticate")
TROUBLES: dict[str, dict[str, object]] = {
    "unavailable": {"kind": "status", "reason": "UNAVAILABLE"},
    "dropped": {"kind": "drop"},
    "cut": {"kind": "cut"},
    "late": {"kind": "timeout", "seconds": 2},
    "garbled": {"kind": "wrong_json"},
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", TROUBLES)
def test_trouble_at_any_command_loses_nothing(imap: Imap, command: str, kind: str) -> None:
    own = imap.create_folder("Own")
    ids = {*deliver_many(imap, 4), imap.deliver(mail("own"), own)}
    mailbox = imap.connect()
    imap.make_trouble(command, **TROUBLES[kind], every=2, count=1 if kind == "late" else 6)
    found: dict[str, ChangeKind] = {}
    cursor, more, failed = None, True, 0
    while more:
        try:
            page = mailbox.changes(cursor, EVERYTHING)
        except Transient:
            failed += 1
            assert failed <= 6
            continue
        found |= {change.provider_id: change.kind for change in page.changes}
        cursor, more = page.cursor, page.more
    assert found == dict.fromkeys(ids, ChangeKind.ARRIVED)


def test_a_mail_that_is_too_large_is_named_and_costs_no_other(imap: Imap) -> None:
    large, small = imap.deliver(mail("large") + b"x" * 50_000), imap.deliver(mail("small"))
    mailbox = imap.connect(item_bytes=40_000)
    answers = mailbox.fetch(told(mailbox, [large, small]))
    assert isinstance(answers[0], ItemFailed)
    assert (type(answers[0].error), answers[0].error.code) == (Permanent, "too_large")
    assert fetched(answers[1]).provider_id == small


def test_a_header_that_is_too_large_holds_up_no_listing(imap: Imap) -> None:
    imap.deliver(mail("large", more="To: ann@acme.example\r\n" * 2000), at=START - timedelta(days=1))
    ids = deliver_many(imap, 2)
    found = listed(imap.connect(item_bytes=30_000))
    assert (found[:2], len(found)) == (ids, 3)


def test_a_call_ends_when_memory_is_full(imap: Imap) -> None:
    ids = [imap.deliver(mail(str(number)) + b"x" * 2000) for number in range(5)]
    mailbox = imap.connect(fetch_bytes=4000)
    assert len(mailbox.fetch(told(mailbox, ids))) == 2


# -- signing in ------------------------------------------------------------------------------------------------------------


def _connect(port: int, security: Security, *, password: str = PASSWORD, host: str = "localhost") -> ImapConnector:
    return ImapConnector(
        server=ServerLogin(host, port, security, "tls", password),
        settings=ImapSettings("ann@acme.example", hosts=HostRules(loopback=True)),
        spend=lambda units: None,
        key=key,
        catalogue=MemoryCatalogue(),
    )


def _error(connector: ImapConnector) -> MailError:
    with pytest.raises(MailError) as caught:
        connector.check()
    connector.close()
    return caught.value


def test_tls_from_the_first_byte_and_by_starttls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, trusted = make_authority(tmp_path)
    pem = tmp_path / "server.pem"
    with Dovecot((pem, pem)) as server:
        for port, security in ((server.tls_port, Security.TLS), (server.port, Security.STARTTLS)):
            with monkeypatch.context() as trusting:
                trusting.setenv("SSL_CERT_FILE", str(trusted))
                connector = _connect(port, security)
                assert connector.check().messages_total == 0
                connector.close()
                # Not the name in the certificate.
                assert _error(_connect(port, security, host="127.0.0.1")).code == "certificate"
            assert _error(_connect(port, security)).code == "certificate"


@pytest.mark.parametrize("password", ["wrong", "wrong\r\na LOGOUT", "wröng"])
def test_a_wrong_password_is_the_owners_to_mend(dovecot: Dovecot, password: str) -> None:
    assert isinstance(_error(_connect(dovecot.port, Security.NONE, password=password)), NeedsLogin)
