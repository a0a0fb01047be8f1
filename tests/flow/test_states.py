"""Every state of a mailbox as the demo shows it: brought about as in life, found by the engine, met on the pages by its owner
(with buttons), by an admin (without), and by nobody else."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from django.test import Client

from flowcrm.lib import clock
from flowcrm.ops.demo import scenes, states
from flowcrm.ops.demo.scenes import Box, Scene
from flowcrm.ops.demo.states import ACCOUNTS, NO_ADDRESS, SILENT, WRITES, Somebody
from flowcrm.store.db import row, workspace_scope
from flowcrm.store.models import Person
from tests.flow.acme import google

pytestmark = [pytest.mark.needs_postgres]

PEOPLE: dict[str, Somebody] = {one.key: one for account in ACCOUNTS for one in account.people}
SCENES: dict[str, tuple[Somebody, Scene]] = {
    scene.name: (somebody, scene) for somebody in PEOPLE.values() for scene in somebody.scenes
}
# Dot and a part of the sentence, beside the word and the button that the scene itself names.
LOOKS: dict[str, tuple[str, str]] = {
    "connected": ("info hollow", "Nothing is read yet. The first read starts in a few seconds."),
    "finish-set-up": ("wait", "Nothing is read until you choose what comes in."),
    "reading": ("info", "The newest emails come first and can be read already."),
    "up-to-date": ("good", ""),
    "slowed": ("wait", "It asked us to wait. Nothing is lost, and the sync goes on by itself."),
    "out-of-reach": ("wait", "Google does not answer, or has a problem of its own. Nothing is lost: email will catch up."),
    "revoked": ("bad", "Google refused the sign-in. Nothing is lost: what arrives meanwhile comes in when you re-authorize."),
    "permission": ("bad", "Reading email was not allowed at Google, so nothing is read. Allow it, and the sync starts."),
    "not-allowed": ("bad", "Google does not let this FlowCRM in. Nothing is lost. An admin can mend it."),
    "re-reading": ("info", "Google forgot our place, so the mailbox is compared again. Nothing is removed"),
    "label-gone": ("wait", "A label that you chose was deleted at Google."),
    "paused": ("off hollow", "Paused by you. Nothing is read until you resume. Nothing is lost."),
    "disconnected": ("off hollow", "The emails kept so far stay here. Nothing new comes in."),
    "limit": ("off", "Today's limit is reached. Nothing is lost: the sync goes on after midnight."),
    "full": ("off", "New emails wait at Google. Nothing is lost, and nothing is deleted."),
    "starter": ("off hollow", "This plan has no email integration. Nothing is deleted."),
}
FACTS: dict[str, str] = {
    "slowed": r"Goes on at \d\d:\d\d",
    "out-of-reach": r"Try \d+ at \d\d:\d\d|Trying again now",
    "revoked": r"Since \d\d:\d\d.*12 emails stay here",
    "paused": r"Since \d\d:\d\d.*12 emails stay here",
    "disconnected": r"12 emails stay here",
    "limit": r"Goes on at ",
    "up-to-date": r"Checked \d\d:\d\d.*next about \d\d:\d\d",
    "reading": r"read.*kept.*back to",
    "connected": r"Looking for emails…",
}


@pytest.fixture(scope="module")
def boxes(database: dict[str, str], pages: None) -> Iterator[dict[str, Box]]:
    """The demo's accounts, made once: each mailbox by the name of its scene."""
    with google() as standin:
        yield {box.address.partition("@")[0]: box for box in states.do_make_states(standin)}


def _page(key: str, path: str = "/settings/integrations") -> str:
    client = Client()
    person = Person.objects.get(email=PEOPLE[key].address)
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return unescape(answer.content.decode())


def _card(page: str, address: str) -> str:
    cards = page.partition('id="not-syncing"')[0].split('<div class="mailbox" id=')
    (found,) = (card for card in cards[1:] if f">{address}<" in card)
    return found


def _try_again(boxes: dict[str, Box], name: str) -> None:
    """No worker runs here, and the next try of what cannot be reached may have come meanwhile."""
    if name == "out-of-reach":
        boxes[name].sync()


def _presses(card: str) -> list[str]:
    found = re.findall(r'<(a|button)\b[^>]*class="button[^>]*>(.*?)</\1>', card, re.DOTALL)
    return [re.sub(r"<[^>]*>", "", inside).strip() for _, inside in found]


