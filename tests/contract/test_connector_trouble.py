"""What every connector promises when its provider is in trouble: the right word for it, no second try, nothing lost."""

from datetime import timedelta

import pytest

from flowcrm.connectors.base import Connector
from flowcrm.lib import clock
from flowcrm.mail.errors import MailError, NeedsLogin, PermissionMissing, RateLimited, Transient
from flowcrm.mail.types import Fetched, ItemFailed
from tests.contract.provider import Operation, Provider, Trouble
from tests.contract.reading import EVERYTHING, START, bookmark, call, deliver_many, mail, since, told

MEANING: dict[Trouble, type[MailError]] = {
    Trouble.THROTTLED: RateLimited,
    Trouble.SIGNED_OUT: NeedsLogin,
    Trouble.DOWN: Transient,
    Trouble.NO_ANSWER: Transient,
    Trouble.CUT: Transient,
    Trouble.LATE: Transient,
    Trouble.GARBLED: Transient,
}


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("kind", MEANING)
def test_trouble_is_named_and_the_next_call_works(
    provider: Provider, mailbox: Connector, kind: Trouble, operation: Operation
) -> None:
    ids = [provider.deliver(mail())]
    cursor = bookmark(mailbox)
    provider.trouble(kind, operation)
    before = provider.requests()
    with pytest.raises(MailError) as caught:
        call(mailbox, operation, cursor, ids)
    assert type(caught.value) is MEANING[kind]
    assert caught.value.text
    # Two where the operation is more than one request (the profile before a listing); never a second try.
    assert provider.requests() - before <= 2
    call(mailbox, operation, cursor, ids)


@pytest.mark.where(says_when=True)
@pytest.mark.parametrize("operation", Operation)
def test_the_provider_says_when_to_come_back(provider: Provider, mailbox: Connector, operation: Operation) -> None:
    ids = [provider.deliver(mail())]
    cursor = bookmark(mailbox)
    provider.trouble(Trouble.THROTTLED, operation)
    with pytest.raises(RateLimited) as caught:
        call(mailbox, operation, cursor, ids)
    assert caught.value.retry_at is not None
    assert clock.now() < caught.value.retry_at < clock.now() + timedelta(seconds=18)


@pytest.mark.parametrize("operation", Operation)
def test_a_missing_permission_is_named(provider: Provider, operation: Operation) -> None:
    ids = [provider.deliver(mail())]
    cursor = bookmark(provider.connect())
    with pytest.raises(PermissionMissing) as caught:
        call(provider.connect_with_less_permission(), operation, cursor, ids)
    assert caught.value.scope


@pytest.mark.parametrize("kind", [Trouble.THROTTLED, Trouble.SIGNED_OUT])
def test_trouble_of_the_mailbox_in_the_middle_keeps_what_was_read(
    provider: Provider, mailbox: Connector, kind: Trouble
) -> None:
    ids = told(mailbox, deliver_many(provider, 40))
    provider.trouble(kind, Operation.FETCH, skip=10, count=0)
    before = provider.requests()
    answers = mailbox.fetch(ids)
    assert [answer.provider_id for answer in answers] == ids
    read = [answer for answer in answers if isinstance(answer, Fetched)]
    failed = [answer for answer in answers if isinstance(answer, ItemFailed)]
    assert len(read) == 10
    assert all(isinstance(answer.error, MEANING[kind]) for answer in failed)
    # No use to go on asking: only what was under way beside the first refusal was asked for.
    assert provider.requests() - before < 30


@pytest.mark.parametrize("kind", [Trouble.DOWN, Trouble.CUT, Trouble.NO_ANSWER, Trouble.GARBLED])
def test_trouble_of_one_mail_costs_no_other(provider: Provider, mailbox: Connector, kind: Trouble) -> None:
    ids = told(mailbox, deliver_many(provider, 10))
    provider.trouble(kind, Operation.FETCH, skip=4, count=1)
    answers = mailbox.fetch(ids)
    assert [isinstance(answer, Fetched) for answer in answers].count(True) == 9
    (failed,) = (answer for answer in answers if isinstance(answer, ItemFailed))
    assert isinstance(failed.error, Transient)


@pytest.mark.parametrize("kind", [Trouble.DOWN, Trouble.CUT, Trouble.NO_ANSWER, Trouble.THROTTLED, Trouble.GARBLED])
def test_a_listing_with_trouble_on_every_page_is_complete_in_the_end(
    provider: Provider, mailbox: Connector, kind: Trouble
) -> None:
    ids = deliver_many(provider, 4 * provider.page)
    found: list[str] = []
    cursor: str | None = None
    more = True
    while more:
        provider.trouble(kind, Operation.LIST)
        provider.trouble(kind, Operation.FOLLOW)
        while True:
            try:
                page = mailbox.changes(cursor, EVERYTHING)
                break
            except Transient:
                continue
        found += [change.provider_id for change in page.changes]
        cursor, more = page.cursor, page.more
    assert found == ids


# -- quota -----------------------------------------------------------------------------------------------------------------


@pytest.mark.where(charges=True)
def test_every_unit_that_the_provider_charges_was_asked_for_before(provider: Provider) -> None:
    ids = deliver_many(provider, 5)
    spent: list[int] = []
    mailbox = provider.connect(spent.append)
    before = provider.units()
    mailbox.check()
    mailbox.folders()
    cursor = bookmark(mailbox)
    since(mailbox, cursor)
    mailbox.headers(ids)
    mailbox.fetch(ids)
    assert sum(spent) == provider.units() - before


@pytest.mark.parametrize("operation", Operation)
def test_without_an_allowance_nothing_is_asked(provider: Provider, operation: Operation) -> None:
    ids = [provider.deliver(mail())]
    cursor = bookmark(provider.connect())
    before = provider.requests()

    def refuse(units: int) -> None:
        raise RateLimited("used up", retry_at=START)

    with pytest.raises(RateLimited) as caught:
        call(provider.connect(refuse), operation, cursor, ids)
    assert caught.value.retry_at == START
    assert provider.requests() == before
