"""Settings, Kept out: what a member and an admin see and change, what a preview tells, and what nobody else does."""

from typing import Any

import pytest

from flowcrm.store.db import rows
from flowcrm.store.levels import Level
from flowcrm.store.writes.private import do_level, do_mark_email
from tests.mail_helper import connect, keep, raw
from tests.people import Someone

pytestmark = pytest.mark.needs_postgres

LISTS = "/settings/kept-out"
CARLA, NORDLICHT = "carla@nordlicht.example", "nordlicht.example"


def _text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def _add(someone: Someone, entry: str, scope: str = "mine", **more: str) -> Any:
    return someone.post(LISTS, {"entry": entry, "scope": scope, "save": "1", **more})


def _entries(someone: Someone) -> list[int]:
    with someone.scope():
        return [one for (one,) in rows("SELECT id FROM exclusion WHERE state <> 'leaving' ORDER BY id")]


def _verbs(someone: Someone) -> list[str]:
    with someone.scope():
        return [one for (one,) in rows("SELECT verb FROM audit WHERE surface = 'kept_out' ORDER BY id")]


def test_what_would_go_is_shown_first_and_nothing_happens_yet(member: Someone) -> None:
    box = connect(member)
    keep(member.workspace_id, box, raw("Budget", sender=CARLA), raw("Plan", sender=f"Tom <tom@shop.{NORDLICHT}>"), raw("Other"))
    for typed, emails, shown, hidden in (
        (CARLA, "1 email goes", ("Budget",), ("Plan", "Other")),
        (f"*@{NORDLICHT.upper()}", "3 emails go", ("Budget", "Plan", "Other"), ()),
        (f"shop.{NORDLICHT}", "1 email goes", ("Plan",), ("Budget",)),
        ("nobody@x.example", "Nothing that is here goes", (), ("Budget",)),
    ):
        page = _text(member.post(LISTS, {"entry": typed, "scope": "mine"}))
        assert emails in page, typed
        assert all(f"<bdi>{one}</bdi>" in page for one in shown), typed
        assert not any(f"<bdi>{one}</bdi>" in page for one in hidden), typed
    assert _entries(member) == []
    assert "Budget" in _text(member.get("/emails"))
    assert set(_verbs(member)) == {"list"}


def test_keeping_out_takes_it_out_at_once_and_letting_in_brings_it_back(member: Someone) -> None:
    box = connect(member)
    keep(member.workspace_id, box, raw("Budget", sender=CARLA))
    assert "is kept out from now on" in _text(member.post(LISTS, {"entry": CARLA, "scope": "mine", "save": "1"}, follow=True))
    assert "Budget" not in _text(member.get("/emails"))
    page = _text(member.get("/emails/bin"))
    assert "kept out by a list" in page
    with member.scope():
        [(copy_id,)] = rows("SELECT id FROM copy")
    assert "It stays in the bin" in _text(member.post(f"/emails/bin/{copy_id}/back", follow=True))

    [entry] = _entries(member)
    assert CARLA in _text(member.get(LISTS))
    assert "may come in again" in _text(member.post(f"{LISTS}/{entry}/off", follow=True))
    assert "Budget" in _text(member.get("/emails"))
    assert CARLA not in _text(member.get(LISTS))
    assert [one for one in _verbs(member) if one != "list"] == ["keep_out", "let_in_again"]


@pytest.mark.parametrize("typed", ["", "com", "carla", "a b@c.example", "x.example, y.example"])
def test_what_is_no_entry_is_said_at_its_field_and_stays_there(member: Someone, typed: str) -> None:
    answer = _add(member, typed)
    assert answer.status_code == 422
    assert ("Enter an email address or a domain" if not typed else "is neither an address nor a domain") in _text(answer)
    assert f'value="{typed}"' in _text(answer) or not typed
    assert _entries(member) == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("gmail.com", "Half the world"),
        ("acme.example", "Somebody in your account writes from there"),
        ("me@acme.example", "Somebody in your account writes from there"),
    ],
)
def test_what_is_seldom_meant_is_asked_about_once_more(member: Someone, typed: str, said: str) -> None:
    connect(member, "me@acme.example")
    answer = _add(member, typed)
    assert answer.status_code == 422
    assert said in _text(answer)
    assert "Tick this first" in _text(answer)
    assert _entries(member) == []
    assert _add(member, typed, sure="1").status_code == 302
    assert len(_entries(member)) == 1


def test_an_admin_keeps_out_for_everybody_and_sees_a_figure_and_no_email(member: Someone, colleague: Someone) -> None:
    mine, his = connect(member), connect(colleague)
    keep(member.workspace_id, mine, raw("Mine", sender=CARLA))
    _open, private = keep(colleague.workspace_id, his, raw("His secret", sender=CARLA), raw("His private", sender=CARLA))
    with colleague.scope():
        do_level(workspace_id=colleague.workspace_id, mailbox_id=his, level=Level.EVERYTHING)
        do_mark_email(workspace_id=colleague.workspace_id, mailboxes=[his], message_id=private, private=True)
    page = _text(member.post(LISTS, {"entry": CARLA, "scope": "account"}))
    assert "2 emails go" in page, "what is private is not counted"
    assert "<bdi>Mine</bdi>" in page
    assert not any(subject in page for subject in ("His secret", "His private"))
    assert "counted" in _verbs(member)

    assert _add(member, CARLA, "account").status_code == 302
    for subject in ("His secret", "His private"):
        assert subject in _text(colleague.get("/emails/bin"))
        assert subject not in _text(member.get("/emails/bin"))
    assert CARLA in _text(colleague.get(LISTS)), "everybody may know why emails are not here"
    assert "/off" not in _text(colleague.get(LISTS))


