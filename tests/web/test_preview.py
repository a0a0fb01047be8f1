"""The preview of a change of settings and its undoing, as a mailbox's owner meets them, and as nobody else does."""

import re
from html import unescape
from urllib.parse import urlencode

import pytest
from django.test import Client, override_settings

from flowcrm.lib import clock
from flowcrm.store.db import row, rows, workspace_scope
from flowcrm.store.models import Person
from standins.google.client import GoogleStandin
from tests.flow.acme import Box, Team, letter
from tests.flow.conftest import standin, team
from tests.flow.preview import here
from tests.people import Someone, stranger

__all__ = ["standin", "stranger", "team"]

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]

PAGE = "/settings/integrations"
USUAL = {
    "selection": "all",
    "since": "everything",
    "interval_s": "300",
    "level": "only_me",
    "on_leave": "keep",
    "on_delete": "keep",
}
CONTACTS = USUAL | {"selection": "contacts"}
HTMX = {"HX-Request": "true"}


def _owner(box: Box) -> Client:
    with workspace_scope(box.team.workspace_id):
        [(person_id,)] = rows("SELECT person_id FROM member WHERE id = %s", [box.member_id])
    client = Client()
    client.force_login(Person.objects.get(id=person_id), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _text(answer: object) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())  # type: ignore[attr-defined]


def _at(box: Box, what: str = "preview") -> str:
    return f"{PAGE}/{box.mailbox_id}/{what}"


def _mailbox(team: Team, selection: str = "all") -> Box:
    """Three emails of a contact's, four of somebody else's."""
    box = team.mailbox("")
    team.contact("carla@nordlicht.example")
    for n in range(3):
        box.deliver(letter(f"Hers {n}"))
    for n in range(4):
        box.deliver(letter(f"His {n}", sender="Tom <tom@globex.example>"))
    if selection:
        box.choose(selection)
        box.rest()
    return box


def test_the_first_choice_is_previewed_and_saved_from_there(team: Team) -> None:
    box = _mailbox(team, "")
    owner = _owner(box)
    answer = owner.post(_at(box, "settings"), USUAL | {"step": "preview"})
    assert answer.status_code == 302
    assert answer["Location"].startswith(_at(box))
    page = owner.get(answer["Location"])
    assert "About to import" in _text(page)
    assert "7 emails come in." in _text(page)
    assert "Tom <tom@globex.example> His 3" in _text(page)
    assert "does not fit" not in _text(page)
    with workspace_scope(team.workspace_id):
        assert row("SELECT state FROM mailbox WHERE id = %s", [box.mailbox_id]) == ("choosing",)
    fields = dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', page.content.decode()))
    assert owner.post(_at(box, "settings"), fields)["Location"] == _at(box, "running")
    box.rest()
    assert len(here(box)) == 7


def test_a_narrower_choice_says_what_does_not_fit_and_keeps_it_unless_told_otherwise(team: Team) -> None:
    box = _mailbox(team)
    owner = _owner(box)
    page = owner.get(f"{_at(box)}?{urlencode(CONTACTS)}")
    assert "0 emails come in. 4 emails that are here do not fit." in _text(page)
    assert "Tom His 0" in _text(page)
    assert re.search(r'name="out" value="keep" checked', page.content.decode())
    owner.post(_at(box, "settings"), CONTACTS | {"out": "keep"})
    box.rest()
    assert len(here(box)) == 7


def test_what_does_not_fit_goes_to_the_bin_with_its_reason_and_comes_back(team: Team) -> None:
    box = _mailbox(team)
    owner = _owner(box)
    owner.post(_at(box, "settings"), CONTACTS | {"out": "bin"})
    box.rest()
    assert len(here(box)) == 3
    page = owner.get("/emails/bin")
    assert _text(page).count("does not fit the mailbox's settings") == 4
    copy_id = re.findall(r"/emails/bin/(\d+)/back", page.content.decode())[0]
    owner.post(f"/emails/bin/{copy_id}/back")
    assert len(here(box)) == 4


def test_a_change_can_be_undone_from_the_settings_and_both_are_in_the_audit_log(team: Team) -> None:
    box = _mailbox(team)
    owner = _owner(box)
    assert "by you" not in _text(owner.get(_at(box, "settings")))
    owner.post(_at(box, "settings"), CONTACTS | {"out": "bin", "interval_s": "900", "on_delete": "remove"})
    box.rest()
    page = owner.get(_at(box, "settings"))
    assert re.search(r"Changed by you: Today [0-9:]+ ?\. Undo", _text(page))
    [undo] = re.findall(r'href="([^"]*\?undo=(\d+))"', page.content.decode())
    assert "4 emails come in. 4 of them from the bin." in _text(owner.get(undo[0]))
    assert owner.post(_at(box, "undo"), {"change": undo[1], "out": "keep"}).status_code == 302
    box.rest()
    assert len(here(box)) == 7
    with workspace_scope(team.workspace_id):
        found = row("SELECT selection, interval_s, on_delete FROM mailbox WHERE id = %s", [box.mailbox_id])
        verbs = [verb for (verb,) in rows("SELECT verb FROM audit WHERE verb LIKE '%%settings' ORDER BY id")]
    assert found == ("all", 300, "keep")
    assert verbs == ["settings", "undo_settings"]
    again = owner.post(_at(box, "undo"), {"change": undo[1]}, follow=True)
    assert "cannot be undone any more" in _text(again)


