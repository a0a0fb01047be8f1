"""What every connector promises, on every provider: who, where, what is listed, and the mails themselves.

The suite goes on in test_connector_following, _trouble and _convergence; what is promised stands in flowcrm.connectors.base.
"""

import random
from datetime import timedelta

import pytest

from flowcrm.connectors.base import Connector
from flowcrm.mail.errors import Gone, NeedsLogin, Transient
from flowcrm.mail.types import ChangeKind, FolderRole, Headers, ItemFailed, Scope, Search, Thread
from tests.contract.provider import Provider, State
from tests.contract.reading import (
    EVERYTHING,
    START,
    bookmark,
    deliver_many,
    error_of,
    fetched,
    listed,
    mail,
    pages,
    since,
    told,
)

# -- who and where ---------------------------------------------------------------------------------------------------------


def test_check_tells_the_owner_and_every_address_that_he_sends_as(provider: Provider, mailbox: Connector) -> None:
    deliver_many(provider, 2)
    account = mailbox.check()
    assert account.address == provider.address
    assert set(account.identities) == {provider.address, provider.alias}
    assert account.messages_total in (2, None)


def test_folders_have_their_roles(provider: Provider, mailbox: Connector) -> None:
    own = provider.create_folder("Customers")
    roles = {folder.provider_id: folder.role for folder in mailbox.folders()}
    assert roles[provider.inbox] is FolderRole.INBOX
    assert roles[provider.sent] is FolderRole.SENT
    assert roles[provider.drafts] is FolderRole.DRAFTS
    assert roles[provider.spam] is FolderRole.SPAM
    assert roles[provider.trash] is FolderRole.TRASH
    assert roles[own] is FolderRole.LABEL


@pytest.mark.where(keeps_folder_ids=True)
def test_a_renamed_folder_keeps_its_id(provider: Provider, mailbox: Connector) -> None:
    own = provider.create_folder("Customers")
    provider.rename_folder(own, "Kunden")
    assert {folder.provider_id: folder.name for folder in mailbox.folders()}[own] == "Kunden"


# -- looking for one mail --------------------------------------------------------------------------------------------------


def test_a_mail_is_found_by_its_message_id_and_by_its_subject(provider: Provider, mailbox: Connector) -> None:
    deliver_many(provider, 3)
    raw = mail("The budget for March", more="Message-ID: <budget@globex.example>\r\n")
    wanted = provider.deliver(raw, folder=provider.trash)
    assert mailbox.search(Search(message_id="budget@globex.example")) == (wanted,)
    assert mailbox.search(Search(subject="budget for march")) == (wanted,)
    assert mailbox.search(Search(message_id="nobody@nowhere.example")) == ()
    # What a person types is never a word of the search.
    assert mailbox.search(Search(subject='no such words" in:anywhere {')) == ()


# -- listing ---------------------------------------------------------------------------------------------------------------


def test_an_empty_mailbox_lists_nothing(mailbox: Connector) -> None:
    walked = list(pages(mailbox))
    assert [page.changes for page in walked] == [()] * len(walked)
    assert not walked[-1].more


def test_everything_is_listed_once_newest_first_over_pages(provider: Provider, mailbox: Connector) -> None:
    ids = deliver_many(provider, 3 * provider.page + 1)
    walked = [page for page in pages(mailbox) if page.listing]
    assert [change.provider_id for page in walked for change in page.changes] == ids
    assert all(len(page.changes) <= provider.page for page in walked)


def test_a_mailbox_of_whole_pages_is_listed_to_its_end(provider: Provider, mailbox: Connector) -> None:
    assert listed(mailbox) == []
    ids = deliver_many(provider, 2 * provider.page)
    assert listed(mailbox) == ids


def test_listed_mails_are_arrivals(provider: Provider, mailbox: Connector) -> None:
    deliver_many(provider, 2)
    assert {change.kind for page in pages(mailbox) for change in page.changes} == {ChangeKind.ARRIVED}


