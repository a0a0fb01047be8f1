"""What the conformance suite does with any connector: read all of it, tell what is wrong, make mails."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from flowcrm.connectors.base import Connector
from flowcrm.mail.errors import MailError
from flowcrm.mail.types import Change, ChangePage, Fetched, Headers, ItemFailed, Scope
from tests.contract.provider import Operation, Provider

EVERYTHING = Scope()
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def mail(subject: str = "Hello", sender: str = "bob@globex.example", to: str = "ann@acme.example", more: str = "") -> bytes:
    return f"From: {sender}\r\nTo: {to}\r\n{more}Subject: {subject}\r\n\r\nBody of {subject}\r\n".encode()


def deliver_many(provider: Provider, count: int) -> list[str]:
    """Mails an hour apart; their ids, newest first."""
    return [provider.deliver(mail(f"n{hour}"), at=START + timedelta(hours=hour)) for hour in range(count)][::-1]


def pages(mailbox: Connector, cursor: str | None = None, scope: Scope = EVERYTHING) -> Iterator[ChangePage]:
    """Page after page until the provider has no more now."""
    more = True
    while more:
        page = mailbox.changes(cursor, scope)
        yield page
        cursor, more = page.cursor, page.more


def listed(mailbox: Connector, scope: Scope = EVERYTHING) -> list[str]:
    """The ids that a listing of the scope gives, in order."""
    return [change.provider_id for page in pages(mailbox, scope=scope) if page.listing for change in page.changes]


def told(mailbox: Connector, ids: list[str]) -> list[str]:
    """The same ids, once a listing has named them: who asks for a mail has heard of it."""
    listed(mailbox)
    return ids


def bookmark(mailbox: Connector) -> str:
    """The place after a whole listing: from here on only changes come."""
    return list(pages(mailbox))[-1].cursor


def since(mailbox: Connector, cursor: str) -> tuple[list[Change], str]:
    """What changed since a bookmark, and the next one."""
    walked = list(pages(mailbox, cursor))
    assert not any(page.listing for page in walked)
    return [change for page in walked for change in page.changes], walked[-1].cursor


def fetched(answer: Fetched | ItemFailed) -> Fetched:
    assert isinstance(answer, Fetched), answer
    return answer


def error_of(answer: Headers | Fetched | ItemFailed) -> MailError:
    assert isinstance(answer, ItemFailed), answer
    return answer.error


def call(mailbox: Connector, operation: Operation, cursor: str | None, ids: list[str]) -> None:
    """Carry the operation out; an error of an item is raised too."""
    match operation:
        case Operation.CHECK:
            mailbox.check()
        case Operation.FOLDERS:
            mailbox.folders()
        case Operation.LIST:
            mailbox.changes(None, EVERYTHING)
        case Operation.FOLLOW:
            mailbox.changes(cursor, EVERYTHING)
        case Operation.HEADERS | Operation.FETCH:
            answers = mailbox.headers(ids) if operation is Operation.HEADERS else mailbox.fetch(ids)
            for answer in answers:
                if isinstance(answer, ItemFailed):
                    raise answer.error
