"""A contact's and a company's tab Emails without emails: each reason has its words and its way on, and never another one's."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from flowcrm.lib import clock
from flowcrm.mail.types import Folder, FolderRole
from flowcrm.store.db import run
from flowcrm.store.levels import Level
from flowcrm.store.vaults import vault
from flowcrm.store.writes.companies import do_create_company
from flowcrm.store.writes.mailbox import do_folders
from flowcrm.store.writes.private import do_level
from flowcrm.store.writes.workspaces import do_set_plan
from tests.mail_helper import connect, keep, raw
from tests.people import Someone

pytestmark = pytest.mark.needs_postgres

CARLA = "carla@nordlicht.example"
OWN = "mara@acme.example"
INTEGRATIONS = "/settings/integrations"


class Case:
    """An account in which somebody opens the tab of Carla, or of her company."""

    def __init__(self, viewer: Someone, colleague: Someone) -> None:
        self.viewer, self.colleague = viewer, colleague
        with viewer.scope():
            self.company = do_create_company(workspace_id=viewer.workspace_id, name="Nordlicht")
        self.contact = viewer.contact("Carla Stein", CARLA, company_id=self.company)

    def tabs(self) -> tuple[str, str]:
        return f"/contacts/{self.contact}/emails", f"/companies/{self.company}/emails"

    def mailbox(self, **columns: Any) -> int:
        """The viewer's own: read to its end, unless the columns say otherwise."""
        mailbox_id, now = connect(self.viewer, OWN, state=columns.pop("state", "on")), clock.now()
        self.set(mailbox_id, **{"import_from": now, "import_done_at": now, "synced_at": now} | columns)
        return mailbox_id

    def set(self, mailbox_id: int, **columns: Any) -> None:
        with self.viewer.scope():
            for name, value in columns.items():
                run(f"UPDATE mailbox SET {name} = %s WHERE id = %s", [value, mailbox_id])


@pytest.fixture
def case(member: Someone, colleague: Someone) -> Case:
    return Case(member, colleague)


def _empty(someone: Someone, path: str) -> str:
    """The list's place on the page."""
    answer = someone.get(path)
    assert answer.status_code == 200, answer.status_code
    page = unescape(answer.content.decode())
    found = re.search(r'<div class="empty">.*', page, re.DOTALL)
    assert found, page
    return found[0]


def _no_mailbox(_case: Case) -> None:
    """Nobody has connected anything."""


def _importing(case: Case) -> None:
    mailbox_id = case.mailbox(import_done_at=None)
    with case.viewer.scope():
        run(
            """INSERT INTO cursor (workspace_id, mailbox_id, scope, listing, listed, updated_at)
               VALUES (%s, %s, 'main', false, 4, %s)""",
            [case.viewer.workspace_id, mailbox_id, clock.now()],
        )


def _nothing(case: Case) -> None:
    case.mailbox(since=clock.now() - timedelta(days=30))


def _no_address(case: Case) -> None:
    case.mailbox()
    with case.viewer.scope():
        run("DELETE FROM contact_address WHERE contact_id = %s", [case.contact])


def _held(case: Case) -> None:
    case.mailbox()
    kept = connect(case.colleague, "ben@acme.example")
    keep(case.viewer.workspace_id, kept, raw("Secret", sender=CARLA), raw("Secret too", sender=CARLA))


def _stopped(case: Case) -> None:
    case.mailbox(state="reauthorize")


def _plan(case: Case) -> None:
    with case.viewer.scope():
        do_set_plan(workspace_id=case.viewer.workspace_id, plan="starter")


