"""Labels as folders, and the owner's addresses."""

from typing import Any

import pytest

from flowcrm.mail.errors import PermissionMissing, Transient
from flowcrm.mail.types import Account, Folder, FolderRole
from tests.unit.connectors.gmail.mailbox import ROOT, gmail, in_turn, refuse
from tests.unit.scripted_server import reply, reply_json


def label(label_id: str, name: str, kind: str = "system") -> dict[str, Any]:
    return {"id": label_id, "name": name, "type": kind}


def test_labels_have_roles_by_their_ids_in_any_language() -> None:
    labels = [
        label("INBOX", "Posteingang"),
        label("SENT", "Gesendet"),
        label("DRAFT", "Entwürfe"),
        label("SPAM", "Spam"),
        label("TRASH", "Papierkorb"),
        label("STARRED", "Markiert"),
        label("CATEGORY_PROMOTIONS", "Werbung"),
        label("Label_1", "Kunden/Acme", "user"),
        label("Label_2", "INBOX", "user"),
    ]
    with gmail(in_turn(reply_json({"labels": labels}))) as (mailbox, _):
        found = mailbox.folders()
    assert [(folder.name, folder.role) for folder in found] == [
        ("Posteingang", FolderRole.INBOX),
        ("Gesendet", FolderRole.SENT),
        ("Entwürfe", FolderRole.DRAFTS),
        ("Spam", FolderRole.SPAM),
        ("Papierkorb", FolderRole.TRASH),
        ("Markiert", FolderRole.SYSTEM),
        ("Werbung", FolderRole.SYSTEM),
        ("Kunden/Acme", FolderRole.LABEL),
        ("INBOX", FolderRole.LABEL),
    ]


def test_unread_is_no_folder_and_a_nameless_label_is_called_by_its_id() -> None:
    with gmail(in_turn(reply_json({"labels": [label("UNREAD", "UNREAD"), {"id": "Label_3"}]}))) as (mailbox, _):
        assert mailbox.folders() == (Folder("Label_3", "Label_3", FolderRole.LABEL),)


def test_the_owner_is_everybody_he_sends_as_once_verified() -> None:
    aliases = [
        {"sendAsEmail": "Anna@Acme.example", "isPrimary": True},
        {"sendAsEmail": "sales@acme.example", "verificationStatus": "accepted"},
        {"sendAsEmail": "boss@other.example", "verificationStatus": "pending"},
    ]
    profile = {"emailAddress": "Anna@Acme.example", "messagesTotal": 12, "historyId": "1"}
    spent: list[int] = []
    with gmail(in_turn(reply_json(profile), reply_json({"sendAs": aliases})), spent.append) as (mailbox, server):
        account = mailbox.check()
    assert account == Account("anna@acme.example", ("anna@acme.example", "sales@acme.example"), 12)
    assert [request.path for request in server.seen] == [f"{ROOT}profile", f"{ROOT}settings/sendAs"]
    assert spent == [1, 1]


def test_a_permission_that_is_missing_is_named() -> None:
    script = in_turn(refuse(403, "insufficientPermissions"))
    with gmail(script, scope="the scope") as (mailbox, _), pytest.raises(PermissionMissing) as caught:
        mailbox.check()
    assert caught.value.scope == "the scope"


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", ""])
def test_an_answer_of_somebody_else_is_no_account(body: str) -> None:
    with gmail(in_turn(reply(body))) as (mailbox, _), pytest.raises(Transient) as caught:
        mailbox.check()
    assert caught.value.code in ("unreadable", "no_address")
