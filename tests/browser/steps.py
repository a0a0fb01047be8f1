"""What a person does on the way, as steps that several walks share."""

from playwright.sync_api import Page, expect

from standins.google.world import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.browser.house import Member
from tests.browser.product import Product

PASSWORD = "a long walk by the sea"


def enter(page: Page, product: Product, member: Member) -> None:
    """Be signed in as this member, from now on."""
    # What is open is somebody else's, and would go on asking for its parts in the new one's name.
    page.goto("about:blank")
    page.context.add_cookies([{"name": "sessionid", "value": member.session, "url": product.url}])


def wait_until_read(page: Page, product: Product, member: Member) -> None:
    """Until one of the member's mailboxes is up to date: a worker that is just starting takes a while."""
    enter(page, product, member)
    page.goto(f"{product.url}/settings/integrations")
    expect(page.locator(".badge.good")).to_have_count(1, timeout=60_000)


def set_up(page: Page, product: Product, *, email: str, name: str = "Mara Lindt", title: str = "Acme") -> None:
    """From the terminal's code to the account."""
    page.goto(f"{product.url}/setup")
    page.get_by_label("Code from the terminal").fill(product.code())
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Company or team").fill(title)
    page.get_by_role("button", name="Set up FlowCRM").click()
    page.wait_for_url("**/settings/integrations")


def enter_google(page: Page, product: Product, *, secret: str = DEFAULT_CLIENT_SECRET) -> None:
    """An admin enters the installation's registration at Google; the page says at once whether it works."""
    page.goto(f"{product.url}/settings/integrations/google")
    page.get_by_label("Client ID").fill(DEFAULT_CLIENT_ID)
    page.get_by_label("Client secret").fill(secret)
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_role("status").filter(has_text="Tested")).to_be_visible()


def go_to_google(page: Page, product: Product) -> None:
    """From Settings → Integrations to the account chooser."""
    page.goto(f"{product.url}/settings/integrations")
    page.get_by_role("link", name="Connect Gmail").click()
    page.get_by_role("button", name="Continue to Google").click()
    expect(page.get_by_role("heading", name="Choose an account")).to_be_visible()


def allow(page: Page, address: str) -> None:
    """At Google: this account, Allow."""
    page.get_by_role("button", name=address, exact=True).click()
    page.get_by_role("button", name="Allow").click()


def choose(page: Page, what: str = "All emails") -> None:
    """What may come in; the import begins."""
    page.get_by_role("radio", name=what).check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Save and start").click()
    expect(page.get_by_role("heading", name="Your emails are coming in")).to_be_visible()
