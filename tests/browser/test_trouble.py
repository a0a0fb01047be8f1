"""What goes wrong on the way to Google and back: each says what happened, that nothing was lost, and leads on."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import steps
from tests.browser.house import House, Wanted, move_in
from tests.browser.product import Product, tab

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_chromium]

MARA = "mara@acme.example"
NO_ERRAND = "The answer from Google belongs to no sign-in that was begun here"


@pytest.fixture(scope="module")
def acme(running: Product) -> House:
    running.google.create_account(MARA)
    return move_in(running, Wanted("Mara Lindt", "admin"), Wanted("Ben Keller"))


@pytest.fixture
def page(running: Product, browser: Browser, acme: House) -> Iterator[Page]:
    """The admin's tab."""
    with tab(browser, refuses=True) as opened:
        steps.enter(opened, running, acme.members[0])
        yield opened


def test_a_wrong_client_secret_is_found_at_once_and_later_said_to_whom_it_concerns(
    page: Page, running: Product, browser: Browser, acme: House
) -> None:
    steps.enter_google(page, running, secret="not the secret")
    expect(page.get_by_text("Refused by Google")).to_be_visible()
    expect(page.get_by_text("Google does not know this client ID with this secret.")).to_be_visible()
    with tab(browser, refuses=True) as bens:
        steps.enter(bens, running, acme.members[1])
        steps.go_to_google(bens, running)
        steps.allow(bens, MARA)
        _said(bens, "Your administrator must act", "Nothing was changed.")
        expect(bens.get_by_text("Google's own word for what is wrong: invalid_client.")).to_be_visible()
        expect(bens.get_by_role("button", name="Copy message")).to_be_visible()
    steps.enter_google(page, running)
    expect(page.get_by_text("Google knows this client ID and secret.")).to_be_visible()
    page.get_by_role("link", name="Connect Gmail").click()
    expect(page.get_by_role("button", name="Continue to Google")).to_be_visible()


def test_what_is_no_client_id_is_not_even_asked_about(page: Page, running: Product) -> None:
    page.goto(f"{running.url}/settings/integrations/google")
    page.get_by_label("Client ID").fill("my-project-1234")
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_text("That is not a client ID: it ends in .apps.googleusercontent.com.")).to_be_visible()
    expect(page.get_by_label("Client ID")).to_have_value("my-project-1234")


def test_a_refused_consent_changes_nothing_and_may_be_given_after_all(page: Page, running: Product) -> None:
    steps.go_to_google(page, running)
    page.get_by_role("button", name=MARA, exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    _said(page, "You did not allow it", "Nothing was read and nothing was changed.")
    page.get_by_role("link", name="Connect Gmail").click()
    expect(page.get_by_role("button", name="Continue to Google")).to_be_visible()


def test_an_answer_with_a_strange_state_is_refused_and_the_errand_still_holds(page: Page, running: Product) -> None:
    steps.go_to_google(page, running)
    chooser = page.url
    page.goto(f"{running.url}/settings/integrations/connect/gmail/return?state=of-somebody-else&code=4/0Astolen")
    _said(page, "This sign-in cannot be used", NO_ERRAND)
    page.goto(chooser)
    steps.allow(page, MARA)
    expect(page.get_by_role("status").filter(has_text=f"{MARA} is connected.")).to_be_visible()


def test_a_code_is_good_for_one_return(page: Page, running: Product) -> None:
    steps.go_to_google(page, running)
    with page.expect_request("**/connect/gmail/return?*") as asked:
        steps.allow(page, MARA)
    back = asked.value.url
    page.goto(back)
    _said(page, "This sign-in cannot be used", NO_ERRAND)

    # The same code under a state of a new errand: this time it is Google that knows better.
    steps.go_to_google(page, running)
    begun, used = (parse_qs(urlsplit(url).query) for url in (page.url, back))
    page.goto(f"{back.partition('?')[0]}?state={begun['state'][0]}&code={used['code'][0]}")
    _said(page, "Google did not accept the sign-in", "The sign-in was used already or has become too old.")
    page.get_by_role("link", name="Connect Gmail").click()
    expect(page.get_by_role("button", name="Continue to Google")).to_be_visible()


def test_google_out_of_reach_is_said_and_the_next_try_works(page: Page, running: Product) -> None:
    running.google.fault("oauth.token", "status", status=503)
    steps.go_to_google(page, running)
    steps.allow(page, MARA)
    _said(page, "Google cannot be reached", "Nothing was changed or lost. Try again in a minute.")
    page.get_by_role("link", name="Connect Gmail").click()
    page.get_by_role("button", name="Continue to Google").click()
    steps.allow(page, MARA)
    expect(page.get_by_role("heading", name="What may come in?")).to_be_visible()


def test_the_set_up_page_is_closed_once_there_is_an_account(running: Product, browser: Browser, acme: House) -> None:
    with tab(browser) as fresh:
        fresh.goto(f"{running.url}/setup")
        expect(fresh.get_by_role("heading", name="Sign in")).to_be_visible()


def _said(page: Page, title: str, sentence: str) -> None:
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_text(sentence)).to_be_visible()
    expect(page.get_by_role("link", name="Back to Integrations")).to_be_visible()