def test_what_a_listing_says_of_folders_is_true_or_left_open(provider: Provider, mailbox: Connector) -> None:
    deliver_many(provider, 4)
    truth = provider.holds()
    for change in mailbox.changes(None, EVERYTHING).changes:
        assert change.folder_ids in (None, truth[change.provider_id].folder_ids)
        assert change.unread in (None, truth[change.provider_id].unread)


def test_drafts_spam_and_trash_are_not_listed(provider: Provider, mailbox: Connector) -> None:
    for folder in (provider.drafts, provider.spam, provider.trash):
        provider.deliver(mail(folder), folder)
    sent = provider.deliver(mail("sent", "ann@acme.example", "bob@globex.example"), provider.sent, unread=False)
    assert listed(mailbox) == [sent]


def test_chosen_folders_are_joined_by_or(provider: Provider, mailbox: Connector) -> None:
    first, second, third = (provider.create_folder(name) for name in ("One", "Two", "Three"))
    in_first = [provider.deliver(mail(f"one {number}"), first) for number in range(provider.page + 1)]
    in_second = provider.deliver(mail("two"), second)
    provider.deliver(mail("three"), third)
    provider.deliver(mail("inbox"))
    assert sorted(listed(mailbox, Scope(folder_ids=(first, second)))) == sorted([*in_first, in_second])


@pytest.mark.where(has_many_folders=True)
def test_a_mail_in_two_chosen_folders_is_found(provider: Provider, mailbox: Connector) -> None:
    first, second = provider.create_folder("One"), provider.create_folder("Two")
    both = provider.deliver(mail(), first)
    provider.file(both, add=[second])
    assert set(listed(mailbox, Scope(folder_ids=(first, second)))) == {both}


def test_a_chosen_folder_that_was_deleted_does_not_stop_the_others(provider: Provider, mailbox: Connector) -> None:
    first, second = provider.create_folder("One"), provider.create_folder("Two")
    here = provider.deliver(mail("two"), second)
    provider.delete_folder(first)
    assert listed(mailbox, Scope(folder_ids=(first, second))) == [here]


@pytest.mark.parametrize("scope", [Scope(folder_ids=()), Scope(addresses=())])
def test_nothing_chosen_lists_nothing_and_still_gives_a_bookmark(provider: Provider, mailbox: Connector, scope: Scope) -> None:
    deliver_many(provider, 2)
    walked = list(pages(mailbox, scope=scope))
    assert not any(page.changes for page in walked)
    late = provider.deliver(mail("late"))
    assert [change.provider_id for change in since(mailbox, walked[-1].cursor)[0]] == [late]


def test_addresses_are_found_in_from_to_cc_and_bcc(provider: Provider, mailbox: Connector) -> None:
    eve = "eve@initech.example"
    wanted = [
        provider.deliver(mail("from", sender=f'"Eve, the one" <{eve}>')),
        provider.deliver(mail("to", to=f"ann@acme.example, {eve}")),
        provider.deliver(mail("cc", more=f"Cc: {eve}\r\n")),
        provider.deliver(mail("bcc", "ann@acme.example", "bob@globex.example", f"Bcc: {eve}\r\n"), provider.sent),
    ]
    provider.deliver(mail("other"))
    provider.deliver(mail(f"only in the text: {eve}", more=f"X-Note: {eve}\r\n"))
    assert set(listed(mailbox, Scope(addresses=(eve,)))) == set(wanted)


def test_many_addresses_are_joined_by_or(provider: Provider, mailbox: Connector) -> None:
    people = tuple(f"p{number}@initech.example" for number in range(7))
    wanted = [provider.deliver(mail(person, sender=person)) for person in people]
    provider.deliver(mail("other"))
    assert set(listed(mailbox, Scope(addresses=people))) == set(wanted)


@pytest.mark.parametrize(
    "address", ["} from:bob {@other.example", '"bob@globex.example" OR x@y.example', "-x@globex.example", "x:y@z.example"]
)
def test_no_address_can_ask_for_other_mail(provider: Provider, mailbox: Connector, address: str) -> None:
    provider.deliver(mail("secret"))
    assert listed(mailbox, Scope(addresses=(address,))) == []


