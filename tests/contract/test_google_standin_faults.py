"""Bad weather at the stand-in: which request a fault hits, and what it does to it."""

import socket
from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import Any
from urllib.parse import urlsplit

import pytest

from standins.google.client import GoogleStandin
from tests.contract.google_standin import ANN, AT, BEN, Gmail, mail, running, signed_in


@pytest.fixture
def google() -> Iterator[GoogleStandin]:
    with running() as standin:
        yield standin


@pytest.fixture
def gmail(google: GoogleStandin) -> Iterator[Gmail]:
    with signed_in(google) as client:
        yield client


@pytest.fixture
def ids(google: GoogleStandin) -> list[str]:
    """Four mails, the oldest first."""
    return [google.deliver(ANN, mail(number=number), at_ms=AT + number) for number in range(4)]


def _statuses(gmail: Gmail, times: int, path: str = "/labels") -> list[int]:
    return [gmail.get(path).status for _ in range(times)]


# -- which request is hit ----------------------------------------------------------------------------------------------


def test_a_fault_strikes_as_often_as_it_is_told_and_is_over(google: GoogleStandin, gmail: Gmail) -> None:
    google.fault("gmail.labels.list", "status", status=503, skip=1, every=2, count=2)

    assert _statuses(gmail, 7) == [200, 200, 503, 200, 503, 200, 200]
    assert google.control("faults")["faults"][0]["hits"] == 2
    assert [line.fault for line in google.log()] == ["", "", "status", "", "status", "", ""]


def test_chance_repeats_with_its_seed(google: GoogleStandin, gmail: Gmail) -> None:
    runs = []
    for seed in (7, 7, 8):
        google.control("clear_faults")
        google.fault("gmail.*", "status", status=500, probability=0.5, seed=seed, count=0)
        runs.append(_statuses(gmail, 20))

    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, 500}


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ("gmail.messages.get:raw", [False, False, True]),
        ("gmail.messages.get", [False, True, True]),
        ("gmail.messages.*", [True, True, True]),
        ("/gmail/v1/users/me/messages/", [False, True, True]),
        ("oauth.*", [False, False, False]),
    ],
)
def test_a_fault_names_an_operation_a_format_or_a_path(
    google: GoogleStandin, gmail: Gmail, ids: list[str], match: str, hit: list[bool]
) -> None:
    google.fault(match, "status", status=500, count=0)

    paths = ["/messages", f"/messages/{ids[0]}?format=metadata", f"/messages/{ids[0]}?format=RAW"]

    assert [gmail.get(path).status == 500 for path in paths] == hit


def test_a_fault_may_be_for_one_account(google: GoogleStandin, gmail: Gmail) -> None:
    google.create_account(BEN)
    google.fault("gmail.*", "status", account=BEN, count=0)

    with signed_in(google, account=BEN) as bens:
        assert (gmail.get("/labels").status, bens.get("/labels").status) == (200, 503)


def test_a_fault_that_makes_no_sense_is_refused(google: GoogleStandin) -> None:
    for wrong in ({"kind": "earthquake"}, {"kind": "slow", "second": 1}):
        with pytest.raises(ValueError, match="fault"):
            google.control("fault", match="*", **wrong)


# -- what it does ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "word", "domain"),
    [
        ({"status": 429, "reason": "rateLimitExceeded"}, "RESOURCE_EXHAUSTED", "usageLimits"),
        ({"status": 403, "reason": "userRateLimitExceeded"}, "PERMISSION_DENIED", "usageLimits"),
        ({"status": 403, "reason": "dailyLimitExceeded"}, "PERMISSION_DENIED", "usageLimits"),
        ({"status": 403, "reason": "domainPolicy"}, "PERMISSION_DENIED", "global"),
        ({"status": 403, "reason": "accessNotConfigured"}, "PERMISSION_DENIED", "usageLimits"),
        ({"status": 400, "reason": "failedPrecondition"}, "FAILED_PRECONDITION", "global"),
        ({"status": 500, "reason": "backendError"}, "INTERNAL", "global"),
        ({"status": 503, "reason": ""}, "UNAVAILABLE", "global"),
    ],
)
def test_an_error_has_googles_shape(google: GoogleStandin, gmail: Gmail, fault: dict[str, Any], word: str, domain: str) -> None:
    google.fault("gmail.labels.list", "status", retry_after="12", **fault)

    reply = gmail.get("/labels")
    error = reply.json["error"]

    assert (reply.status, error["code"], error["status"]) == (fault["status"], fault["status"], word)
    assert (error["errors"][0]["reason"], error["errors"][0]["domain"]) == (fault["reason"] or "backendError", domain)
    assert error["message"] == error["errors"][0]["message"]
    assert reply.headers["retry-after"] == "12"


@pytest.mark.parametrize(
    ("kind", "error"),
    [("drop", RemoteDisconnected), ("timeout", RemoteDisconnected), ("cut", IncompleteRead)],
)
def test_the_connection_breaks_and_the_next_one_works(
    google: GoogleStandin, gmail: Gmail, ids: list[str], kind: str, error: type[HTTPException]
) -> None:
    google.fault("gmail.messages.list", kind, seconds=0.01)

    with pytest.raises(error):
        gmail.get("/messages")
    gmail.close()

    assert gmail.get("/messages").status == 200


