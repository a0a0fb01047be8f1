"""Pages learn of what happens while they are open: cards by themselves, lists by a line above them. Nobody reloads anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from flowcrm.ops.home import Home
from tests.browser import letters, steps
from tests.browser.house import Box, House, Wanted, move_in
from tests.browser.product import Product, product, tab

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_chromium]

MARA, BEN = "live-mara@acme.example", "live-ben@acme.example"
NEWER = "New emails – show"


@pytest.fixture(scope="module")
def acme(running: Product, browser: Browser) -> House:
    """Mara's mailbox has read a conversation, Ben's is empty; Ada is the admin."""
    running.google.create_account(MARA)
    running.google.deliver_many(MARA, letters.conversation(MARA))
    people = Wanted("Mara Lindt", boxes=[Box(MARA)]), Wanted("Ben Keller", boxes=[Box(BEN)]), Wanted("Ada Frei", "admin")
    house = move_in(running, *people, contacts=[("Carla Stein", letters.CARLA)])
    with tab(browser) as page:
        for member in house.members[:2]:
            steps.wait_until_read(page, running, member)
    return house


@pytest.fixture
def page(running: Product, browser: Browser, acme: House) -> Iterator[Page]:
    """Mara's tab."""
    with tab(browser) as opened:
        steps.enter(opened, running, acme.members[0])
        yield opened


@pytest.fixture
def other_tab(running: Product, browser: Browser, acme: House) -> Iterator[Page]:
    """Where Mara presses Sync now."""
    with tab(browser) as opened:
        steps.enter(opened, running, acme.members[0])
        yield opened


def _arrives(product: Product, subject: str, other_tab: Page) -> None:
    """A mail comes in at the provider and is fetched."""
    product.google.deliver_many(MARA, [letters.note(MARA, subject, hours=0)])
    other_tab.goto(f"{product.url}/settings/integrations")
    other_tab.get_by_role("button", name="Sync now").click()
    expect(other_tab.get_by_text("Looking for new emails now.")).to_be_visible()


@pytest.mark.parametrize("place", ["/emails", "contact"])
def test_a_list_says_that_there_is_more_and_shows_it_when_asked(
    place: str, page: Page, other_tab: Page, running: Product, acme: House
) -> None:
    page.goto(running.url + (place if place == "/emails" else f"/contacts/{acme.contacts[0]}/emails"))
    page.get_by_role("link", name=letters.SUBJECT).click()
    opened = page.locator(".thread-inside")
    expect(opened).to_be_visible()
    before, subject = page.locator("[data-row]").count(), f"Fresh in {place}"
    _arrives(running, subject, other_tab)

    line = page.get_by_role("status").get_by_role("link", name=NEWER)
    expect(line).to_be_visible(timeout=60_000)
    # Nothing has moved under the reader's hands.
    expect(opened).to_be_visible()
    expect(page.locator("[data-row]")).to_have_count(before)

    line.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=subject)).to_be_visible()
    expect(page.get_by_role("link", name=NEWER)).to_have_count(0)


def test_a_card_shows_what_another_tab_did(page: Page, other_tab: Page, running: Product, acme: House) -> None:
    for opened in (page, other_tab):
        opened.goto(f"{running.url}/settings/integrations")
    card = page.locator(f"#mailbox-{acme.members[0].mailboxes[0]}")
    other_tab.get_by_role("button", name="Pause").click()
    expect(card).to_contain_text("Paused")
    other_tab.get_by_role("button", name="Resume").click()
    expect(card).to_contain_text("Up to date")


def test_a_colleague_s_page_is_not_disturbed(
    page: Page, other_tab: Page, browser: Browser, running: Product, acme: House
) -> None:
    with tab(browser) as bens:
        steps.enter(bens, running, acme.members[1])
        bens.goto(f"{running.url}/emails")
        page.goto(f"{running.url}/emails")
        _arrives(running, "For Mara alone", other_tab)
        expect(page.get_by_role("link", name=NEWER)).to_be_visible(timeout=60_000)
        expect(bens.get_by_role("link", name=NEWER)).to_have_count(0)


def test_a_page_without_live_parts_holds_no_stream(browser: Browser, running: Product, acme: House) -> None:
    """Whatever has the bell has one: there is always something to hear of."""
    asked: list[str] = []
    with tab(browser, refuses=True) as page:
        steps.enter(page, running, acme.members[0])
        page.on("request", lambda request: asked.append(request.url.removeprefix(running.url)))
        page.goto(f"{running.url}/nowhere", wait_until="load")
        assert "/live" not in asked
        with page.expect_request("**/live"):
            page.goto(f"{running.url}/contacts")


def test_the_bell_says_by_itself_that_there_is_something_new(
    page: Page, browser: Browser, running: Product, acme: House
) -> None:
    page.goto(f"{running.url}/notices")
    # Mara's import has finished before.
    page.get_by_role("button", name="Mark all read").click()
    bell = page.locator("#bell-said")
    expect(bell).to_have_text("Notices")
    page.goto(f"{running.url}/contacts")
    with tab(browser) as adas:
        steps.enter(adas, running, acme.members[2])
        adas.goto(f"{running.url}/settings/team")
        adas.get_by_role("button", name="Make Mara Lindt an admin").click()
    expect(bell).to_have_text("Notices, 1 unread")

    # By keyboard: open, go to the first line, and where it leads.
    page.locator(".bell > summary").focus()
    page.keyboard.press("Enter")
    line = page.locator("#bell-sheet").get_by_role("link", name="You are an admin now")
    expect(line).to_be_visible()
    page.keyboard.press("Escape")
    expect(line).to_be_hidden()
    expect(page.locator(".bell > summary")).to_be_focused()
    page.keyboard.press("Enter")
    expect(line).to_be_visible()
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(line).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Team", exact=True)).to_be_visible()
    expect(bell).to_have_text("Notices")


def test_a_stop_does_not_wait_for_open_pages(server: Home, browser: Browser, tmp_path: Path) -> None:
    with tab(browser, refuses=True) as page:
        with product(server, tmp_path) as started:
            house = move_in(started, Wanted("Mara Lindt", "admin"))
            steps.enter(page, started, house.members[0])
            # The stream's first word makes the list ask: then it is open, and nothing else is under way.
            with page.expect_response("**/emails?*newer=*"):
                page.goto(f"{started.url}/emails")
        # granian's word for an answer that did not end.
        assert [line for line in started.output if "refused to gracefully stop" in line] == []
