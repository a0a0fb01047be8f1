"""A contact's form fills in the company that the address tells, and leaves alone what somebody typed or cleared."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import steps
from tests.browser.house import House, Wanted, move_in
from tests.browser.product import Product, tab

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_chromium]


@pytest.fixture(scope="module")
def acme(running: Product) -> House:
    return move_in(running, Wanted("Mara Lindt"))


def _leave(page: Page, label: str, text: str) -> None:
    """Type into a field and leave it; the server has said what it has to say."""
    field = page.get_by_label(label)
    field.fill(text)
    with page.expect_response(lambda answer: "/contacts/new" in answer.url and answer.request.method == "POST"):
        field.press("Tab")


def test_the_company_is_filled_in_changed_with_the_address_and_stays_cleared(
    running: Product, browser: Browser, acme: House
) -> None:
    with tab(browser) as page:
        steps.enter(page, running, acme.members[0])
        page.goto(f"{running.url}/contacts/new")
        company, hint = page.get_by_label("Company"), page.locator("#company-found")
        page.get_by_label("Name").fill("Hank Scorpio")
        _leave(page, "Email address 1", "hank@eu.globex-corp.example")
        expect(company).to_have_value("Globex Corp")
        expect(hint).to_contain_text("From globex-corp.example")
        _leave(page, "Email address 1", "hank@gmail.com")
        expect(company).to_have_value("")
        _leave(page, "Email address 1", "hank@globex-corp.example")
        expect(company).to_have_value("Globex Corp")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("link", name="Globex Corp").first.click()
        expect(page.get_by_text("globex-corp.example").first).to_be_visible()

        page.goto(f"{running.url}/contacts/new")
        page.get_by_label("Name").fill("Frank Grimes")
        _leave(page, "Email address 1", "frank@globex-corp.example")
        expect(company).to_have_value("Globex Corp")
        company.fill("")
        _leave(page, "Email address 1", "frank.grimes@globex-corp.example")
        expect(hint.locator("p")).to_have_count(0)
        expect(company).to_have_value("")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Frank Grimes")
        expect(page.get_by_role("link", name="Globex Corp")).to_have_count(0)