def test_a_silent_server_outlasts_an_impatient_client(google: GoogleStandin) -> None:
    google.fault("gmail.labels.list", "timeout", seconds=30)
    host = urlsplit(google.url)

    with socket.create_connection((host.hostname, host.port)) as raw:
        raw.settimeout(0.2)
        token = google.access_token(ANN)
        raw.sendall(f"GET /gmail/v1/users/me/labels HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        with pytest.raises(TimeoutError):
            raw.recv(1)


@pytest.mark.parametrize(("applied", "labels"), [(True, ["STARRED"]), (False, [])])
def test_an_answer_is_lost_after_or_before_the_work(
    google: GoogleStandin, gmail: Gmail, applied: bool, labels: list[str]
) -> None:
    mail_id = google.deliver(ANN, mail(), [])
    google.fault("gmail.messages.modify", "drop", applied=applied)

    with pytest.raises(RemoteDisconnected):
        gmail.send("POST", f"/messages/{mail_id}/modify", {"addLabelIds": ["STARRED"]})

    assert google.snapshot(ANN)["mails"][0]["labels"] == labels


def test_an_error_may_hide_that_the_work_was_done(google: GoogleStandin, gmail: Gmail) -> None:
    mail_id = google.deliver(ANN, mail(), [])
    google.fault("gmail.messages.delete", "status", status=500, applied=True, retry_after="9")

    reply = gmail.send("DELETE", f"/messages/{mail_id}")

    assert (reply.status, reply.headers["retry-after"]) == (500, "9")
    assert google.snapshot(ANN)["mails"] == []


def test_wrong_json_is_a_200_that_cannot_be_read(google: GoogleStandin, gmail: Gmail) -> None:
    google.fault("gmail.labels.list", "wrong_json")

    reply = gmail.get("/labels")

    assert reply.status == 200
    with pytest.raises(ValueError, match=r"Invalid|Expecting|Unterminated"):
        _ = reply.json


def _walk(gmail: Gmail, path: str, name: str, **query: Any) -> list[list[str]]:
    """All pages of a list, as ids."""
    pages: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        answer = gmail.get(path, **query, **token).json
        pages.append([str(item["id"]) for item in answer.get(name, [])])
        if "nextPageToken" not in answer:
            return pages
        token = {"pageToken": answer["nextPageToken"]}


@pytest.mark.parametrize("skip", [0, 1])
def test_a_page_may_come_twice_or_empty_or_shuffled_but_nothing_is_lost(
    google: GoogleStandin, gmail: Gmail, ids: list[str], skip: int
) -> None:
    newest_first = ids[::-1]
    pages = [newest_first[:2], newest_first[2:]]

    google.fault("gmail.messages.list", "duplicate_page", skip=skip)
    assert _walk(gmail, "/messages", "messages", maxResults=2) == sorted([*pages, pages[skip]], key=pages.index)
    google.fault("gmail.messages.list", "empty_page", skip=skip)
    assert [page for page in _walk(gmail, "/messages", "messages", maxResults=2) if page] == pages
    google.fault("gmail.messages.list", "out_of_order", skip=skip, seed=1)
    assert [sorted(page) for page in _walk(gmail, "/messages", "messages", maxResults=2)] == [sorted(page) for page in pages]


@pytest.mark.parametrize("kind", ["duplicate_page", "empty_page"])
@pytest.mark.parametrize("skip", [0, 1])
def test_a_page_of_history_may_repeat_too(google: GoogleStandin, gmail: Gmail, ids: list[str], kind: str, skip: int) -> None:
    plain = _walk(gmail, "/history", "history", startHistoryId="1000", maxResults=2)

    google.fault("gmail.history.list", kind, skip=skip)
    faulty = _walk(gmail, "/history", "history", startHistoryId="1000", maxResults=2)

    assert [page for page in faulty if page and page not in plain] == []
    assert len(faulty) == len(plain) + 1


def test_a_page_that_leads_to_itself_for_ever_can_be_had(google: GoogleStandin, gmail: Gmail, ids: list[str]) -> None:
    google.fault("gmail.messages.list", "duplicate_page", skip=1, count=0)
    token = gmail.get("/messages", maxResults=1).json["nextPageToken"]

    assert gmail.get("/messages", maxResults=1, pageToken=token).json["nextPageToken"] == token


def test_a_mail_can_vanish_between_list_and_get_or_under_the_reader(
    google: GoogleStandin, gmail: Gmail, ids: list[str]
) -> None:
    google.fault("gmail.messages.list", "vanish")
    google.fault("gmail.messages.get", "vanish", skip=1)

    listed = _walk(gmail, "/messages", "messages")[0]
    answers = [gmail.get(f"/messages/{mail_id}").status for mail_id in reversed(listed)]

    assert listed == ids[::-1]
    assert answers == [404, 404, 200, 200]
    history = _walk(gmail, "/history", "history", startHistoryId="1000")
    assert len(history[0]) == 4 + 2
