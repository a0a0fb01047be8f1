"""Two labels that steer what comes in, walked by a person: Gmail on one side, the contact's Emails tab on the other."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import letters, steps
from tests.browser.house import Box, House, Wanted, move_in
from tests.browser.product import Product, tab

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_chromium]


@dataclass(frozen=True)
class Desk:
    """Mara at her desk: her tab, and what happens in her Gmail meanwhile. crm: the id of a label there."""

    page: Page
    product: Product
    house: House
    address: str
    crm: str

    def arrives(self, *mails: letters.Delivery) -> list[str]:
        return self.product.google.deliver_many(self.address, mails)

    def sync_now(self) -> None:
        self.page.goto(f"{self.product.url}/settings/integrations")
        self.page.get_by_role("button", name="Sync now").click()
        expect(self.page.get_by_text("Looking for new emails now.")).to_be_visible()

    def see_in_list(self, subject: str) -> None:
        """The list of emails, as soon as this one is in it."""
        self.page.goto(f"{self.product.url}/emails")
        newer, line = self.page.get_by_role("link", name="New emails – show"), self.page.get_by_role("link", name=subject)
        expect(newer.or_(line).first).to_be_visible(timeout=60_000)
        if newer.is_visible():
            newer.click()
        expect(line).to_be_visible()

    def open_contact(self) -> None:
        self.page.goto(f"{self.product.url}/contacts/{self.house.contacts[0]}/emails")


@pytest.fixture
def desk(request: pytest.FixtureRequest, running: Product, browser: Browser) -> Iterator[Desk]:
    """A mailbox that is connected; what comes in is the parameter, "" where it is not chosen yet."""
    selection = request.param
    address = f"labels-{selection or 'mara'}@acme.example"
    running.google.create_account(address)
    crm = running.google.create_label(address, "CRM")
    house = move_in(running, Wanted("Mara", boxes=[Box(address, selection)]), contacts=[("Carla Stein", letters.CARLA)])
    with tab(browser) as page:
        steps.enter(page, running, house.members[0])
        yield Desk(page, running, house, address, crm)


@pytest.mark.parametrize("desk", [""], indirect=True)
def test_the_label_crm_brings_the_reply_that_arrives_and_the_one_that_is_sent(desk: Desk) -> None:
    page, talk = desk.page, letters.conversation(desk.address)
    (question,) = desk.arrives(talk.question)
    desk.arrives(letters.note(desk.address, "Without a label"))
    desk.product.google.label(desk.address, [question], add=[desk.crm])

    page.goto(f"{desk.product.url}/settings/integrations/{desk.house.members[0].mailboxes[0]}/settings")
    page.get_by_role("radio", name="Specific labels").check()
    page.get_by_role("checkbox", name="CRM").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Save and start").click()
    expect(page.locator("#running")).to_contain_text("Up to date", timeout=60_000)

    desk.arrives(talk.answer, talk.thanks)
    desk.sync_now()
    desk.see_in_list(f"Re: {letters.SUBJECT}")

    desk.open_contact()
    line = page.get_by_role("link", name=letters.SUBJECT)
    expect(page.locator("[data-row]")).to_have_count(1)
    line.click()
    expect(page.locator(".thread-inside .mail")).to_have_count(3)


@pytest.mark.parametrize("desk", ["all"], indirect=True)
def test_the_label_no_crm_takes_the_thread_out_and_its_reply_is_not_even_fetched(desk: Desk) -> None:
    page, google, talk = desk.page, desk.product.google, letters.conversation(desk.address)
    (question,) = desk.arrives(talk.question)
    desk.sync_now()
    desk.see_in_list(letters.SUBJECT)

    google.label(desk.address, [question], add=[google.create_label(desk.address, "No-CRM")])
    google.clear_log()
    desk.arrives(talk.thanks)
    (other,) = desk.arrives(letters.note(desk.address, "About something else"))
    desk.sync_now()
    desk.see_in_list("About something else")

    desk.open_contact()
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.get_by_role("link", name=letters.SUBJECT)).to_have_count(0)
    asked = [line.path for line in google.log() if line.operation == "gmail.messages.get"]
    assert [path for path in asked if other not in path] == []
    assert any(other in path for path in asked)
