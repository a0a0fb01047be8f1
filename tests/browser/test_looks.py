"""What holds for every page: everybody can use it (WCAG 2.2 AA by axe, light and dark), also on a phone, and it is light."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Locator, Page, Request, ViewportSize, expect

from tests.browser import letters, steps
from tests.browser.house import Box, House, Wanted, move_in
from tests.browser.product import Product, tab

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_chromium]

READING = "reading@acme.example"
NARROW: ViewportSize = {"width": 360, "height": 780}
WIDE: ViewportSize = {"width": 1280, "height": 900}
MOST_BYTES = 150 * 1024
# Colours differ between light and dark, nothing else does.
ALL_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
HELP = tuple(f"/help/kb-{number}" for number in ("001", "010", "011", "012", "015"))
SETTINGS = (
    *("integrations", "integrations/google", "integrations/connect/gmail", "integrations/connect/other", "kept-out"),
    *("team", "plan", "audit", "sending", "profile"),
)
PREVIEW = "selection=all&since=everything&interval_s=300&on_leave=keep&on_delete=keep&level=only_me"


@dataclass(frozen=True)
class Look:
    """What was seen of one page. wrong: what axe found, light and dark. over: pixels that stick out at 360.
    bytes: of script, style and font, as transferred without compression."""

    wrong: tuple[str, ...]
    over: int
    bytes: int


@pytest.fixture(scope="module")
def acme(running: Product, browser: Browser) -> House:
    """Mara's mailbox has read a conversation; in her others is what can befall a mailbox."""
    running.google.create_account(READING)
    running.google.deliver_many(READING, [*letters.conversation(READING), *letters.notes(READING, 5, sender=letters.CARLA)])
    running.google.deliver_many(READING, [letters.note("tom.krueger@hafen.example", "Your visit", sender=READING)])
    states = {
        "choosing": {},
        "reauthorize": {"state": "reauthorize"},
        "permission": {"state": "permission_missing"},
        "admin": {"state": "admin_must_act", "state_code": "invalid_client"},
        "paused": {"state": "paused"},
        "gone": {"state": "disconnected"},
    }
    boxes = [Box(READING), *(Box(f"{name}@acme.example", "", columns) for name, columns in states.items())]
    contacts = [("Carla Stein", letters.CARLA), ("Lena Voss",)]
    house = move_in(running, Wanted("Mara Lindt", "admin", boxes), Wanted("Ben Keller"), contacts=contacts)
    with tab(browser) as page:
        steps.wait_until_read(page, running, house.members[0])
    return house


@pytest.fixture(scope="module")
def looks(running: Product, browser: Browser, acme: House) -> Iterator[dict[str, Look]]:
    """Every page, visited once."""
    with tab(browser, refuses=True) as page:
        found = {path: _look(page, f"{running.url}{path}") for path in ("/sign-in/",)}
        steps.enter(page, running, acme.members[0])
        found |= {path: _look(page, f"{running.url}{path}") for path in _pages(acme)}
        found["a thread, opened in its list"] = _look(page, f"{running.url}/contacts/{acme.contacts[0]}/emails", _open_thread)
        found["a form with errors"] = _look(page, f"{running.url}/contacts/new", _send_empty)
        found["a file of contacts"] = _look(page, f"{running.url}/contacts/import", _upload)
        yield found


def _upload(page: Page) -> None:
    file = "First name,Email,Birthday\nJan,jan@kranbau.example,1980\nKim,kim@,\nCarla,carla@nordlicht.example,\n"
    page.set_input_files("#file", files=[{"name": "contacts.csv", "mimeType": "text/csv", "buffer": file.encode("utf-16")}])
    page.get_by_role("button", name="See what would be imported").click()
    expect(page.get_by_role("heading", name="Rows with errors")).to_be_visible()


def _pages(acme: House) -> tuple[str, ...]:
    carla, lena = acme.contacts
    reading, choosing = acme.members[0].mailboxes[:2]
    return (
        "/notices",
        "/emails",
        "/emails?q=offer",
        "/emails?q=nothing+of+the+kind",
        "/emails/bin",
        "/contacts",
        "/contacts?suggested",
        "/contacts/new",
        "/contacts/import",
        *(
            f"/contacts/{carla}{part}"
            for part in ("", "/emails", "/edit", "/remove", "/merge", f"/merge?with={lena}", "/split")
        ),
        f"/contacts/{lena}/emails",
        "/companies",
        *(f"/companies/{acme.company}{part}" for part in ("", "/emails")),
        *(f"/settings/{name}" for name in SETTINGS),
        f"/settings/team/{acme.members[1].id}/deactivate",
        *(f"/settings/integrations/{reading}/{part}" for part in ("settings", "running", "set-apart", "people")),
        f"/settings/integrations/{reading}/preview?{PREVIEW}",
        f"/settings/integrations/{choosing}/settings",
        "/settings/integrations/connect/gmail/return?state=nobodys",
        "/help",
        *HELP,
        "/nowhere",
    )


