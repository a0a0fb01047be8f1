"""What every connector promises about changes: nothing falls between listing and following, and every change is told."""

import pytest

from flowcrm.connectors.base import Connector
from flowcrm.mail.errors import CursorLost
from flowcrm.mail.types import ChangeKind, Scope
from tests.contract.provider import Provider
from tests.contract.reading import EVERYTHING, bookmark, deliver_many, listed, mail, pages, since

# -- between listing and following -----------------------------------------------------------------------------------------


def test_what_happens_while_listing_is_not_lost(provider: Provider, mailbox: Connector) -> None:
    ids = deliver_many(provider, 3 * provider.page)
    first = mailbox.changes(None, EVERYTHING)
    late = provider.deliver(mail("late"))
    provider.delete(ids[0])
    provider.delete(ids[-1])
    provider.mark(ids[1], unread=False)
    rest = [change for page in pages(mailbox, first.cursor) for change in page.changes]
    assert late in {change.provider_id for change in rest if change.kind is ChangeKind.ARRIVED}
    assert ids[0] in {change.provider_id for change in rest if change.kind is ChangeKind.GONE}
    assert any(change.provider_id == ids[1] and change.unread is False for change in rest)
    known = {change.provider_id for change in (*first.changes, *rest)}
    assert known >= set(ids) - {ids[-1]}


def test_after_a_listing_the_walk_goes_on_at_once_with_what_changed_meanwhile(provider: Provider, mailbox: Connector) -> None:
    deliver_many(provider, 2)
    walked = list(pages(mailbox))
    assert [page.listing for page in walked] == [True] * (len(walked) - 1) + [False]
    assert [page.more for page in walked] == [True] * (len(walked) - 1) + [False]


def test_a_cursor_outlives_its_connector(provider: Provider) -> None:
    ids = deliver_many(provider, 2 * provider.page)
    found: list[str] = []
    cursor: str | None = None
    more = True
    while more:
        page = provider.connect().changes(cursor, EVERYTHING)
        found += [change.provider_id for change in page.changes]
        cursor, more = page.cursor, page.more
    assert found == ids


def test_a_page_asked_for_twice_is_the_same_page(provider: Provider, mailbox: Connector) -> None:
    """A worker that died after reading a page asks for it again."""
    deliver_many(provider, 3 * provider.page)
    second = mailbox.changes(None, EVERYTHING).cursor
    assert mailbox.changes(second, EVERYTHING) == mailbox.changes(second, EVERYTHING)


# -- following -------------------------------------------------------------------------------------------------------------


def test_a_quiet_mailbox_changes_nothing(provider: Provider, mailbox: Connector) -> None:
    deliver_many(provider, 2)
    cursor = bookmark(mailbox)
    for _ in range(3):
        changes, cursor = since(mailbox, cursor)
        assert changes == []


def test_an_arrival_is_told_with_its_folders(provider: Provider, mailbox: Connector) -> None:
    cursor = bookmark(mailbox)
    new = provider.deliver(mail())
    (change,) = since(mailbox, cursor)[0]
    assert (change.kind, change.provider_id) == (ChangeKind.ARRIVED, new)
    assert change.folder_ids in (None, frozenset({provider.inbox}))
    assert change.unread in (None, True)


def test_filing_is_told_with_all_folders_after_it(provider: Provider, mailbox: Connector) -> None:
    own = provider.create_folder("Own")
    known = provider.deliver(mail())
    cursor = bookmark(mailbox)
    provider.file(known, add=[own])
    changes, cursor = since(mailbox, cursor)
    assert [change.provider_id for change in changes] == [known]
    assert changes[0].kind is not ChangeKind.GONE
    assert changes[0].folder_ids == provider.holds()[known].folder_ids
    provider.file(known, add=[provider.inbox], remove=[own])
    changes, _ = since(mailbox, cursor)
    assert changes[-1].folder_ids == provider.holds()[known].folder_ids
    assert own in changes[-1].left_ids


def test_a_renamed_folder_takes_its_mails_along(provider: Provider, mailbox: Connector) -> None:
    own = provider.create_folder("Own")
    known = provider.deliver(mail(), own)
    cursor = bookmark(mailbox)
    provider.rename_folder(own, "Renamed")
    changes, _ = since(mailbox, cursor)
    assert [change.kind for change in changes if change.kind is ChangeKind.GONE] == []
    told = {change.provider_id: change.folder_ids for change in changes}
    assert told.get(known, provider.holds()[known].folder_ids) == provider.holds()[known].folder_ids


