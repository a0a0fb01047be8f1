"""Limits and the wire at the stand-in: quota, concurrency, batches, connections."""

import re
import socket
import threading
from collections.abc import Iterator
from http.client import RemoteDisconnected
from urllib.parse import urlsplit

import pytest

from flowcrm.lib import clock
from standins.google.client import GoogleStandin
from tests.contract.google_standin import ANN, AT, BEN, FULL, Gmail, batch_of, mail, running, signed_in


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


# -- quota and concurrency ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("moving_clock")
@pytest.mark.parametrize(("over", "reason"), [(403, "userRateLimitExceeded"), (429, "rateLimitExceeded")])
def test_the_minutes_units_run_out_and_come_back(
    google: GoogleStandin, gmail: Gmail, ids: list[str], over: int, reason: str
) -> None:
    google.quota(units_per_minute=50, over=over)

    replies = [gmail.get(f"/messages/{ids[0]}") for _ in range(3)]
    cheap = gmail.get("/labels").status
    clock.advance(61)

    assert [reply.status for reply in replies] == [200, 200, over]
    assert replies[2].reason == reason
    assert "Queries per minute per user" in replies[2].json["error"]["message"]
    assert cheap == 200
    assert gmail.get(f"/messages/{ids[0]}").status == 200
    assert [line.units for line in google.log()] == [20, 20, 0, 1, 20]


def test_prices_are_settings_and_zero_is_no_limit(google: GoogleStandin, gmail: Gmail) -> None:
    google.quota(units_per_minute=10, costs={"labels.list": 6})
    limited = _statuses(gmail, 2)
    google.quota(units_per_minute=0)

    assert limited == [200, 403]
    assert set(_statuses(gmail, 30)) == {200}
    with pytest.raises(ValueError, match="no units"):
        google.quota(units=1)


def test_each_user_has_an_allowance_of_his_own(google: GoogleStandin, gmail: Gmail) -> None:
    google.create_account(BEN)
    google.quota(units_per_minute=1)

    with signed_in(google, account=BEN) as bens:
        assert [gmail.get("/labels").status, gmail.get("/labels").status, bens.get("/labels").status] == [200, 403, 200]


def test_calls_beyond_the_concurrency_are_refused_while_others_wait(google: GoogleStandin, gmail: Gmail) -> None:
    google.quota(concurrency=1)
    google.fault("gmail.labels.list", "slow", seconds=30)

    def wait_long() -> None:
        with signed_in(google) as slow, pytest.raises(ConnectionError):
            slow.get("/labels")

    waiting = threading.Thread(target=wait_long)
    waiting.start()
    while "gmail.labels.list" not in google.operations():
        threading.Event().wait(0.01)
    refused = gmail.get("/profile")
    google.server.stop()
    waiting.join()

    assert (refused.status, refused.json["error"]["message"]) == (429, "Too many concurrent requests for user.")


# -- batches -----------------------------------------------------------------------------------------------------------


def test_each_call_of_a_batch_has_its_own_status_and_its_own_price(google: GoogleStandin, gmail: Gmail, ids: list[str]) -> None:
    google.quota(units_per_minute=45)
    google.clear_log()

    reply, statuses = batch_of(
        gmail, [f"/gmail/v1/users/me/messages/{mail_id}?format=minimal" for mail_id in (*ids[:2], "0", ids[2])]
    )

    assert reply.headers["content-type"].startswith("multipart/mixed; boundary=")
    assert statuses == [200, 200, 403, 403]
    assert re.findall(rb"Content-ID: <(response-\d)>", reply.body) == [
        b"response-0",
        b"response-1",
        b"response-2",
        b"response-3",
    ]
    assert [(line.operation, line.in_batch, line.units) for line in google.log()] == [
        ("gmail.messages.get", True, 20),
        ("gmail.messages.get", True, 20),
        ("gmail.messages.get", True, 0),
        ("gmail.messages.get", True, 0),
        ("gmail.batch", False, 0),
    ]


def test_a_batch_runs_into_the_concurrency_wall_call_by_call(google: GoogleStandin, gmail: Gmail) -> None:
    google.quota(concurrency=3)

    _, statuses = batch_of(gmail, ["/gmail/v1/users/me/labels"] * 5)

    assert statuses == [200, 200, 200, 429, 429]
    assert gmail.get("/labels").status == 200


def test_a_batch_takes_a_hundred_calls_and_no_more(gmail: Gmail) -> None:
    fine = batch_of(gmail, ["/gmail/v1/users/me/labels"] * 100)[1]

    assert fine == [200] * 100
    assert batch_of(gmail, ["/gmail/v1/users/me/labels"] * 101)[0].status == 400
    assert batch_of(gmail, [])[0].status == 400
    for kind, body in (("text/plain", b""), ("multipart/mixed; boundary=b", b"--b\r\n\r\nGET\r\n--b--")):
        assert gmail.call("POST", "/batch/gmail/v1", body, {"Content-Type": kind}).status == 400


def test_a_call_of_a_batch_may_carry_a_body_and_a_token_of_its_own(google: GoogleStandin, gmail: Gmail) -> None:
    google.create_account(BEN)
    body = '{"name": "From a batch"}'
    part = (
        "--b\r\nContent-Type: application/http\r\n\r\n"
        "POST /gmail/v1/users/me/labels HTTP/1.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {google.access_token(BEN, [FULL])}\r\nContent-Length: {len(body)}\r\n\r\n{body}\r\n"
    )

    reply = gmail.call("POST", "/batch/gmail/v1", f"{part}--b--".encode(), {"Content-Type": 'multipart/mixed; boundary="b"'})

    assert b"HTTP/1.1 200 OK" in reply.body
    assert "From a batch" in [label["name"] for label in google.snapshot(BEN)["labels"]]


def test_a_fault_of_one_call_is_its_own_but_a_broken_connection_is_everybodys(google: GoogleStandin, gmail: Gmail) -> None:
    paths = ["/gmail/v1/users/me/labels", "/gmail/v1/users/me/profile"]
    google.fault("gmail.getProfile", "status", status=429)
    assert batch_of(gmail, paths)[1] == [200, 429]

    google.fault("gmail.getProfile", "drop")
    with pytest.raises(RemoteDisconnected):
        batch_of(gmail, paths)
    gmail.close()
    google.fault("gmail.batch", "status", status=502)
    assert batch_of(gmail, paths)[0].status == 502


# -- the wire ----------------------------------------------------------------------------------------------------------


def test_connections_stay_open_and_bodies_may_come_in_chunks(google: GoogleStandin) -> None:
    token = google.access_token(ANN, ["https://mail.google.com/"])
    host = urlsplit(google.url)
    head = f"POST /gmail/v1/users/me/labels HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"

    with socket.create_connection((host.hostname, host.port), timeout=5) as raw, raw.makefile("rb") as answers:
        for name in (b"A", b"B"):
            chunks = b'9\r\n{"name": \r\n4;x=y\r\n"%b"}\r\n0\r\nTrailer: 1\r\n\r\n' % name
            raw.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks)
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
            size = 0
            while (line := answers.readline().strip()) != b"":
                size = int(line.split()[1]) if line.startswith(b"Content-Length") else size
            answers.read(size)


def test_stopping_ends_open_connections(gmail: Gmail, google: GoogleStandin) -> None:
    assert gmail.get("/labels").status == 200

    google.server.stop()

    with pytest.raises(ConnectionError):
        gmail.get("/labels")
