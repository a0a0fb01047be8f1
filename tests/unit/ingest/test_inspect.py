"""`inspect`: what is understood of a mail, as JSON."""

import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from flowcrm.ingest.inspect import inspect
from tests.unit.ingest.mails import offer
from tests.unit.mail.corpus import multipart


def test_everything_that_is_understood_is_shown() -> None:
    text = b"Thanks!\r\n\r\n-- \r\nAnna\r\n\r\nOn 2026-11-01 Ben <ben@acme.example> wrote:\r\n> old\r\n"
    shown = inspect(offer(text, In_Reply_To="<zero@x.example>", References="<zero@x.example>", Cc="carla@acme.example"))
    assert shown["message_id"] == "offer@nord.example"
    assert shown["from"] == [{"name": "Anna Berg", "email": "anna@nord.example"}]
    assert [one["email"] for one in shown["to"] + shown["cc"] + shown["bcc"] + shown["reply_to"]] == [
        "ben@acme.example",
        "carla@acme.example",
    ]
    assert shown["date"] == "2026-11-02T08:00:00+00:00"
    assert shown["subject"] == "Offer"
    assert shown["text"].startswith("Thanks!")
    assert (shown["own"], shown["signature"]) == ("Thanks!", "-- \nAnna")
    assert shown["quoted"].endswith("> old")
    assert shown["snippet"] == "Thanks!"
    assert (shown["in_reply_to"], shown["references"]) == (["zero@x.example"], ["zero@x.example"])
    assert shown["flags"] == []


def test_attachments_are_shown_by_their_content() -> None:
    shown = inspect(multipart(b"\r\nHello", b'Content-Type: application/pdf; name="a.pdf"\r\n\r\n%PDF'))
    assert shown["attachments"] == [
        {
            "part": "2",
            "name": "a.pdf",
            "type": "application/pdf",
            "size": 4,
            "sha256": hashlib.sha256(b"%PDF").hexdigest(),
            "content_id": "",
            "inline": False,
        }
    ]
    assert shown["date"] is None


@given(st.binary())
def test_any_bytes_are_shown_as_json(raw: bytes) -> None:
    assert json.loads(json.dumps(inspect(raw))) == inspect(raw)