def _look(page: Page, url: str, act: Callable[[Page], None] | None = None) -> Look:
    loaded: set[str] = set()

    def note(asked: Request) -> None:
        if asked.resource_type in {"script", "stylesheet", "font"}:
            loaded.add(asked.url)

    page.on("request", note)
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    page.goto(url, wait_until="load")
    if act is not None:
        act(page)
    page.remove_listener("request", note)
    wrong = [*_violations(page, ALL_RULES)]
    page.emulate_media(color_scheme="dark")
    page.evaluate("Promise.allSettled(document.getAnimations().map(one => one.finished)).then(() => null)")
    wrong += [f"dark: {one}" for one in _violations(page, COLOURS)]
    page.set_viewport_size(NARROW)
    return Look(tuple(wrong), _over(page), sum(len(page.request.get(one).body()) for one in loaded))


def _violations(page: Page, options: dict[str, Any]) -> list[str]:
    found = Axe().run(page, options=options).response["violations"]
    return [f"{one['id']} at {node['target']}" for one in found for node in one["nodes"]]


def _open_thread(page: Page) -> None:
    page.get_by_role("link", name=letters.SUBJECT).click()
    expect(page.frame_locator(".mail-frame").get_by_text(letters.THANKS)).to_be_visible()


def _send_empty(page: Page) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_everybody_can_use_every_page_light_and_dark(looks: dict[str, Look]) -> None:
    assert [f"{path}: {one}" for path, look in looks.items() for one in look.wrong] == []


def test_nothing_sticks_out_at_360_pixels(looks: dict[str, Look]) -> None:
    assert {path: look.over for path, look in looks.items() if look.over > 0} == {}


def test_no_page_has_more_than_150_kb_of_script_style_and_font(looks: dict[str, Look]) -> None:
    assert {path: look.bytes for path, look in looks.items() if look.bytes > MOST_BYTES} == {}
    # Had nothing been weighed, nothing would be too heavy.
    assert min(look.bytes for look in looks.values()) > 10_000


def test_a_formatted_email_is_shown_in_full_height_however_it_was_opened(
    running: Product, browser: Browser, acme: House
) -> None:
    with tab(browser) as page:
        steps.enter(page, running, acme.members[0])
        page.goto(f"{running.url}/contacts/{acme.contacts[0]}/emails")
        _open_thread(page)
        page.locator(".thread-inside .mail > summary").first.click()
        expect(page.locator(".mail-frame")).to_have_count(2)
        assert [_hidden_height(page, frame) for frame in page.locator(".mail-frame").all()] == [0, 0]


def _hidden_height(page: Page, frame: Locator) -> int:
    """Pixels of a formatted email that its frame does not show, once it has had time to grow."""
    hidden = 0
    for _ in range(50):
        # Between two documents there is none: then all of it is hidden.
        hidden = frame.evaluate("one => (one.contentDocument?.documentElement?.scrollHeight ?? 10000) - one.clientHeight")
        if frame.evaluate("one => one.contentDocument?.readyState === 'complete' && Boolean(one.style.height)") and hidden <= 0:
            return 0
        page.wait_for_timeout(100)
    return int(hidden)


def test_lists_and_threads_by_keyboard(running: Product, browser: Browser, acme: House) -> None:
    with tab(browser) as page:
        steps.enter(page, running, acme.members[0])
        page.goto(f"{running.url}/emails")
        press = page.keyboard.press
        for key in "jjk":
            press(key)
        expect(page.locator("[data-row] .row-link").first).to_be_focused()
        press("Enter")
        expect(page.locator(".thread-inside")).to_have_count(1)
        press("Enter")
        expect(page.locator(".thread-inside")).to_have_count(0)

        press("?")
        sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
        expect(sheet).to_be_visible()
        press("Escape")
        expect(sheet).to_be_hidden()

        page.goto(f"{running.url}/contacts")
        press("/")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.keyboard.type("lena")
        expect(page.locator("[data-row]")).to_have_count(1)
        press("Escape")
        press("j")
        press("Enter")
        expect(page.get_by_role("heading", name="Lena Voss")).to_be_visible()


def test_the_first_tab_leads_past_the_navigation(running: Product, browser: Browser, acme: House) -> None:
    with tab(browser) as page:
        steps.enter(page, running, acme.members[0])
        page.goto(f"{running.url}/contacts")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()


def test_a_long_word_gives_way_on_a_phone(running: Product, browser: Browser) -> None:
    """In a fact, a title, a sentence and a toast: none of them makes the page scroll sideways."""
    word = "Donaudampfschifffahrtsgesellschaft" * 4
    house = move_in(running, Wanted("Mara Lindt", "admin"))
    with tab(browser) as page:
        page.set_viewport_size(NARROW)
        steps.enter(page, running, house.members[0])
        page.goto(f"{running.url}/contacts/new")
        for name, value in {"name": word, "addresses": "anna@example.com", "title": word, "note": word}.items():
            page.locator(f"[name={name}]").fill(value)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name=word)).to_be_visible()
        contact = page.url
        over = {"overview": _over(page)}
        for url in (f"{contact}/remove", f"{running.url}/contacts?q={word}{word}", f"{running.url}/companies?q={word}"):
            page.goto(url)
            over[url] = _over(page)
        page.goto(contact)
        page.get_by_label("More", exact=True).click()
        page.get_by_role("button", name="Delete contact").click()
        undo = page.locator(".toast").get_by_role("button", name="Undo")
        expect(undo).to_be_visible()
        box = undo.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= NARROW["width"]
        assert {url: pixels for url, pixels in over.items() if pixels > 0} == {}


def _over(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
