"""Google's own Python client, built from Google's discovery document, drives the stand-in without knowing."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import httplib2
import pytest
from google.auth.exceptions import RefreshError
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest, MediaIoBaseUpload

from standins.google.client import GoogleStandin
from standins.google.world import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.contract.google_standin import ANN, AT, BEN, FULL, discovery, encoded, mail, running

pytestmark = pytest.mark.needs_shared


@pytest.fixture
def google() -> Iterator[GoogleStandin]:
    with running() as standin:
        yield standin


@pytest.fixture
def users(google: GoogleStandin) -> Iterator[Any]:
    """service.users() of Google's client, pointed at the stand-in."""
    document = {**discovery(), "rootUrl": f"{google.url}/", "baseUrl": f"{google.url}/", "mtlsRootUrl": f"{google.url}/"}
    service = build_from_document(json.dumps(document), http=AuthorizedHttp(_credentials(google), httplib2.Http(timeout=20)))
    yield service.users()
    service.close()


def _credentials(google: GoogleStandin, access: str | None = None) -> Credentials:
    tokens = google.tokens(ANN, [FULL])
    return Credentials(
        access or tokens["access_token"],
        refresh_token=tokens["refresh_token"],
        token_uri=f"{google.url}/token",
        client_id=DEFAULT_CLIENT_ID,
        client_secret=DEFAULT_CLIENT_SECRET,
    )


def test_labels_are_made_changed_and_removed(users: Any) -> None:
    labels = users.labels()

    made = labels.create(userId="me", body={"name": "Customers"}).execute()
    labels.patch(userId="me", id=made["id"], body={"name": "Clients"}).execute()

    assert labels.get(userId="me", id=made["id"]).execute()["name"] == "Clients"
    labels.delete(userId="me", id=made["id"]).execute()
    assert made["id"] not in {label["id"] for label in labels.list(userId="me").execute()["labels"]}


def test_paging_by_the_client_gives_every_mail_once_newest_first(google: GoogleStandin, users: Any) -> None:
    ids = [google.deliver(ANN, mail(number=number), at_ms=AT + number) for number in range(25)]
    found: list[str] = []

    request = users.messages().list(userId="me", maxResults=10)
    while request is not None:
        answer = request.execute()
        found += [message["id"] for message in answer["messages"]]
        request = users.messages().list_next(request, answer)

    assert found == ids[::-1]


def test_a_raw_mail_comes_back_byte_for_byte(google: GoogleStandin, users: Any) -> None:
    raw = b"From: a@b.test\nSubject: \xe9\xff\nX-Empty:\n\n\x00 any \xf0 bytes\r\n.\r\n"
    mail_id = google.deliver(ANN, raw)

    answer = users.messages().get(userId="me", id=mail_id, format="raw").execute()

    assert base64.urlsafe_b64decode(answer["raw"]) == raw


def test_a_batch_gives_each_call_its_own_outcome(google: GoogleStandin, users: Any) -> None:
    ids = [google.deliver(ANN, mail(number=number)) for number in range(5)]
    answers: dict[str, Any] = {}

    def keep(request_id: str, answer: Any, error: HttpError | None) -> None:
        answers[request_id] = error.resp.status if error is not None else answer["id"]

    batch = BatchHttpRequest(callback=keep, batch_uri=f"{google.url}/batch/gmail/v1")
    for mail_id in [*ids, "19ffffffffffffff"]:
        batch.add(users.messages().get(userId="me", id=mail_id, format="metadata"), request_id=mail_id)
    batch.execute()

    assert answers == {**{mail_id: mail_id for mail_id in ids}, "19ffffffffffffff": 404}


def test_a_client_refreshes_its_token_by_itself_after_a_401(google: GoogleStandin, users: Any) -> None:
    google.control("expire_access_tokens")

    assert users.getProfile(userId="me").execute()["emailAddress"] == ANN
    assert "oauth.token" in google.operations()


def test_a_revoked_grant_ends_in_googles_own_refresh_error(google: GoogleStandin, users: Any) -> None:
    google.revoke(ANN)

    with pytest.raises(RefreshError, match=r"invalid_grant: Token has been expired or revoked\."):
        users.getProfile(userId="me").execute()


