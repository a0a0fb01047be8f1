"""The main job, end to end, as a person does it on an empty installation (KB-010): the only test that uses every screen."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from flowcrm.ops.home import Home
from standins.google.world import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.browser import letters, steps
from tests.browser.product import Product, product, tab

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_chromium]

MARA = "mara@acme.example"


@pytest.fixture
def fresh(server: Home, tmp_path: Path) -> Iterator[Product]:
    """Nobody was here before."""
    with product(server, tmp_path) as started:
        yield started


def test_from_an_empty_installation_to_a_thread_on_a_contact(fresh: Product, browser: Browser) -> None:
    talk = letters.conversation(MARA)
    fresh.google.create_account(MARA, "Mara Lindt")
    fresh.google.deliver_many(MARA, [*talk, *letters.notes(MARA, 60)])
    with tab(browser) as page:
        steps.set_up(page, fresh, email=MARA)
        expect(page.get_by_text("Your account is ready. Next, connect a mailbox.")).to_be_visible()
        _make_google_known(page)

        screens = _Screens(page, fresh.url)
        _connect(page)
        _choose_and_watch(page)
        _open_newest(page)
        assert len(screens.seen) <= 4, screens.seen

        _add_contact(page)
        _read_thread(page, talk)


class _Screens:
    """Our own pages that the tab shows from now on; Google's are not ours to count."""

    def __init__(self, page: Page, url: str) -> None:
        self.seen: list[str] = []
        self._url = url
        page.on("framenavigated", self._note)

    def _note(self, frame: Frame) -> None:
        if frame.parent_frame is None and frame.url.startswith(self._url):
            self.seen.append(frame.url.removeprefix(self._url))


def _make_google_known(page: Page) -> None:
    expect(page.get_by_role("heading", name="Email Integration")).to_be_visible()
    page.get_by_role("link", name="Connect Gmail").click()
    expect(page.get_by_role("heading", name="First, Google has to know this FlowCRM")).to_be_visible()
    page.get_by_role("link", name="Set up Google").click()
    expect(page.get_by_text("/settings/integrations/connect/gmail/return")).to_be_visible()
    page.get_by_label("Client ID").fill(DEFAULT_CLIENT_ID)
    page.get_by_label("Client secret").fill(DEFAULT_CLIENT_SECRET)
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_text("Google knows this client ID and secret.")).to_be_visible()


def _connect(page: Page) -> None:
    page.get_by_role("link", name="Connect Gmail").click()
    expect(page.get_by_role("heading", name="What Google will ask")).to_be_visible()
    expect(page.get_by_text("FlowCRM cannot send, delete, move or mark anything in Gmail")).to_be_visible()
    page.get_by_role("button", name="Continue to Google").click()
    steps.allow(page, MARA)
    good = page.get_by_role("status").filter(has_text=f"{MARA} is connected.")
    expect(good).to_contain_text("the first emails are here in a few seconds")
    expect(good.locator("svg")).to_be_visible()


def _choose_and_watch(page: Page) -> None:
    expect(page.get_by_role("radio", name="Contacts only")).to_be_checked()
    expect(page.get_by_text("One-way (Gmail → FlowCRM)", exact=True)).to_be_visible()
    steps.choose(page, "All emails")
    # The page moves by itself: figures while it reads, the green check mark when it is done.
    expect(page.locator("#running")).to_contain_text("Up to date", timeout=60_000)


def _open_newest(page: Page) -> None:
    line = page.get_by_role("link", name=letters.SUBJECT)
    line.click()
    expect(page.frame_locator(".mail-frame").get_by_text(letters.THANKS)).to_be_visible()


def _add_contact(page: Page) -> None:
    page.get_by_role("button", name=f"Add {letters.CARLA} as a contact").click()
    page.get_by_label("Name").fill("Carla Stein")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Carla Stein")).to_be_visible()


def _read_thread(page: Page, talk: letters.Conversation) -> None:
    page.get_by_role("navigation", name="Parts of this contact").get_by_role("link", name="Emails").click()
    line = page.get_by_role("link", name=letters.SUBJECT)
    expect(page.locator("[data-row]")).to_have_count(1)
    line.click()
    emails = page.locator(".thread-inside .mail")
    expect(emails).to_have_count(3)
    _newest_is_open_and_formatted(page)
    _earlier_ones_unfold_without_their_quotes(page)
    _files_come_back_as_they_were(page, talk)


def _newest_is_open_and_formatted(page: Page) -> None:
    newest = page.locator(".thread-inside .mail").last
    expect(newest).to_have_attribute("open", "")
    text = newest.frame_locator(".mail-frame")
    expect(text.get_by_text("delivery windows")).to_have_css("font-weight", re.compile("[67]00"))
    expect(text.get_by_text(letters.ANSWER)).to_be_hidden()
    text.locator(".mail-quote > summary").first.click()
    expect(text.get_by_text(letters.ANSWER)).to_be_visible()
    expect(text.get_by_text("One picture lies on another server and is not loaded")).to_be_visible()


def _earlier_ones_unfold_without_their_quotes(page: Page) -> None:
    ours = page.locator(".thread-inside .mail").nth(1)
    ours.locator("summary").first.click()
    text = ours.locator(".mail-text")
    expect(text.first).to_contain_text(letters.ANSWER)
    expect(text.first).not_to_contain_text(letters.QUESTION)
    expect(text.last).to_be_hidden()
    ours.get_by_label("Show quoted text and signature").click()
    expect(text.last).to_contain_text(letters.QUESTION)
    expect(text.last).to_be_visible()


def _files_come_back_as_they_were(page: Page, talk: letters.Conversation) -> None:
    newest = page.locator(".thread-inside .mail").last
    assert _download(page, newest.get_by_role("link", name=letters.FILE_NAME)) == (letters.FILE_NAME, letters.FILE)
    name, original = _download(page, newest.get_by_role("link", name="Download original (.eml)"))
    assert (name, original) == (f"Re {letters.SUBJECT}.eml", talk.thanks.raw)


def _download(page: Page, link: object) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        link.click()  # type: ignore[attr-defined]
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()