# What happened -> title on the contact's and on the company's tab, a part of the sentence, the button, and where it leads.
REASONS: dict[Callable[[Case], None], tuple[str, str, str, str, str]] = {
    _no_mailbox: ("No mailbox is connected",) * 2 + ("Connect yours", "Connect a mailbox", INTEGRATIONS),
    _importing: ("Still importing: 100 %",) * 2
    + (f"The history of {OWN} is being read, newest first", "See how far it is", INTEGRATIONS),
    _nothing: ("Nothing exchanged yet",) * 2 + ("of those that you let in", "See what comes in", INTEGRATIONS),
    _no_address: ("No email address", "No contact here has an email address", "Emails are matched by address", "", ""),
    _held: ("2 conversations exist, held by Ben Keller",) * 2 + ("show emails to nobody else", "Ask Ben Keller", "mailto:"),
    _stopped: (f"{OWN}: Re-authorize needed",) * 2 + ("Google refused the sign-in", "See what to do", INTEGRATIONS),
    _plan: ("Your plan has no email integration",) * 2
    + ("With the Professional or Enterprise plan", "See plans", "/settings/plan"),
}


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.__name__.strip("_"))
@pytest.mark.parametrize("tab", [0, 1], ids=["contact", "company"])
def test_each_reason_has_its_words_and_its_way_on(case: Case, reason: Callable[[Case], None], tab: int) -> None:
    reason(case)
    shown = _empty(case.viewer, case.tabs()[tab])
    *titles, sentence, button, leads_to = REASONS[reason]
    assert titles[tab] in shown
    assert sentence in shown
    others = {title for one, (*both, _s, _b, _l) in REASONS.items() if one is not reason for title in both}
    assert [one for one in others if one in shown] == []
    if button:
        assert re.search(rf'<a class="button[^"]*" href="{leads_to}[^"]*">{button}</a>', shown)
        assert leads_to == "mailto:" or case.viewer.get(leads_to).status_code == 200


def test_a_contact_without_an_address_gets_one_by_the_button(case: Case) -> None:
    _no_address(case)
    contact, company = (_empty(case.viewer, path) for path in case.tabs())
    assert f'href="/contacts/{case.contact}/edit">Add an address</a>' in contact
    assert f'href="/companies/{case.company}">See its contacts</a>' in company


def test_where_nothing_was_found_each_mailbox_says_what_it_lets_in(case: Case) -> None:
    """An email may be missing because of the settings: they stand there, and one click asks why."""
    mailbox_id = case.mailbox(selection="labels", since=clock.now().replace(year=2025, month=6, day=14, hour=12))
    with case.viewer.scope():
        keys = vault(case.viewer.workspace_id)
        do_folders(keys, mailbox_id=mailbox_id, folders=[Folder("L1", "CRM", FolderRole.LABEL)])
        run("UPDATE folder SET chosen = true WHERE mailbox_id = %s", [mailbox_id])
    for path in (*case.tabs(), "/emails"):
        shown = _empty(case.viewer, path)
        assert f"<bdi>{OWN}</bdi>: 1 label, since 14 June 2025" in shown
        for link in (f"{INTEGRATIONS}/{mailbox_id}/settings", f"{INTEGRATIONS}/{mailbox_id}/why"):
            assert f'href="{link}"' in shown
            assert case.viewer.get(link).status_code == 200


def test_asking_writes_a_letter_to_whoever_holds_them_and_names_no_email(case: Case) -> None:
    _held(case)
    for path, name in zip(case.tabs(), ("Carla Stein", "Nordlicht"), strict=True):
        shown = _empty(case.viewer, path)
        assert "Secret" not in shown
        (letter,) = re.findall(r'href="(mailto:[^"]*)"', shown)
        parts = urlsplit(letter)
        assert parts.path == case.colleague.person.email
        said = parse_qs(parts.query)
        assert set(said) == {"subject", "body"}
        assert f"your emails with {name}" in said["body"][0]


def test_what_a_colleague_made_private_is_held_by_nobody(case: Case) -> None:
    _held(case)
    with case.viewer.scope():
        run("UPDATE copy SET shut = true WHERE workspace_id = %s", [case.viewer.workspace_id])
    for path in case.tabs():
        assert "held by" not in _empty(case.viewer, path)
        assert "Nothing exchanged yet" in _empty(case.viewer, path)


def test_what_a_colleague_shows_is_no_empty_tab(case: Case) -> None:
    kept = connect(case.colleague, "ben@acme.example")
    keep(case.viewer.workspace_id, kept, raw("Prices", sender=CARLA))
    with case.viewer.scope():
        do_level(workspace_id=case.viewer.workspace_id, mailbox_id=kept, level=Level.PEOPLE)
    for path in case.tabs():
        assert 'class="empty"' not in case.viewer.get(path).content.decode()


def test_a_mailbox_that_reads_beside_one_that_does_not_is_believed(case: Case) -> None:
    case.mailbox()
    connect(case.viewer, "second@acme.example", state="paused")
    shown = _empty(case.viewer, case.tabs()[0])
    assert "Nothing exchanged yet" in shown
    assert "<bdi>second@acme.example</bdi>: Paused" in shown


def test_of_a_strangers_contact_nothing_is_said(case: Case, stranger: Someone) -> None:
    _held(case)
    assert [stranger.get(path).status_code for path in case.tabs()] == [404, 404]