def test_a_users_list_is_his_alone_and_the_account_is_not_his_to_change(
    member: Someone, colleague: Someone, stranger: Someone
) -> None:
    assert _add(colleague, CARLA, "account").status_code == 422
    assert _entries(colleague) == []
    _add(colleague, CARLA)
    _add(member, "x.example", "account")
    own, account = _entries(member)
    assert CARLA not in _text(member.get(LISTS)), "no admin reads a member's own list"
    for someone, entry in ((member, own), (stranger, own), (stranger, account), (colleague, account)):
        assert someone.post(f"{LISTS}/{entry}/off").status_code == 404
    assert "x.example" not in _text(stranger.get(LISTS))
    assert _entries(member) == [own, account]


def test_an_opened_email_offers_its_sender_and_his_domain(member: Someone) -> None:
    box = connect(member, "me@acme.example")
    first, second = keep(
        member.workspace_id, box, raw("Budget", sender=CARLA), raw("Mine", sender="me@acme.example", to="Tom <tom@x.example>")
    )
    page = _text(member.get(f"/emails/message/{first}"))
    assert f'name="entry" value="{CARLA}"' in page
    assert f'name="entry" value="{NORDLICHT}"' in page
    assert 'name="entry" value="tom@x.example"' in _text(member.get(f"/emails/message/{second}"))
    assert "1 email goes" in _text(member.post(LISTS, {"entry": CARLA, "scope": "mine"}))


def test_a_colleagues_email_offers_nothing(member: Someone, colleague: Someone) -> None:
    his = connect(colleague)
    (message,) = keep(colleague.workspace_id, his, raw("Budget", sender=CARLA))
    with colleague.scope():
        do_level(workspace_id=colleague.workspace_id, mailbox_id=his, level=Level.EVERYTHING)
    assert 'name="entry"' not in _text(member.get(f"/emails/message/{message}"))


def test_a_contact_is_removed_with_all_its_emails_and_undo_brings_both_back(member: Someone, colleague: Someone) -> None:
    mine, his = connect(member), connect(colleague)
    contact = member.contact("Carla Stein", CARLA, "carla@x.example")
    keep(
        member.workspace_id,
        mine,
        raw("Budget", sender=CARLA),
        raw("Plan", sender="Carla <carla@x.example>"),
        raw("Other", sender="tom@x.example"),
    )
    keep(colleague.workspace_id, his, raw("His", sender=CARLA))
    page = _text(member.get(f"/contacts/{contact}/remove"))
    assert "2 emails of yours go to the bin" in page
    assert "1 more email is held by colleagues and stays theirs, unless you keep this contact out for everybody." in page
    assert f'href="/contacts/{contact}/remove"' in _text(member.get(f"/contacts/{contact}"))

    answer = _text(member.post(f"/contacts/{contact}/remove", follow=True))
    assert "was deleted, and emails with these addresses are kept out" in answer
    assert member.get(f"/contacts/{contact}").status_code == 404
    emails = _text(member.get("/emails?only=all"))
    assert ("Budget" in emails, "Plan" in emails, "Other" in emails) == (False, False, True)
    assert "His" in _text(colleague.get("/emails"))
    assert len(_entries(member)) == 2

    assert "Carla Stein is back" in _text(member.post("/contacts/restore", follow=True))
    emails = _text(member.get("/emails?only=all"))
    assert all(subject in emails for subject in ("Budget", "Plan", "Other"))
    assert _entries(member) == []


def test_an_admin_removes_a_contact_for_everybody_and_may_leave_it_here(member: Someone, colleague: Someone) -> None:
    his = connect(colleague)
    contact = member.contact("Carla Stein", CARLA)
    keep(colleague.workspace_id, his, raw("His secret", sender=CARLA))
    # A user's word for the account counts for nothing more than his own.
    colleague.post(f"/contacts/{contact}/remove", {"scope": "account", "keep": "1"})
    assert CARLA not in _text(member.get(LISTS))
    member.post(f"/contacts/{contact}/remove", {"scope": "account", "keep": "1"})
    assert member.get(f"/contacts/{contact}").status_code == 200
    assert CARLA in _text(member.get(LISTS))
    assert "His secret" not in _text(colleague.get("/emails"))


def test_undo_leaves_what_was_listed_before(member: Someone) -> None:
    contact = member.contact("Carla Stein", CARLA)
    _add(member, CARLA)
    member.post(f"/contacts/{contact}/remove")
    member.post("/contacts/restore")
    assert CARLA in _text(member.get(LISTS))


def test_a_contact_with_a_colleagues_address_is_asked_about_once_more_and_one_without_has_nothing_to_keep_out(
    member: Someone,
) -> None:
    connect(member, "me@acme.example")
    contact = member.contact("Me", "me@acme.example")
    assert member.post(f"/contacts/{contact}/remove").status_code == 422
    assert _entries(member) == []
    bare = member.contact("Nobody")
    assert member.get(f"/contacts/{bare}/remove")["Location"] == f"/contacts/{bare}"
    assert "Remove and keep out…" not in _text(member.get(f"/contacts/{bare}"))


def test_a_stranger_removes_nobody(member: Someone, stranger: Someone) -> None:
    contact = member.contact("Carla Stein", CARLA)
    assert stranger.get(f"/contacts/{contact}/remove").status_code == 404
    assert stranger.post(f"/contacts/{contact}/remove").status_code == 404
    assert member.get(f"/contacts/{contact}").status_code == 200
