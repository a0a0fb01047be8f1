"""What changes in the stand-in's Gmail, and what it tells of it: threads, history, labels, sending, drafts."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from standins.google.client import Delivery, GoogleStandin
from tests.contract.google_standin import ANN, AT, BEN, Gmail, encoded, mail, running, signed_in


@pytest.fixture
def google() -> Iterator[GoogleStandin]:
    with running() as standin:
        yield standin


@pytest.fixture
def gmail(google: GoogleStandin) -> Iterator[Gmail]:
    with signed_in(google) as client:
        yield client


# -- threads -----------------------------------------------------------------------------------------------------------


def test_a_thread_needs_a_known_reference_and_the_same_subject(google: GoogleStandin) -> None:
    def thread_of(mail_id: str) -> str:
        return str(next(found["threadId"] for found in google.snapshot(ANN)["mails"] if found["id"] == mail_id))

    first = google.deliver(ANN, mail("Offer", number=1))
    reply = google.deliver(ANN, mail("AW: RE: offer", number=2, more="In-Reply-To: <m1@globex.test>"))
    renamed = google.deliver(ANN, mail("Invoice", number=3, more="References: <m1@globex.test> <m2@globex.test>"))
    unrelated = google.deliver(ANN, mail("Offer", number=4))
    siblings = [google.deliver(ANN, mail("Re: Lost", number=at, more="References: <not-here@globex.test>")) for at in (5, 6)]

    assert thread_of(first) == thread_of(reply) == first
    assert thread_of(renamed) == renamed
    assert thread_of(unrelated) == unrelated
    assert thread_of(siblings[0]) == thread_of(siblings[1])


def test_a_thread_ends_at_a_hundred_mails(google: GoogleStandin) -> None:
    replies = [Delivery(mail("Long", number=at, more="References: <m0@globex.test>")) for at in range(1, 120)]
    google.deliver_many(ANN, [Delivery(mail("Long", number=0)), *replies])

    sizes: dict[str, int] = {}
    for found in google.snapshot(ANN)["mails"]:
        sizes[found["threadId"]] = sizes.get(found["threadId"], 0) + 1
    assert max(sizes.values()) == 100


def test_a_thread_stands_once_in_its_list_at_its_newest_mail(google: GoogleStandin, gmail: Gmail) -> None:
    old = google.deliver(ANN, mail("Old", number=1), at_ms=AT)
    other = google.deliver(ANN, mail("Other", number=2), at_ms=AT + 1)
    google.deliver(ANN, mail("Re: Old", number=3, more="References: <m1@globex.test>"), at_ms=AT + 2)

    pages = [gmail.get("/threads", maxResults=1).json]
    pages.append(gmail.get("/threads", maxResults=1, pageToken=pages[0]["nextPageToken"]).json)

    assert [thread["id"] for page in pages for thread in page["threads"]] == [old, other]
    assert "nextPageToken" not in pages[1]


def test_a_sent_mail_joins_the_asked_thread_only_under_its_subject(google: GoogleStandin, gmail: Gmail) -> None:
    first = google.deliver(ANN, mail("Offer", number=1))

    joined = gmail.send("POST", "/messages/send", {"raw": encoded(mail("Re: Offer", number=2, to=BEN)), "threadId": first})
    other = gmail.send("POST", "/messages/send", {"raw": encoded(mail("Else", number=3, to=BEN)), "threadId": first})

    assert joined.json["threadId"] == first
    assert other.json["threadId"] != first
    assert gmail.send("POST", "/messages/send", {"raw": encoded(mail(to=BEN)), "threadId": "19ffffffffffffff"}).status == 404


# -- history -----------------------------------------------------------------------------------------------------------


def _history(gmail: Gmail, start: str, **query: Any) -> Any:
    return gmail.get("/history", startHistoryId=start, **query).json


def _now(gmail: Gmail) -> str:
    return str(gmail.get("/profile").json["historyId"])


def test_what_changes_nothing_leaves_no_history(google: GoogleStandin, gmail: Gmail) -> None:
    mail_id = google.deliver(ANN, mail(), ["INBOX"])
    start = _now(gmail)

    google.label(ANN, [mail_id], add=["INBOX"], remove=["STARRED"])

    assert _history(gmail, start) == {"historyId": start}


def test_a_filtered_page_may_be_empty_and_still_have_a_next_one(google: GoogleStandin, gmail: Gmail) -> None:
    start = _now(gmail)
    ids = [google.deliver(ANN, mail(number=at)) for at in range(3)]
    google.delete(ANN, [ids[0]])

    page = _history(gmail, start, historyTypes="messageDeleted", maxResults=2)
    last = _history(gmail, start, historyTypes="messageDeleted", maxResults=2, pageToken=page["nextPageToken"])

    assert set(page) == {"historyId", "nextPageToken"}
    assert [record["messagesDeleted"][0]["message"]["id"] for record in last["history"]] == [ids[0]]


def test_history_of_one_label_tells_its_comings_and_goings(google: GoogleStandin, gmail: Gmail) -> None:
    label = google.create_label(ANN, "Customers")
    mail_id = google.deliver(ANN, mail())
    start = _now(gmail)
    google.label(ANN, [mail_id], add=["STARRED"])
    google.label(ANN, [mail_id], add=[label])
    google.label(ANN, [mail_id], remove=[label])

    records = _history(gmail, start, labelId=label)["history"]

    assert [sorted(set(record) - {"id", "messages"}) for record in records] == [["labelsAdded"], ["labelsRemoved"]]


def test_a_deleted_label_leaves_its_mails_and_answers_404_to_its_history(google: GoogleStandin, gmail: Gmail) -> None:
    label = google.create_label(ANN, "Customers")
    google.deliver(ANN, mail(), ["INBOX", label])
    start = _now(gmail)

    assert gmail.send("DELETE", f"/labels/{label}").status == 204

    assert _history(gmail, start)["history"][0]["labelsRemoved"][0]["labelIds"] == [label]
    assert gmail.get("/history", startHistoryId=start, labelId=label).status == 404
    assert gmail.get("/history", startHistoryId=start).status == 200


@pytest.mark.parametrize(("start", "status"), [("1", 404), ("999999999", 404), ("", 400), ("soon", 400)])
def test_a_history_id_that_was_never_ours_is_refused(gmail: Gmail, start: str, status: int) -> None:
    assert gmail.get("/history", startHistoryId=start).status == status


def test_an_expired_history_answers_404_and_the_profile_gives_a_new_start(google: GoogleStandin, gmail: Gmail) -> None:
    google.deliver(ANN, mail())
    lost = _now(gmail)

    google.expire_history(ANN)

    assert gmail.get("/history", startHistoryId=lost).reason == "notFound"
    assert _history(gmail, _now(gmail)) == {"historyId": _now(gmail)}


# -- writing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "No label add or removes specified"),
        ({"addLabelIds": ["Label_9"]}, "Invalid label: Label_9"),
        ({"addLabelIds": ["SENT"]}, "Invalid label: SENT"),
        ({"addLabelIds": ["STARRED"], "removeLabelIds": ["STARRED"]}, "Cannot both add and remove the same label: STARRED"),
    ],
)
def test_a_senseless_change_of_labels_is_refused(google: GoogleStandin, gmail: Gmail, body: Any, message: str) -> None:
    reply = gmail.send("POST", f"/messages/{google.deliver(ANN, mail())}/modify", body)

    assert (reply.status, reply.json["error"]["message"]) == (400, message)


def test_trash_takes_a_mail_out_of_the_inbox(google: GoogleStandin, gmail: Gmail) -> None:
    mail_id = google.deliver(ANN, mail(), ["INBOX", "UNREAD"])

    assert gmail.send("POST", f"/messages/{mail_id}/trash").json["labelIds"] == ["TRASH", "UNREAD"]
    assert gmail.send("POST", f"/messages/{mail_id}/untrash").json["labelIds"] == ["UNREAD"]


def test_batch_changes_pass_over_mails_that_are_gone(google: GoogleStandin, gmail: Gmail) -> None:
    mail_id = google.deliver(ANN, mail(), ["INBOX"])
    ids = ["19ffffffffffffff", mail_id]

    assert gmail.send("POST", "/messages/batchModify", {"ids": ids, "removeLabelIds": ["INBOX"]}).status == 204
    assert google.snapshot(ANN)["mails"][0]["labels"] == []
    assert gmail.send("POST", "/messages/batchDelete", {"ids": ids}).status == 204
    assert google.snapshot(ANN)["mails"] == []
    assert (
        gmail.send("POST", "/messages/batchModify", {"ids": ["1"] * 1001}).json["error"]["message"]
        == "Number of ids cannot exceed 1000"
    )


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("customers", 409, "Label name exists or conflicts"),
        ("Inbox", 400, "Invalid label name"),
        ("", 400, "Invalid label name"),
        ("x" * 226, 400, "Invalid label name"),
    ],
)
def test_a_label_name_must_be_new_and_possible(
    google: GoogleStandin, gmail: Gmail, name: str, status: int, message: str
) -> None:
    google.create_label(ANN, "Customers")

    reply = gmail.send("POST", "/labels", {"name": name})

    assert (reply.status, reply.json["error"]["message"]) == (status, message)


def test_a_renamed_label_keeps_its_id_and_system_labels_stay(google: GoogleStandin, gmail: Gmail) -> None:
    label = google.create_label(ANN, "Customers")

    assert gmail.send("PATCH", f"/labels/{label}", {"name": "CUSTOMERS"}).json["name"] == "CUSTOMERS"
    assert gmail.send("PUT", f"/labels/{label}", {"name": "Clients"}).json["id"] == label
    assert gmail.send("DELETE", "/labels/INBOX").status == 400
    assert gmail.send("PATCH", f"/labels/{label}", {"labelListVisibility": "sometimes"}).status == 400


def test_label_counts_are_of_the_mails_and_threads_under_it(google: GoogleStandin, gmail: Gmail) -> None:
    google.deliver(ANN, mail("A", number=1), ["INBOX"])
    google.deliver(ANN, mail("Re: A", number=2, more="References: <m1@globex.test>"), ["INBOX", "UNREAD"])

    counts = gmail.get("/labels/INBOX").json

    assert [counts[name] for name in ("messagesTotal", "messagesUnread", "threadsTotal", "threadsUnread")] == [2, 1, 1, 1]


def test_insert_takes_the_date_header_only_when_told(google: GoogleStandin, gmail: Gmail) -> None:
    body = {"raw": encoded(mail())}
    dated = gmail.send("POST", "/messages?internalDateSource=dateHeader", body).json["id"]
    received = gmail.send("POST", "/messages", body).json["id"]
    imported = gmail.send("POST", "/messages/import", body).json["id"]

    at = {found["id"]: found["internalDate"] for found in google.snapshot(ANN)["mails"]}

    assert at[dated] == at[imported] == 1_795_428_000_000
    assert at[received] != at[dated]


@pytest.mark.parametrize(
    "raw",
    ["", "no base64!", encoded(b"Subject: no one\r\n\r\n")],
)
def test_a_mail_that_cannot_be_sent_is_refused(gmail: Gmail, raw: str) -> None:
    assert gmail.send("POST", "/messages/send", {"raw": raw}).status == 400


def test_a_mail_without_a_message_id_gets_one_and_bcc_stays_with_the_sender(google: GoogleStandin, gmail: Gmail) -> None:
    google.create_account(BEN)
    raw = f"From: {ANN}\r\nTo: someone@else.test\r\nBcc: Ben\r\n <{BEN}>\r\nSubject: Secret\r\n\r\nHi".encode()

    sent = gmail.send("POST", "/messages/send", {"raw": encoded(raw)}).json["id"]
    received = google.snapshot(BEN)["mails"][0]["id"]
    kept, got = (
        base64.urlsafe_b64decode(google.control("raw", account=who, id=one)["raw"])
        for who, one in ((ANN, sent), (BEN, received))
    )

    assert b"Bcc: Ben\r\n <ben@globex.test>" in kept
    assert b"Message-ID: <" in got
    assert b"Bcc" not in got
    assert b"ben@globex.test" not in got


def test_a_mail_to_oneself_is_one_mail_in_both_places(google: GoogleStandin, gmail: Gmail) -> None:
    gmail.send("POST", "/messages/send", {"raw": encoded(mail(sender=ANN, to="sales@acme.test"))})

    assert [found["labels"] for found in google.snapshot(ANN)["mails"]] == [["INBOX", "SENT", "UNREAD"]]


def test_an_edited_draft_keeps_its_id_but_not_its_mails(google: GoogleStandin, gmail: Gmail) -> None:
    draft = gmail.send("POST", "/drafts", {"message": {"raw": encoded(mail("One"))}}).json
    edited = gmail.send("PUT", f"/drafts/{draft['id']}", {"message": {"raw": encoded(mail("Two"))}}).json

    assert edited["id"] == draft["id"]
    assert edited["message"]["id"] != draft["message"]["id"]
    assert edited["message"]["threadId"] == draft["message"]["threadId"]
    assert [found["labels"] for found in google.snapshot(ANN)["mails"]] == [["DRAFT"]]
    assert gmail.send("DELETE", f"/drafts/{draft['id']}").status == 204
    assert gmail.get(f"/drafts/{draft['id']}").status == 404


def test_a_draft_is_sent_once(gmail: Gmail) -> None:
    draft = gmail.send("POST", "/drafts", {"message": {"raw": encoded(mail("Once", to=BEN))}}).json["id"]
    nobody = gmail.send("POST", "/drafts", {"message": {"raw": encoded(b"Subject: To nobody\r\n\r\n")}}).json["id"]

    answers = [gmail.send("POST", "/drafts/send", {"id": name}).status for name in (draft, draft, nobody)]

    assert answers == [200, 404, 400]
    assert gmail.get(f"/drafts/{nobody}").status == 200


def test_a_body_that_is_no_json_object_is_refused(gmail: Gmail) -> None:
    assert gmail.call("POST", "/messages/send", b"{oops").reason == "parseError"
    assert gmail.call("POST", "/messages/send", b"[1]").status == 400
    assert gmail.send("POST", "/messages/batchModify", {"ids": "1"}).status == 400


def test_watch_lasts_a_week_and_wants_a_real_topic(gmail: Gmail) -> None:
    assert gmail.send("POST", "/watch", {"topicName": "projects/p/topics/t"}).json["historyId"] == _now(gmail)
    assert gmail.send("POST", "/watch", {"topicName": "elsewhere"}).status == 400


def test_paths_that_gmail_does_not_have_are_404(gmail: Gmail) -> None:
    assert gmail.get("/nothing").status == 404
    assert gmail.send("PUT", "/messages").status == 404
    assert gmail.send("POST", "/upload/gmail/v1/users/me/labels", {}).status == 404


def test_uploads_come_whole_whichever_way(google: GoogleStandin, gmail: Gmail) -> None:
    raw = mail(body="line\r\n--almost a boundary\r\n\r\n") + b"\r\n\r\n"
    settings = b'--x\r\nContent-Type: application/json\r\n\r\n{"labelIds": ["INBOX"]}\r\n'
    related = settings + b"--x\r\nContent-Type: message/rfc822\r\n\r\n" + raw + b"\r\n--x--\r\n"

    path = "/upload/gmail/v1/users/me/messages?uploadType="
    media = gmail.call("POST", f"{path}media", raw, {"Content-Type": "message/rfc822"}).json
    both = gmail.call("POST", f"{path}multipart", related, {"Content-Type": "multipart/related; boundary=x"}).json

    stored = [base64.urlsafe_b64decode(google.control("raw", account=ANN, id=made["id"])["raw"]) for made in (media, both)]
    assert stored == [raw, raw]
    assert both["labelIds"] == ["INBOX"]
    assert gmail.call("POST", f"{path}resumable", raw).status == 400