@pytest.mark.parametrize("name", SCENES)
def test_each_state_has_its_dot_word_sentence_and_button(boxes: dict[str, Box], name: str) -> None:
    somebody, scene = SCENES[name]
    _try_again(boxes, name)
    card = _card(_page(somebody.key), boxes[name].address)
    dot, sentence = LOOKS[name]
    kind, hollow = dot.split()[0], "hollow" in dot
    (badge,) = re.findall(r'<span class="badge (\w+)">(.*?)</span>\s*(?:<|$)', card, re.DOTALL)[:1]
    assert badge[0] == kind
    assert badge[1].endswith(scene.word)
    assert ("dot hollow" in badge[1]) is hollow
    assert sentence in card
    assert re.search(FACTS.get(name, ""), re.sub(r"<[^>]*>|\s+", " ", card))
    presses = _presses(card)
    if scene.button:
        assert scene.button in presses
    # What does not help is not offered.
    assert ("Sync now" in presses) is (scene.button == "Sync now")
    assert ("Disconnect" in presses) is (name != "disconnected")


def test_the_table_knows_every_scene_and_no_two_are_alike(boxes: dict[str, Box]) -> None:
    assert set(boxes) == set(SCENES) == set(LOOKS)
    assert len({scene.word for _, scene in SCENES.values()}) == len(SCENES)


def test_an_archive_is_shown_beside_them_and_needs_nothing(boxes: dict[str, Box]) -> None:
    assert boxes
    card = _card(_page("stella"), PEOPLE["stella"].address)
    assert "Archive" in card
    assert "5 emails stay here" in card
    assert _presses(card) == []


@pytest.mark.parametrize("name", [name for name, (somebody, _) in SCENES.items() if somebody.key in ("stella", "hana")])
def test_an_admin_sees_the_same_word_and_can_press_nothing(boxes: dict[str, Box], name: str) -> None:
    somebody, scene = SCENES[name]
    _try_again(boxes, name)
    page = _page("axel").partition("Other mailboxes of this account")[2]
    card = _card(page, boxes[name].address)
    assert scene.word in card
    assert somebody.name in card
    assert _presses(card.partition("</section>")[0]) == []
    assert not re.search(r"\byou\b", card.partition("</section>")[0])


def test_a_user_sees_none_of_a_colleagues(boxes: dict[str, Box]) -> None:
    page = _page("hana")
    assert boxes["paused"].address not in page
    assert boxes["reading"].address in page


@pytest.mark.parametrize(
    ("who", "whose", "title", "button"),
    [
        ("axel", WRITES, "conversations exist, held by Stella Marsh", "Ask Stella Marsh"),
        ("axel", SILENT, "No mailbox is connected", "Connect a mailbox"),
        ("hana", SILENT, "Still importing", "See how far it is"),
        ("stella", SILENT, "Nothing exchanged yet", "See what comes in"),
        ("stella", NO_ADDRESS, "No email address", "Add an address"),
        ("starter", SILENT, "Nothing exchanged yet", "See what comes in"),
    ],
)
def test_the_demo_has_every_empty_tab(boxes: dict[str, Box], who: str, whose: str, title: str, button: str) -> None:
    account = next(account for account in ACCOUNTS if PEOPLE[who] in account.people)
    box = boxes[account.people[0].scenes[0].name]
    with workspace_scope(box.workspace_id):
        found = row("SELECT id FROM contact WHERE workspace_id = %s AND name = %s", [box.workspace_id, whose])
    assert found is not None
    empty = _page(who, f"/contacts/{found[0]}/emails").partition('<div class="empty">')[2]
    assert title in empty
    assert f">{button}</a>" in empty


@pytest.mark.usefixtures("moving_clock")
def test_what_is_mended_goes_on_and_what_was_read_is_still_there(boxes: dict[str, Box]) -> None:
    """The demo's machine is the product's: an outage that is over, a day that begins, a re-authorized grant."""
    out = boxes["out-of-reach"]
    out.google.control("clear_faults")
    scenes.do_connect_at(out.google, boxes["revoked"].workspace_id, boxes["revoked"].member_id, boxes["revoked"].address)
    clock.advance(24 * 3600)
    for name in ("out-of-reach", "revoked", "limit"):
        boxes[name].sync(2)
        assert "Up to date" in _card(_page(SCENES[name][0].key), boxes[name].address), name
