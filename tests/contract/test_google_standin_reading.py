"""What the stand-in's Gmail shows, and to whom: lists, formats, scopes."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from standins.google.client import MODIFY, READONLY, Delivery, GoogleStandin
from tests.contract.google_standin import ANN, AT, BEN, Gmail, encoded, mail, running, signed_in

METADATA = "https://www.googleapis.com/auth/gmail.metadata"


@pytest.fixture
def google() -> Iterator[GoogleStandin]:
    with running() as standin:
        yield standin


@pytest.fixture
def gmail(google: GoogleStandin) -> Iterator[Gmail]:
    with signed_in(google) as client:
        yield client


def _listed(gmail: Gmail, **query: Any) -> list[str]:
    return [message["id"] for message in gmail.get("/messages", **query).json.get("messages", [])]


def _headers(answer: Any) -> dict[str, str]:
    return {header["name"]: header["value"] for header in answer["payload"].get("headers", [])}


# -- lists -------------------------------------------------------------------------------------------------------------


def test_lists_are_newest_first_by_internal_date_whatever_the_order_of_arrival(google: GoogleStandin, gmail: Gmail) -> None:
    late, early, middle = (google.deliver(ANN, mail(number=at), at_ms=AT + at) for at in (3, 1, 2))

    assert _listed(gmail) == [late, middle, early]


def test_a_mail_that_arrives_between_two_pages_moves_none_of_the_others(google: GoogleStandin, gmail: Gmail) -> None:
    ids = [google.deliver(ANN, mail(number=at), at_ms=AT + at) for at in range(4)]

    first = gmail.get("/messages", maxResults=2).json
    google.deliver(ANN, mail(number=9), at_ms=AT + 9)
    google.delete(ANN, [ids[3]])
    second = _listed(gmail, maxResults=2, pageToken=first["nextPageToken"])

    assert [message["id"] for message in first["messages"]] == ids[:1:-1]
    assert second == ids[1::-1]


def test_a_page_holds_100_by_default_and_never_more_than_500(google: GoogleStandin, gmail: Gmail) -> None:
    google.deliver_many(ANN, [Delivery(mail(number=at), at_ms=AT + at) for at in range(520)])

    assert len(_listed(gmail)) == 100
    assert len(_listed(gmail, maxResults=5000)) == 500
    assert gmail.get("/messages").json["resultSizeEstimate"] == 201


def test_spam_and_trash_are_left_out_unless_asked_for(google: GoogleStandin, gmail: Gmail) -> None:
    inbox, spam, trash = (
        google.deliver(ANN, mail(number=at), [label], AT - at) for at, label in enumerate(("INBOX", "SPAM", "TRASH"))
    )

    assert _listed(gmail) == [inbox]
    assert _listed(gmail, includeSpamTrash="true") == [inbox, spam, trash]
    assert _listed(gmail, labelIds="SPAM") == [spam]
    assert _listed(gmail, q="in:trash") == [trash]
    assert _listed(gmail, q="in:anywhere") == [inbox, spam, trash]


def test_several_label_ids_must_all_be_there(google: GoogleStandin, gmail: Gmail) -> None:
    both = google.deliver(ANN, mail(number=1), ["INBOX", "STARRED"])
    google.deliver(ANN, mail(number=2), ["INBOX"])

    assert _listed(gmail, labelIds=["INBOX", "STARRED"]) == [both]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"maxResults": "many"}, "Invalid value at 'max_results' (TYPE_UINT32), \"many\""),
        ({"pageToken": "x"}, "Invalid pageToken"),
        ({"labelIds": "Label_77"}, "Invalid label: Label_77"),
        ({"includeSpamTrash": "perhaps"}, "Invalid value at 'includeSpamTrash' (TYPE_BOOL), \"perhaps\""),
        ({"fields": "messages(id"}, "Invalid field selection ("),
        ({"fields": "messages)"}, "Invalid field selection messages)"),
    ],
)
def test_a_wrong_parameter_is_a_400_that_names_it(gmail: Gmail, query: dict[str, str], message: str) -> None:
    reply = gmail.get("/messages", **query)

    assert (reply.status, reply.json["error"]["message"]) == (400, message)


def test_fields_cuts_an_answer_down(google: GoogleStandin, gmail: Gmail) -> None:
    mail_id = google.deliver(ANN, mail())

    listed = gmail.get("/messages", fields="messages(id)").json
    whole = gmail.get(f"/messages/{mail_id}", fields="id,payload(mimeType,headers/name)").json

    assert listed == {"messages": [{"id": mail_id}]}
    assert set(whole) == {"id", "payload"}
    assert set(whole["payload"]) == {"mimeType", "headers"}
    assert all(set(header) == {"name"} for header in whole["payload"]["headers"])


# -- one mail ----------------------------------------------------------------------------------------------------------


def test_the_formats_differ_in_their_payload(google: GoogleStandin, gmail: Gmail) -> None:
    mail_id = google.deliver(ANN, mail(body="Tea & cake, 'soon'"), ["INBOX"], AT)

    answers = {name: gmail.get(f"/messages/{mail_id}", format=name).json for name in ("minimal", "full", "raw", "metadata")}
    common = {"id", "threadId", "labelIds", "snippet", "sizeEstimate", "historyId", "internalDate"}

    assert {name: set(answer) - common for name, answer in answers.items()} == {
        "minimal": set(),
        "full": {"payload"},
        "raw": {"raw"},
        "metadata": {"payload"},
    }
    assert (answers["raw"]["internalDate"], answers["raw"]["snippet"]) == (str(AT), "Tea &amp; cake, &#39;soon&#39;")
    assert "body" not in answers["metadata"]["payload"]


def test_metadata_gives_the_named_headers_decoded_and_unfolded(google: GoogleStandin, gmail: Gmail) -> None:
    mail_id = google.deliver(
        ANN, mail("=?utf-8?b?R3LDvMOfZQ==?=\r\n and more", more="X-Other: 1\r\nReceived: one\r\nReceived: two")
    )

    named = gmail.get(f"/messages/{mail_id}", format="metadata", metadataHeaders=["subject", "Message-ID"]).json
    all_of_them = gmail.get(f"/messages/{mail_id}", format="metadata").json["payload"]["headers"]

    assert _headers(named) == {"Subject": "Grüße and more", "Message-ID": "<m0@globex.test>"}
    assert [header["value"] for header in all_of_them if header["name"] == "Received"] == ["one", "two"]


def test_full_shows_the_tree_and_attachments_come_by_an_id_that_changes(google: GoogleStandin, gmail: Gmail) -> None:
    tree = (
        b"From: b@g.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain; charset=latin-1\r\n\r\ncaf\xe9\r\n"
        b"--b\r\nContent-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0=\r\n--b--\r\n"
    )
    mail_id = google.deliver(ANN, tree)

    first, second = (gmail.get(f"/messages/{mail_id}").json["payload"]["parts"] for _ in range(2))
    fetched = [
        gmail.get(f"/messages/{mail_id}/attachments/{parts[1]['body']['attachmentId']}").json for parts in (first, second)
    ]

    assert [(part["partId"], part["mimeType"], part["filename"]) for part in first] == [
        ("0", "text/plain", ""),
        ("1", "image/png", "a.png"),
    ]
    assert base64.urlsafe_b64decode(first[0]["body"]["data"]) == b"caf\xe9"
    assert first[1]["body"]["attachmentId"] != second[1]["body"]["attachmentId"]
    assert [base64.urlsafe_b64decode(one["data"]) for one in fetched] == [b"\x89PNG\r"] * 2
    assert gmail.get(f"/messages/{mail_id}/attachments/nonsense").status == 400


def test_an_attached_mail_is_an_attachment_with_parts_of_its_own(google: GoogleStandin, gmail: Gmail) -> None:
    inner = b"From: x@y.test\r\nSubject: Inner\r\n\r\nOld text"
    outer = b"From: b@g.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    part = b"--b\r\nContent-Type: message/rfc822; name=old.eml\r\n\r\n%b\r\n--b--\r\n"
    mail_id = google.deliver(ANN, outer + part % inner)

    shown = gmail.get(f"/messages/{mail_id}").json["payload"]["parts"][0]
    content = gmail.get(f"/messages/{mail_id}/attachments/{shown['body']['attachmentId']}").json["data"]

    assert (shown["filename"], shown["parts"][0]["partId"], _headers({"payload": shown["parts"][0]})["Subject"]) == (
        "old.eml",
        "0.0",
        "Inner",
    )
    assert base64.urlsafe_b64decode(content).replace(b"\r\n", b"\n") == inner.replace(b"\r\n", b"\n")


def test_a_mail_that_is_gone_differs_from_an_id_that_cannot_be(gmail: Gmail) -> None:
    gone, impossible = gmail.get("/messages/19ffffffffffffff"), gmail.get("/messages/no-such-id")

    assert (gone.status, gone.reason, gone.json["error"]["status"]) == (404, "notFound", "NOT_FOUND")
    assert (impossible.status, impossible.json["error"]["message"]) == (400, "Invalid id value")


def test_the_same_ids_mean_other_mails_in_another_mailbox(google: GoogleStandin) -> None:
    google.create_account(BEN)

    assert google.deliver(ANN, mail("For Ann")) == google.deliver(BEN, mail("For Ben"))


# -- who may -----------------------------------------------------------------------------------------------------------


def test_a_read_only_token_may_not_change_anything(google: GoogleStandin) -> None:
    mail_id = google.deliver(ANN, mail())
    before = google.snapshot(ANN)["digest"]

    with signed_in(google, READONLY) as gmail:
        refused = [
            gmail.send("POST", f"/messages/{mail_id}/modify", {"addLabelIds": ["STARRED"]}),
            gmail.send("POST", f"/messages/{mail_id}/trash"),
            gmail.send("DELETE", f"/messages/{mail_id}"),
            gmail.send("POST", "/labels", {"name": "Mine"}),
            gmail.send("POST", "/messages/send", {"raw": encoded(mail(to=BEN))}),
        ]

    assert {(reply.status, reply.reason) for reply in refused} == {(403, "insufficientPermissions")}
    assert refused[0].json["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    assert "insufficient_scope" in refused[0].headers["www-authenticate"]
    assert google.snapshot(ANN)["digest"] == before


def test_gmail_modify_may_trash_but_not_delete_for_good(google: GoogleStandin) -> None:
    mail_id = google.deliver(ANN, mail())

    with signed_in(google, MODIFY) as gmail:
        assert gmail.send("DELETE", f"/messages/{mail_id}").status == 403
        assert "TRASH" in gmail.send("POST", f"/messages/{mail_id}/trash").json["labelIds"]


def test_a_token_with_the_metadata_scope_sees_no_content_even_beside_another_scope(google: GoogleStandin) -> None:
    mail_id = google.deliver(ANN, mail())

    with signed_in(google, METADATA, READONLY) as gmail:
        assert gmail.get(f"/messages/{mail_id}", format="metadata").status == 200
        assert (
            gmail.get(f"/messages/{mail_id}", format="raw").json["error"]["message"]
            == "Metadata scope doesn't allow format RAW"
        )
        assert gmail.get("/messages", q="from:ben").status == 403


def test_a_token_opens_its_own_mailbox_only(google: GoogleStandin, gmail: Gmail) -> None:
    google.create_account(BEN)

    assert gmail.get(f"/gmail/v1/users/{ANN.replace('@', '%40')}/profile").status == 200
    assert gmail.get(f"/gmail/v1/users/{BEN}/profile").json["error"]["message"] == f"Delegation denied for {ANN}"


def test_an_account_without_gmail_says_so(google: GoogleStandin, gmail: Gmail) -> None:
    google.control("switch_mail", account=ANN, on=False)

    reply = gmail.get("/profile")

    assert (reply.status, reply.reason, reply.json["error"]["message"]) == (
        400,
        "failedPrecondition",
        "Mail service not enabled",
    )