def test_only_another_frequency_is_saved_at_once_and_can_be_undone(team: Team) -> None:
    box = _mailbox(team)
    owner = _owner(box)
    answer = owner.post(_at(box, "settings"), USUAL | {"since": "as_now", "interval_s": "900", "step": "preview"})
    assert answer["Location"] == PAGE
    [(change,)] = _changes(box)
    assert "What comes in stays the same." in _text(owner.get(f"{_at(box)}?undo={change}"))
    assert owner.post(_at(box, "undo"), {"change": change})["Location"] == PAGE
    with workspace_scope(team.workspace_id):
        assert row("SELECT interval_s FROM mailbox WHERE id = %s", [box.mailbox_id]) == (300,)


def test_after_thirty_days_the_page_offers_no_undo(team: Team) -> None:
    box = _mailbox(team)
    owner = _owner(box)
    owner.post(_at(box, "settings"), CONTACTS)
    [(change,)] = _changes(box)
    clock.advance(30 * 24 * 3600 + 1)
    assert "by you" not in _text(owner.get(_at(box, "settings")))
    assert "cannot be undone any more" in _text(owner.post(_at(box, "undo"), {"change": change}, follow=True))
    assert "cannot be undone any more" in _text(owner.get(f"{_at(box)}?undo={change}", follow=True))


def test_it_goes_on_from_what_the_page_carries_and_says_at_least_until_then(team: Team) -> None:
    box = _mailbox(team, "")
    for n in range(30):
        box.deliver(letter(f"More {n}"))
    owner, address = _owner(box), f"{_at(box)}?{urlencode(CONTACTS)}"
    with override_settings(GMAIL_UNITS_PER_MINUTE=300):
        page = owner.get(address)
        assert re.search(r"At least 1?[0-9] emails come in. The mailbox holds 33 that may be a contact's", _text(page))
        assert 'hx-trigger="load delay:' in page.content.decode()
        for _ in range(20):
            clock.advance(60)
            [place] = re.findall(r'name="place" value="([^"]*)"', page.content.decode())
            page = owner.post(address, {"place": place}, headers=HTMX)
            if "hx-trigger" not in page.content.decode():
                break
    assert "<html" not in page.content.decode()
    assert "33 emails come in." in _text(page)


def test_what_the_page_carries_is_sealed_and_of_no_use_elsewhere(team: Team) -> None:
    box, other = _mailbox(team, ""), team.mailbox("")
    for n in range(30):
        box.deliver(letter(f"More {n}"))
    with override_settings(GMAIL_UNITS_PER_MINUTE=300):
        page = _owner(box).get(f"{_at(box)}?{urlencode(CONTACTS)}")
    [place] = re.findall(r'name="place" value="([^"]*)"', page.content.decode())
    for carried in (place, "", "nonsense", "AAAA"):
        answer = _owner(other).post(f"{_at(other)}?{urlencode(CONTACTS)}", {"place": carried}, headers=HTMX)
        assert "0 emails come in." in _text(answer)
    clock.advance(600)
    answer = _owner(box).post(f"{_at(box)}?{urlencode(USUAL)}", {"place": place}, headers=HTMX)
    assert "37 emails come in." in _text(answer)


def test_while_gmail_cannot_be_asked_it_says_so_and_saving_is_possible(team: Team, standin: GoogleStandin) -> None:
    box = _mailbox(team)
    owner = _owner(box)
    standin.fault("gmail.*", "status", status=503, count=0)
    page = owner.get(f"{_at(box)}?{urlencode(CONTACTS)}")
    assert "Gmail cannot be reached right now" in _text(page)
    assert owner.post(_at(box, "settings"), CONTACTS).status_code == 302


def test_what_cannot_be_chosen_leads_back_to_the_settings(team: Team) -> None:
    box = _mailbox(team)
    for wrong in ({"selection": "labels"}, {"since": "day"}, {}):
        answer = _owner(box).get(f"{_at(box)}?{urlencode(USUAL | wrong if wrong else {})}")
        assert answer["Location"] == _at(box, "settings")
    with workspace_scope(team.workspace_id):
        rows("UPDATE mailbox SET state = 'disconnected' WHERE id = %s", [box.mailbox_id])
    assert _owner(box).get(f"{_at(box)}?{urlencode(USUAL)}")["Location"] == _at(box, "settings")


def test_nobody_but_its_owner_previews_or_undoes(team: Team, stranger: Someone) -> None:
    box, colleague = _mailbox(team), team.mailbox("all")
    _owner(box).post(_at(box, "settings"), CONTACTS)
    [(change,)] = _changes(box)
    for nobody in (stranger.client, _owner(colleague)):
        assert nobody.get(f"{_at(box)}?{urlencode(USUAL)}").status_code == 404
        assert nobody.post(f"{_at(box)}?{urlencode(USUAL)}").status_code == 404
        assert nobody.post(_at(box, "undo"), {"change": change}).status_code == 404
    assert Client().get(_at(box)).status_code == 302
    with workspace_scope(team.workspace_id):
        assert row("SELECT selection FROM mailbox WHERE id = %s", [box.mailbox_id]) == ("contacts",)


def test_what_of_the_stored_is_shown_is_recorded_once(team: Team) -> None:
    box = _mailbox(team)
    owner, address = _owner(box), f"{_at(box)}?{urlencode(CONTACTS)}"
    page = owner.get(address)
    assert "Tom His 0" in _text(page)
    with workspace_scope(team.workspace_id):
        found = rows("SELECT verb, array_length(object_ids, 1) FROM audit WHERE surface = 'preview'")
    assert found == [("list", 4)]


def _changes(box: Box) -> list[tuple[int]]:
    with workspace_scope(box.team.workspace_id):
        return [(one,) for (one,) in rows("SELECT id FROM settings_change WHERE mailbox_id = %s", [box.mailbox_id])]