def test_reading_a_mail_is_told(provider: Provider, mailbox: Connector) -> None:
    known = provider.deliver(mail())
    cursor = bookmark(mailbox)
    provider.mark(known, unread=False)
    (change,) = since(mailbox, cursor)[0]
    assert (change.provider_id, change.unread) == (known, False)


def test_a_mail_filed_into_a_chosen_folder_later_is_told_although_the_scope_names_folders(
    provider: Provider, mailbox: Connector
) -> None:
    own = provider.create_folder("Own")
    known = provider.deliver(mail())
    scope = Scope(folder_ids=(own,))
    cursor = list(pages(mailbox, scope=scope))[-1].cursor
    provider.file(known, add=[own])
    told = {change.provider_id: change for change in mailbox.changes(cursor, scope).changes}
    [there] = provider.holds()
    assert own in (told[there].folder_ids or ())
    assert there == known


def test_a_deleted_folder_does_not_lose_the_bookmark(provider: Provider, mailbox: Connector) -> None:
    own = provider.create_folder("Own")
    known = provider.deliver(mail(), own)
    scope = Scope(folder_ids=(own,))
    cursor = list(pages(mailbox, scope=scope))[-1].cursor
    provider.delete_folder(own)
    (change,) = mailbox.changes(cursor, scope).changes
    there = provider.holds().get(known)
    assert (change.provider_id, change.folder_ids) == (known, there and there.folder_ids)
    assert (change.kind is ChangeKind.GONE) == (there is None)


def test_a_deleted_mail_is_gone(provider: Provider, mailbox: Connector) -> None:
    known = provider.deliver(mail())
    cursor = bookmark(mailbox)
    provider.delete(known)
    assert [(change.kind, change.provider_id) for change in since(mailbox, cursor)[0]] == [(ChangeKind.GONE, known)]


def test_a_mail_taken_out_of_spam_is_told(provider: Provider, mailbox: Connector) -> None:
    rescued = provider.deliver(mail(), provider.spam)
    cursor = bookmark(mailbox)
    provider.file(rescued, add=[provider.inbox], remove=[provider.spam])
    changes, _ = since(mailbox, cursor)
    told = {change.provider_id: change for change in changes}[rescued]
    assert told.kind is not ChangeKind.GONE
    assert told.folder_ids in (None, frozenset({provider.inbox}))


def test_many_changes_come_over_pages_and_none_is_missing(provider: Provider, mailbox: Connector) -> None:
    cursor = bookmark(mailbox)
    new = deliver_many(provider, 3 * provider.page + 1)
    changes, cursor = since(mailbox, cursor)
    assert {change.provider_id for change in changes} == set(new)
    assert since(mailbox, cursor)[0] == []


def test_what_happens_between_two_pages_of_changes_is_not_lost(provider: Provider, mailbox: Connector) -> None:
    cursor = bookmark(mailbox)
    deliver_many(provider, 2 * provider.page)
    first = mailbox.changes(cursor, EVERYTHING)
    assert first.more
    late = provider.deliver(mail("late"))
    changes, cursor = since(mailbox, first.cursor)
    changes += since(mailbox, cursor)[0]
    assert late in {change.provider_id for change in changes}


@pytest.mark.where(forgets=True)
def test_a_forgotten_bookmark_is_lost_and_a_new_listing_finds_everything(provider: Provider, mailbox: Connector) -> None:
    ids = deliver_many(provider, 2)
    cursor = bookmark(mailbox)
    late = provider.deliver(mail("late"))
    provider.forget_changes()
    for _ in range(2):
        with pytest.raises(CursorLost):
            mailbox.changes(cursor, EVERYTHING)
    assert set(listed(mailbox)) == {late, *ids}
    assert since(mailbox, bookmark(mailbox))[0] == []


@pytest.mark.parametrize("cursor", ["", "nonsense", "{}"])
def test_a_cursor_that_is_none_of_ours_is_lost(mailbox: Connector, cursor: str) -> None:
    with pytest.raises(CursorLost):
        mailbox.changes(cursor, EVERYTHING)