def test_since_takes_its_own_second_in_and_nothing_much_older(provider: Provider, mailbox: Connector) -> None:
    provider.deliver(mail("older"), at=START - timedelta(seconds=2))
    wanted = [provider.deliver(mail(str(late)), at=START + timedelta(seconds=late)) for late in (0, 1, 3600)]
    assert listed(mailbox, Scope(since=START)) == wanted[::-1]


def test_until_takes_what_is_older_than_its_moment_and_nothing_much_younger(provider: Provider, mailbox: Connector) -> None:
    wanted = [provider.deliver(mail(str(at)), at=START + timedelta(seconds=at)) for at in (-3600, -1, -0.25)]
    provider.deliver(mail("younger"), at=START + timedelta(seconds=3))
    assert set(wanted) <= set(listed(mailbox, Scope(until=START)))
    assert len(listed(mailbox, Scope(until=START))) == len(wanted)
    assert set(listed(mailbox, Scope(since=START, until=START))) == set(wanted[1:])


def test_restrictions_are_joined_by_and(provider: Provider, mailbox: Connector) -> None:
    own = provider.create_folder("Own")
    eve = "eve@initech.example"
    wanted = provider.deliver(mail("all three", sender=eve), own, START)
    provider.deliver(mail("too old", sender=eve), own, START - timedelta(days=1))
    provider.deliver(mail("other folder", sender=eve), at=START)
    provider.deliver(mail("other person"), own, START)
    assert listed(mailbox, Scope(since=START, folder_ids=(own,), addresses=(eve,))) == [wanted]


# -- mails -----------------------------------------------------------------------------------------------------------------

NASTY = {
    "8 bit without charset": b"Subject: caf\xe9\r\nFrom: a@b.example\r\n\r\n\x80\xff\r\n",
    "bare line ends": b"Subject: x\nFrom: a@b.example\n\nline\rline\n",
    "NUL": b"Subject: a\x00b\r\n\r\n\x00\x00",
    "no header": b"\r\nonly a body",
    "no body": b"Subject: only a head\r\n",
    "long": b"Subject: long\r\n\r\n" + b"0123456789\r\n" * 100_000,
    "encoded words": b"Subject: =?utf-8?q?caf=C3=A9?=\r\nFrom: =?x?q?y?= <a@b.example>\r\n\r\n",
}


@pytest.mark.parametrize("raw", NASTY.values(), ids=NASTY)
def test_a_mail_comes_byte_for_byte(provider: Provider, mailbox: Connector, raw: bytes) -> None:
    assert fetched(mailbox.fetch(told(mailbox, [provider.deliver(raw)]))[0]).raw == provider.held(raw)


def test_a_mail_comes_with_its_place_and_time(provider: Provider, mailbox: Connector) -> None:
    known = provider.deliver(mail(), at=START + timedelta(milliseconds=250))
    mails = [fetched(answer) for answer in mailbox.fetch(told(mailbox, [known]))]
    assert [(found.provider_id, State(found.folder_ids, found.unread)) for found in mails] == [(known, provider.holds()[known])]
    assert mails[0].at.replace(microsecond=0) == START


def test_mails_come_in_the_order_of_their_ids(provider: Provider, mailbox: Connector) -> None:
    ids = told(mailbox, deliver_many(provider, 12))
    random.Random(1).shuffle(ids)
    assert [fetched(answer).provider_id for answer in mailbox.fetch(ids)] == ids
    assert [answer.provider_id for answer in mailbox.headers(ids)] == ids


def test_mails_of_a_conversation_share_their_thread_where_there_are_threads(provider: Provider, mailbox: Connector) -> None:
    first = provider.deliver(mail("Offer", more="Message-ID: <1@x.example>\r\n"))
    second = provider.deliver(mail("Re: Offer", more="Message-ID: <2@x.example>\r\nIn-Reply-To: <1@x.example>\r\n"))
    other = provider.deliver(mail("Lunch", more="Message-ID: <3@x.example>\r\n"))
    one, two, three = (fetched(answer).thread_id for answer in mailbox.fetch(told(mailbox, [first, second, other])))
    assert one == two
    assert one is None or one != three


