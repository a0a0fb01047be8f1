"""Changing one's mind: a narrower choice is previewed, its emails go to the bin, and the undoing brings them back."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import letters, steps
from tests.browser.house import Box, Wanted, move_in
from tests.browser.product import Product, tab

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_chromium]

ADDRESS = "minded@acme.example"


def test_a_narrower_choice_is_previewed_and_undone(running: Product, browser: Browser) -> None:
    running.google.create_account(ADDRESS)
    running.google.deliver_many(ADDRESS, letters.notes(ADDRESS, 4, sender=letters.CARLA))
    house = move_in(running, Wanted("Mara Lindt", "admin", [Box(ADDRESS)]))
    settings = f"{running.url}/settings/integrations/{house.members[0].mailboxes[0]}/settings"
    with tab(browser) as page:
        steps.wait_until_read(page, running, house.members[0])
        page.goto(settings)
        page.get_by_role("radio", name="Contacts only").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="What this change means")).to_be_visible()
        expect(page.get_by_text("4 emails that are here do not fit.")).to_be_visible()
        page.get_by_role("radio", name="Move them to the bin").check()
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#running")).to_contain_text("Up to date", timeout=60_000)
        page.goto(f"{running.url}/emails/bin")
        expect(page.get_by_text("does not fit the mailbox's settings")).to_have_count(4)

        page.goto(settings)
        page.get_by_role("link", name="Undo").click()
        expect(page.get_by_text(re.compile("4 of them from the bin"))).to_be_visible()
        page.get_by_role("button", name="Undo the change").click()
        expect(page.get_by_text("The change is undone.")).to_be_visible()
        expect(page.locator("#running")).to_contain_text("Up to date", timeout=60_000)
        page.goto(f"{running.url}/emails/bin")
        expect(page.get_by_text("The bin is empty")).to_be_visible()
