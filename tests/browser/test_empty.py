"""An empty list of emails says why it is empty and what to do: a different sentence for each reason."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import letters, steps
from tests.browser.house import Box, House, Wanted, move_in
from tests.browser.product import Product, tab

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_chromium]

IMPORTING, QUIET = "importing@acme.example", "quiet@acme.example"


@pytest.fixture(scope="module")
def acme(running: Product) -> Iterator[House]:
    """Ben's mailbox is up to date, Mara's reads a long history, Jonas has none; Lena has no address, nobody writes to Carla."""
    running.google.create_account(IMPORTING)
    running.google.deliver_many(IMPORTING, letters.notes(IMPORTING, 60))
    running.google.fault("gmail.messages.get:raw", "slow", account=IMPORTING, seconds=2, count=0)
    people = (
        Wanted("Ben Keller", boxes=[Box(QUIET)]),
        Wanted("Mara Lindt", boxes=[Box(IMPORTING)]),
        Wanted("Jonas Weiss"),
    )
    yield move_in(running, *people, contacts=[("Carla Stein", letters.CARLA), ("Lena Voss",)])
    # A worker that is told to stop finishes its page first.
    running.google.control("clear_faults")


def test_five_reasons_have_five_sentences_and_five_ways_on(running: Product, browser: Browser, acme: House) -> None:
    ben, mara, jonas = range(3)
    carla, lena = acme.contacts
    with tab(browser) as page:
        steps.wait_until_read(page, running, acme.members[ben])
        seen = [
            _empty(page, running, acme, jonas, f"/contacts/{carla}/emails", "Connect a mailbox"),
            _empty(page, running, acme, ben, f"/contacts/{lena}/emails", "Add an address"),
            _empty(page, running, acme, mara, f"/contacts/{carla}/emails", "See how far it is"),
            _empty(page, running, acme, ben, f"/contacts/{carla}/emails", "See what comes in"),
        ]
        running.flowcrm("workspace", "plan", acme.account, "starter")
        seen.append(_empty(page, running, acme, jonas, f"/contacts/{carla}/emails", "See plans"))
        running.flowcrm("workspace", "plan", acme.account, "professional")
    assert [title.partition(":")[0] for title, _ in seen] == [
        "No mailbox is connected",
        "No email address",
        "Still importing",
        "Nothing exchanged yet",
        "Your plan has no email integration",
    ]
    assert len({sentence for _, sentence in seen}) == len(seen)


def _empty(page: Page, running: Product, acme: House, member: int, path: str, press: str) -> tuple[str, str]:
    """Title and sentence of the empty list at `path`, as that member sees it; its button was pressed and led somewhere."""
    steps.enter(page, running, acme.members[member])
    page.goto(f"{running.url}{path}")
    empty = page.locator(".empty")
    said = (empty.get_by_role("heading").inner_text(), empty.get_by_role("paragraph").inner_text())
    empty.get_by_role("link", name=press).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return said