def test_headers_come_without_the_body(provider: Provider, mailbox: Connector) -> None:
    known = provider.deliver(mail("Hello", more="Cc: eve@initech.example\r\n"))
    (answer,) = mailbox.headers(told(mailbox, [known]))
    assert isinstance(answer, Headers)
    assert State(answer.folder_ids, answer.unread) == provider.holds()[known]
    fields = {name.lower(): value for name, value in answer.fields}
    assert (fields["subject"], fields["from"], fields["cc"]) == ("Hello", "bob@globex.example", "eve@initech.example")


def test_a_mail_that_is_gone_costs_no_other(provider: Provider, mailbox: Connector) -> None:
    ids = told(mailbox, deliver_many(provider, 5))
    provider.delete(ids[2])
    answers = mailbox.fetch(ids)
    assert isinstance(error_of(answers[2]), Gone)
    assert [fetched(answer).provider_id for answer in (*answers[:2], *answers[3:])] == [*ids[:2], *ids[3:]]
    assert isinstance(error_of(mailbox.headers(ids)[2]), Gone)


def test_an_id_that_never_was_is_gone_or_refused(provider: Provider, mailbox: Connector) -> None:
    [known] = told(mailbox, [provider.deliver(mail())])
    answers = mailbox.fetch(["../labels", known])
    assert not isinstance(error_of(answers[0]), Transient | NeedsLogin)
    assert fetched(answers[1]).provider_id == known


# -- threads ---------------------------------------------------------------------------------------------------------------


def test_a_thread_shows_all_its_mails_wherever_they_lie(provider: Provider, mailbox: Connector) -> None:
    places = (provider.inbox, *((provider.drafts, provider.trash) if provider.shows_unlisted else (provider.sent,)))
    first = provider.deliver(mail(more="Message-ID: <1@acme.example>\r\n"), at=START)
    answers = [
        provider.deliver(mail("Re: Hello", more="In-Reply-To: <1@acme.example>\r\n"), folder, START + timedelta(hours=hour))
        for hour, folder in enumerate(places, 1)
    ]
    provider.deliver(mail("other"))
    thread_id = {one.provider_id: one.thread_id for page in pages(mailbox) for one in page.changes}[first]
    [thread] = mailbox.threads([thread_id or ""])
    assert isinstance(thread, Thread)
    truth = provider.holds()
    assert {one.provider_id: one.folder_ids for one in thread.mails} == {
        one: truth[one].folder_ids for one in (first, *answers)
    }
    assert {one.provider_id: one.at for one in thread.mails} == {
        one: START + timedelta(hours=hour) for hour, one in enumerate((first, *answers))
    }


def test_a_thread_that_never_was_does_not_cost_the_others(provider: Provider, mailbox: Connector) -> None:
    provider.deliver(mail())
    [change] = (change for page in pages(mailbox) for change in page.changes)
    gone, found = mailbox.threads(["0", change.thread_id or ""])
    assert isinstance(gone, ItemFailed)
    assert not isinstance(gone.error, Transient | NeedsLogin)
    assert isinstance(found, Thread)


@pytest.mark.where(has_many_folders=True)
def test_a_folder_is_listed_everywhere_when_asked_so(provider: Provider, mailbox: Connector) -> None:
    own = provider.create_folder("Own")
    here, deleted = provider.deliver(mail(), own), provider.deliver(mail("deleted"), own)
    provider.file(deleted, add=[provider.trash])
    assert listed(mailbox, Scope(folder_ids=(own,))) == [here]
    assert set(listed(mailbox, Scope(folder_ids=(own,), everywhere=True))) == {here, deleted}


# -- the mailbox afterwards ------------------------------------------------------------------------------------------------


def test_reading_everything_leaves_the_mailbox_as_it_was(provider: Provider, mailbox: Connector) -> None:
    ids = deliver_many(provider, 8)
    provider.deliver(mail("draft"), provider.drafts)
    provider.create_folder("Own")
    cursor = bookmark(mailbox)
    provider.mark(ids[0], unread=False)
    before = provider.digest()
    mailbox.check()
    mailbox.folders()
    assert len(listed(mailbox)) == 8
    since(mailbox, cursor)
    mailbox.headers(ids)
    mailbox.fetch(ids)
    assert provider.digest() == before