def test_history_tells_arrivals_labels_and_removals_in_order(google: GoogleStandin, users: Any) -> None:
    start = users.getProfile(userId="me").execute()["historyId"]
    mail_id = users.messages().insert(userId="me", body={"raw": encoded(mail()), "labelIds": ["INBOX"]}).execute()["id"]
    users.messages().modify(userId="me", id=mail_id, body={"addLabelIds": ["STARRED"], "removeLabelIds": ["INBOX"]}).execute()
    users.messages().delete(userId="me", id=mail_id).execute()

    answer = users.history().list(userId="me", startHistoryId=start).execute()
    kinds = [sorted(set(record) - {"id", "messages"}) for record in answer["history"]]

    assert kinds == [["messagesAdded"], ["labelsAdded", "labelsRemoved"], ["messagesDeleted"]]
    assert users.history().list(userId="me", startHistoryId=answer["historyId"]).execute() == {"historyId": answer["historyId"]}


def test_a_mail_sent_by_the_client_is_in_both_mailboxes(google: GoogleStandin, users: Any) -> None:
    google.create_account(BEN)

    sent = users.messages().send(userId="me", body={"raw": encoded(mail("From Ann", sender=ANN, to=BEN))}).execute()

    assert sent["labelIds"] == ["SENT"]
    assert [found["labels"] for found in google.snapshot(BEN)["mails"]] == [["INBOX", "UNREAD"]]


def test_threads_are_listed_read_and_changed_as_a_whole(google: GoogleStandin, users: Any) -> None:
    first = google.deliver(ANN, mail("Offer", number=1), at_ms=AT)
    second = google.deliver(ANN, mail("Re: Offer", number=2, more="References: <m1@globex.test>"), at_ms=AT + 1)

    threads = users.threads().list(userId="me").execute()["threads"]
    users.threads().trash(userId="me", id=threads[0]["id"]).execute()

    assert [thread["id"] for thread in threads] == [first]
    whole = users.threads().get(userId="me", id=first, format="minimal").execute()
    assert [(message["id"], "TRASH" in message["labelIds"]) for message in whole["messages"]] == [(first, True), (second, True)]
    assert "threads" not in users.threads().list(userId="me").execute()


def test_a_large_mail_can_be_uploaded_as_media(google: GoogleStandin, users: Any) -> None:
    raw = mail(body="x" * 300_000)
    media = MediaIoBaseUpload(io.BytesIO(raw), mimetype="message/rfc822", resumable=False)

    made = users.messages().insert(userId="me", body={"labelIds": ["INBOX"]}, media_body=media).execute()

    assert base64.urlsafe_b64decode(google.control("raw", account=ANN, id=made["id"])["raw"]) == raw
    assert made["labelIds"] == ["INBOX"]


def test_a_query_too_long_for_an_address_still_arrives(google: GoogleStandin, users: Any) -> None:
    """Google's client then sends the GET as a POST with X-HTTP-Method-Override."""
    wanted = google.deliver(ANN, mail(sender="person77@globex.test"))
    google.deliver(ANN, mail(sender="stranger@else.test"))
    query = "{" + " ".join(f"from:person{number}@globex.test" for number in range(200)) + "}"

    answer = users.messages().list(userId="me", q=query).execute()

    assert [message["id"] for message in answer["messages"]] == [wanted]
    assert google.operations()[-1] == "gmail.messages.list"


def test_a_draft_is_written_changed_and_sent(google: GoogleStandin, users: Any) -> None:
    google.create_account(BEN)
    draft = users.drafts().create(userId="me", body={"message": {"raw": encoded(mail("Draft", to=BEN))}}).execute()
    changed = {"message": {"raw": encoded(mail("Final", to=BEN))}}
    users.drafts().update(userId="me", id=draft["id"], body=changed).execute()

    sent = users.drafts().send(userId="me", body={"id": draft["id"]}).execute()

    assert sent["labelIds"] == ["SENT"]
    assert users.drafts().list(userId="me").execute() == {"resultSizeEstimate": 0}
    assert len(google.snapshot(BEN)["mails"]) == 1


def test_googles_client_understands_the_errors(users: Any) -> None:
    with pytest.raises(HttpError) as raised:
        users.messages().get(userId="me", id="19ffffffffffffff").execute()

    assert raised.value.status_code == 404
    assert raised.value.reason == "Requested entity was not found."
    assert raised.value.error_details[0]["reason"] == "notFound"
