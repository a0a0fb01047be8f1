"""Mails by their ids: each its own answer, none lost for another's sake, and an end to asking when it is no use."""

import base64
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail.errors import NeedsLogin, RateLimited
from flowcrm.mail.types import Fetched, ItemFailed
from tests.unit.connectors.gmail.mailbox import ROOT, gmail, refuse
from tests.unit.scripted_server import CLOSE, Seen, reply, reply_json

MAIL = b"Subject: \xff\xfe\r\n\r\n>>>???\r\n"


def message(mail: str, **changed: Any) -> dict[str, Any]:
    raw = base64.urlsafe_b64encode(MAIL).decode()
    usual = {"id": mail, "threadId": "t", "labelIds": ["INBOX", "UNREAD"], "internalDate": "1767225600123", "raw": raw}
    return {name: value for name, value in {**usual, **changed}.items() if value is not None}


def every_mail(request: Seen) -> list[bytes]:
    return reply_json(message(request.path.removeprefix(f"{ROOT}messages/")))


def kinds(answers: Iterable[object]) -> list[str]:
    return [type(answer.error).__name__ if isinstance(answer, ItemFailed) else "ok" for answer in answers]


def codes(answers: Iterable[object]) -> list[str]:
    return [answer.error.code for answer in answers if isinstance(answer, ItemFailed)]


# -- one mail ----------------------------------------------------------------------------------------------------------------


def test_a_mail_comes_as_gmail_received_it() -> None:
    with gmail(every_mail) as (mailbox, server):
        answers = mailbox.fetch(["a"])
    moment = datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
    assert answers == (Fetched("a", "t", frozenset({"INBOX"}), moment, True, MAIL),)
    assert (server.seen[0].query, server.seen[0].headers["authorization"]) == ({"format": "raw"}, "Bearer token")


def test_headers_come_in_order_as_they_stand_in_the_mail() -> None:
    fields = [
        {"name": "Received", "value": "1"},
        {"name": "Subject", "value": "=?utf-8?q?x?="},
        {"name": "Received", "value": "2"},
    ]
    with gmail(lambda request: reply_json(message("a", payload={"headers": fields}, raw=None))) as (mailbox, server):
        (answer,) = mailbox.headers(["a"])
    assert not isinstance(answer, ItemFailed)
    assert answer.fields == (("Received", "1"), ("Subject", "=?utf-8?q?x?="), ("Received", "2"))
    assert server.seen[0].query == {"format": "metadata"}


def test_a_mail_without_labels_lies_in_no_folder() -> None:
    with gmail(lambda request: reply_json(message("a", labelIds=None))) as (mailbox, _):
        (answer,) = mailbox.fetch(["a"])
    assert isinstance(answer, Fetched)
    assert (answer.folder_ids, answer.unread) == (frozenset(), False)


def test_an_id_is_one_step_of_the_path() -> None:
    with gmail(every_mail) as (mailbox, server):
        mailbox.fetch(["../labels?x=1"])
    assert server.seen[0].target == f"{ROOT}messages/..%2Flabels%3Fx%3D1?format=raw"


def test_any_bytes_survive_with_and_without_padding() -> None:
    held: list[str] = [""]

    with gmail(lambda request: reply_json(message("a", raw=held[0]))) as (mailbox, _):

        @given(st.binary(max_size=200), st.booleans())
        def survives(content: bytes, padded: bool) -> None:
            text = base64.urlsafe_b64encode(content).decode()
            held[0] = text if padded else text.rstrip("=")
            (answer,) = mailbox.fetch(["a"])
            assert isinstance(answer, Fetched)
            assert answer.raw == content

        survives()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (message("a", raw=None), "raw"),
        (message("a", raw=7), "raw"),
        (message("a", raw="A"), "raw"),
        (message("a", raw="äöü="), "raw"),
        (message("a", internalDate=None), "internalDate"),
        (message("a", internalDate="soon"), "internalDate"),
        (message("a", internalDate="9" * 30), "internalDate"),
    ],
)
def test_a_mail_that_cannot_be_read_is_that_mails_failure(answer: dict[str, Any], code: str) -> None:
    with gmail(lambda request: reply_json(answer)) as (mailbox, _):
        answers = mailbox.fetch(["a"])
    assert (kinds(answers), codes(answers)) == (["Permanent"], [code])


def test_a_mail_over_the_cap_fails_for_good() -> None:
    with gmail(lambda request: reply(b"x" * 2000), item_bytes=1000) as (mailbox, _):
        answers = mailbox.fetch(["a"])
    assert (kinds(answers), codes(answers)) == (["Permanent"], ["too_large"])


# -- several -----------------------------------------------------------------------------------------------------------------


def test_answers_stand_in_the_order_of_the_ids_whoever_answers_first() -> None:
    others = threading.Semaphore(0)

    def slowly(request: Seen) -> list[bytes]:
        if request.path.endswith("/0"):
            for _ in range(4):
                others.acquire()
        others.release()
        return every_mail(request)

    ids = [str(number) for number in range(5)]
    with gmail(slowly, parallel=5) as (mailbox, _):
        assert [answer.provider_id for answer in mailbox.fetch(ids)] == ids


def test_no_more_are_asked_for_at_once_than_the_setting_says_over_connections_that_stay() -> None:
    with gmail(every_mail, parallel=3) as (mailbox, server):
        for _ in range(3):
            mailbox.fetch([str(number) for number in range(10)])
    assert len(server.seen) == 30
    assert server.connections <= 3


def test_one_mails_failure_costs_no_other() -> None:
    def script(request: Seen) -> list[bytes]:
        match request.path[-1]:
            case "1":
                return refuse(404, "notFound")
            case "3":
                return refuse(500, "backendError")
            case "5":
                return [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", CLOSE]
            case "7":
                return reply("<html>")
        return every_mail(request)

    with gmail(script) as (mailbox, server):
        answers = mailbox.fetch([str(number) for number in range(9)])
    assert kinds(answers) == ["ok", "Gone", "ok", "Transient", "ok", "Transient", "ok", "Transient", "ok"]
    assert codes(answers) == ["notFound", "backendError", "cut", "unreadable"]
    assert len(server.seen) == 9


def test_of_no_ids_nothing_is_asked() -> None:
    with gmail(every_mail) as (mailbox, server):
        assert mailbox.fetch([]) == ()
    assert server.seen == []


# -- when it is no use to go on ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (refuse(429, "rateLimitExceeded"), RateLimited),
        (refuse(403, "userRateLimitExceeded"), RateLimited),
        (refuse(401, "authError"), NeedsLogin),
    ],
)
def test_an_error_of_the_mailbox_ends_the_asking_and_keeps_what_was_read(refusal: list[bytes], kind: type) -> None:
    def script(request: Seen) -> list[bytes]:
        return refusal if request.path.endswith("/2") else every_mail(request)

    with gmail(script, parallel=1) as (mailbox, server):
        answers = mailbox.fetch([str(number) for number in range(6)])
    assert kinds(answers) == ["ok", "ok", *[kind.__name__] * 4]
    assert [answer.provider_id for answer in answers] == [str(number) for number in range(6)]
    assert len(server.seen) == 3


def test_what_was_under_way_beside_a_throttled_mail_is_kept() -> None:
    asked = threading.Barrier(3)

    def script(request: Seen) -> list[bytes]:
        asked.wait()
        return refuse(429, "rateLimitExceeded") if request.path.endswith("/0") else every_mail(request)

    with gmail(script, parallel=3) as (mailbox, server):
        answers = mailbox.fetch([str(number) for number in range(9)])
    assert kinds(answers) == ["RateLimited", "ok", "ok", *["RateLimited"] * 6]
    assert len(server.seen) == 3


def test_failures_in_a_row_are_not_the_mails_fault() -> None:
    with gmail(lambda request: refuse(503, "backendError"), parallel=1) as (mailbox, server):
        answers = mailbox.fetch([str(number) for number in range(50)])
    assert kinds(answers) == ["Transient"] * 50
    assert len(server.seen) == 3


def test_mails_that_are_gone_or_bad_do_not_end_the_asking() -> None:
    with gmail(lambda request: refuse(404, "notFound"), parallel=1) as (mailbox, server):
        answers = mailbox.fetch([str(number) for number in range(10)])
    assert kinds(answers) == ["Gone"] * 10
    assert len(server.seen) == 10


def test_enough_bytes_in_memory_end_the_call_early() -> None:
    with gmail(every_mail, parallel=1, fetch_bytes=2 * len(MAIL)) as (mailbox, _):
        answers = mailbox.fetch([str(number) for number in range(10)])
        rest = mailbox.fetch([str(number) for number in range(10)][len(answers) :])
    assert kinds(answers) == ["ok", "ok"]
    assert [answer.provider_id for answer in rest] == ["2", "3"]


def test_a_mail_larger_than_all_memory_allowed_still_comes() -> None:
    with gmail(every_mail, fetch_bytes=1, parallel=1) as (mailbox, _):
        assert kinds(mailbox.fetch(["a", "b"])) == ["ok"]


# -- quota -------------------------------------------------------------------------------------------------------------------


def test_units_are_spent_before_each_mail_in_the_callers_thread() -> None:
    spent: list[tuple[int, int]] = []

    def spend(units: int) -> None:
        spent.append((units, threading.get_ident()))

    with gmail(every_mail, spend) as (mailbox, _):
        mailbox.fetch(["a", "b", "c"])
        mailbox.headers(["a"])
    assert spent == [(20, threading.get_ident())] * 4


def test_without_units_no_request_is_made() -> None:
    allowance = [20, 20]

    def spend(units: int) -> None:
        if not allowance:
            raise RateLimited("spent", retry_at=datetime(2026, 1, 1, tzinfo=UTC))
        allowance.pop()

    with gmail(every_mail, spend) as (mailbox, server):
        answers = mailbox.fetch(["a", "b", "c", "d"])
    assert kinds(answers) == ["ok", "ok", "RateLimited", "RateLimited"]
    assert len(server.seen) == 2


def test_costs_are_a_setting() -> None:
    spent: list[int] = []
    with gmail(every_mail, spent.append, costs={"messages.get": 5}) as (mailbox, _):
        mailbox.fetch(["a"])
    assert spent == [5]
