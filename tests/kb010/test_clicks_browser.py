"""What the article says to click, clicked in a real browser on a running product, with its exact words."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from standins.google.client import READONLY
from tests.browser import letters, steps
from tests.browser.house import Box, House, Wanted, move_in
from tests.browser.product import Product, tab

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_chromium]

LABELS = "https://www.googleapis.com/auth/gmail.labels"
# An import of a few mails takes a second; a worker that is just starting takes longer.
SOON = 30_000


@pytest.fixture(scope="module")
def acme(running: Product) -> House:
    """An account with an admin and a user, Google set up, and a contact who writes to both; no mailbox yet."""
    return move_in(running, Wanted("Mara Lindt", "admin"), Wanted("Ben Keller"), contacts=[("Carla Stein", letters.CARLA)])


def _integrations(page: Page, running: Product) -> None:
    page.goto(f"{running.url}/settings/integrations")
    expect(page.get_by_role("heading", name="Email Integration")).to_be_visible()


def _card(page: Page, address: str) -> Locator:
    return page.locator(".mailbox").filter(has_text=address)


def _green(page: Page, address: str) -> None:
    """The card shows a check mark, green, and the words beside it; the page brings it by itself."""
    badge = _card(page, address).locator(".badge.good")
    expect(badge).to_have_text("Up to date", timeout=SOON)
    expect(badge.locator("svg")).to_be_visible()


def test_K01_starter_says_which_plan_it_needs_and_a_downgrade_pauses_and_deletes_nothing(
    running: Product, browser: Browser
) -> None:
    running.google.create_account("k01@acme.example")
    running.google.deliver_many("k01@acme.example", letters.conversation("k01@acme.example"))
    house = move_in(running, Wanted("Mara Lindt", "admin", [Box("k01@acme.example")]))
    with tab(browser) as page:
        steps.enter(page, running, house.members[0])
        _integrations(page, running)
        _green(page, "k01@acme.example")

        running.flowcrm("workspace", "plan", house.account, "starter")
        _integrations(page, running)
        section = page.get_by_role("region", name="Email Integration")
        expect(section).to_contain_text("Email integration needs the Professional or Enterprise plan.")
        expect(section).to_contain_text("you choose which come in, they are stored encrypted")
        expect(section).to_contain_text("Whoever runs this FlowCRM can change it")
        expect(section.get_by_role("link", name="Connect Gmail")).to_have_count(0)
        expect(_card(page, "k01@acme.example")).to_contain_text("Paused by the plan")
        section.get_by_role("link", name="Plan", exact=True).click()
        expect(page.get_by_text(f"flowcrm workspace plan {house.account}")).to_be_visible()
        page.goto(f"{running.url}/emails")
        expect(page.get_by_role("link", name=letters.SUBJECT)).to_be_visible()

        running.flowcrm("workspace", "plan", house.account, "professional")
        _integrations(page, running)
        _green(page, "k01@acme.example")


def test_K02_admin_and_user_connect_their_own_mailbox_and_nobody_anothers(
    running: Product, browser: Browser, acme: House
) -> None:
    mara, ben = acme.members
    for address in ("mara@acme.example", "ben@acme.example"):
        running.google.create_account(address)
        running.google.deliver(address, letters.note(address, f"For {address} alone").raw)
    with tab(browser) as hers, tab(browser, refuses=True) as his:
        for page, member, address in ((hers, mara, "mara@acme.example"), (his, ben, "ben@acme.example")):
            steps.enter(page, running, member)
            steps.go_to_google(page, running)
            steps.allow(page, address)
            steps.choose(page)

        steps.go_to_google(his, running)
        steps.allow(his, "mara@acme.example")
        expect(his.get_by_role("heading", name="A colleague has connected this mailbox")).to_be_visible()

        # The admin sees how the user's mailbox fares and, at the level preselected, that he has mail from somebody; he can
        # neither press anything there nor read it.
        _soon(his, f"{running.url}/emails", "For ben@acme.example alone").click()
        address = str(his.get_by_role("link", name="Own page").get_attribute("href"))
        _integrations(hers, running)
        theirs = hers.get_by_role("region", name="Other mailboxes of this account")
        expect(theirs).to_contain_text("ben@acme.example")
        expect(theirs.get_by_role("button")).to_have_count(0)
        _soon(hers, f"{running.url}/emails", "For mara@acme.example alone")
        hers.goto(f"{running.url}/emails?only=all")
        expect(hers.get_by_text("Subject and text are Ben Keller's")).to_have_count(1)
        assert "For ben@acme.example alone" not in hers.content()
        message = str(his.locator(".mail-foot a[download]").get_attribute("href")).removesuffix("/original")
        settings = f"/settings/integrations/{_mailbox_id(his, running, 'ben@acme.example')}/settings"
        assert [hers.request.get(f"{running.url}{path}").status for path in (message, settings)] == [404, 404]
        assert "For ben@acme.example alone" not in hers.request.get(f"{running.url}{address}").text()


def _mailbox_id(page: Page, running: Product, address: str) -> str:
    _integrations(page, running)
    return str(_card(page, address).get_attribute("id")).removeprefix("mailbox-")


def test_K03_a_personal_and_a_workspace_account_side_by_side(running: Product, browser: Browser) -> None:
    personal, workspace = "mara.lindt.1984@gmail.com", "mara@lindt-and-partners.example"
    house = move_in(running, Wanted("Mara Lindt", boxes=[Box(personal), Box(workspace)]))
    with tab(browser) as page:
        steps.enter(page, running, house.members[0])
        _integrations(page, running)
        _green(page, personal)
        _green(page, workspace)


def test_K06_settings_integrations_email_integration_connect_gmail(running: Product, browser: Browser, acme: House) -> None:
    with tab(browser) as page:
        steps.enter(page, running, acme.members[1])
        page.goto(running.url)
        main = page.get_by_role("navigation", name="Main")
        main.get_by_role("link", name="Settings", exact=True).click()
        main.get_by_role("link", name="Integrations", exact=True).click()
        section = page.get_by_role("region", name="Email Integration", exact=True)
        section.get_by_role("link", name="Connect Gmail", exact=True).click()
        expect(page.get_by_role("heading", name="Connect Gmail", exact=True)).to_be_visible()


def test_K07_choose_an_account_review_the_permission_and_allow(running: Product, browser: Browser) -> None:
    house = move_in(running, Wanted("Mara Lindt"))
    for address in ("k07@acme.example", "k07.other@acme.example"):
        running.google.create_account(address)
    with tab(browser) as page:
        steps.enter(page, running, house.members[0])
        _integrations(page, running)
        page.get_by_role("link", name="Connect Gmail").click()
        expect(page.get_by_text("“View your email messages and settings”")).to_be_visible()
        expect(page.get_by_text("To read the emails that you let in")).to_be_visible()
        page.get_by_role("button", name="Continue to Google").click()
        expect(page.get_by_role("button", name="k07.other@acme.example")).to_be_visible()
        page.get_by_role("button", name="k07@acme.example").click()
        expect(page.get_by_role("heading", name="FlowCRM wants access to your Google Account")).to_be_visible()
        expect(page.get_by_role("listitem")).to_have_text(["View your email messages and settings"])
        page.get_by_role("button", name="Allow", exact=True).click()
        expect(page.get_by_role("status").filter(has_text="k07@acme.example is connected.")).to_be_visible()


def test_K07_a_permission_left_unticked_becomes_permission_missing(running: Product, browser: Browser) -> None:
    house = move_in(running, Wanted("Mara Lindt", boxes=[Box("unticked@acme.example")]))
    with tab(browser, refuses=True) as page:
        steps.enter(page, running, house.members[0])
        _integrations(page, running)
        _green(page, "unticked@acme.example")
        _card(page, "unticked@acme.example").get_by_role("button", name="Disconnect").click()
        _card(page, "unticked@acme.example").get_by_role("link", name="Connect", exact=True).click()
        page.get_by_role("button", name="Continue to Google").click()
        _ask_for_more(page)
        page.get_by_role("button", name="unticked@acme.example").click()
        page.get_by_role("checkbox", name="View your email messages and settings").uncheck()
        page.get_by_role("button", name="Allow").click()
        expect(page.get_by_role("heading", name="Permission missing")).to_be_visible()
        expect(page.get_by_text("Nothing was lost.")).to_be_visible()

        _integrations(page, running)
        expect(_card(page, "unticked@acme.example").locator(".badge.bad")).to_have_text("Permission missing")
        _card(page, "unticked@acme.example").get_by_role("link", name="Allow reading email").click()
        page.get_by_role("button", name="Continue to Google").click()
        steps.allow(page, "unticked@acme.example")
        _green(page, "unticked@acme.example")


def _ask_for_more(page: Page) -> None:
    """As if FlowCRM asked for two permissions: only then does Google show boxes to untick."""
    asked = page.locator("input[name=scope]")
    assert asked.get_attribute("value") == READONLY
    asked.evaluate("(field, more) => { field.value += ` ${more}` }", LABELS)


def test_K13_every_5_minutes_15_minutes_hour_and_sync_now(running: Product, browser: Browser) -> None:
    address = "k13@acme.example"
    house = move_in(running, Wanted("Mara Lindt", boxes=[Box(address)]))
    with tab(browser) as page:
        steps.enter(page, running, house.members[0])
        _integrations(page, running)
        _green(page, address)
        for words in ("Every 15 minutes", "Every hour", "Every 5 minutes"):
            _card(page, address).get_by_role("link", name="Settings").click()
            frequency = page.get_by_label("Sync frequency")
            expect(frequency.locator("option")).to_have_text(["Every 5 minutes", "Every 15 minutes", "Every hour"])
            frequency.select_option(label=words)
            page.get_by_role("button", name="Save").click()
            expect(_card(page, address)).to_contain_text(words)

        running.google.deliver(address, letters.note(address, "Just arrived").raw)
        _card(page, address).get_by_role("button", name="Sync now").click()
        expect(page.get_by_text("Looking for new emails now.")).to_be_visible()
        _soon(page, f"{running.url}/emails", "Just arrived")


def _soon(page: Page, url: str, subject: str) -> Locator:
    """The line of a thread on a list that is looked at again until it is there."""
    line = page.get_by_role("link", name=subject)
    for _ in range(SOON // 500):
        page.goto(url)
        if line.count():
            break
        page.wait_for_timeout(500)
    expect(line).to_be_visible()
    return line


def test_K28_contact_emails_tab_all_conversations_and_a_click_expands_the_thread(running: Product, browser: Browser) -> None:
    address, lena = "k28@acme.example", "lena.voss@nordlicht.example"
    running.google.create_account(address)
    first, second, hers = (
        letters.conversation(address),
        letters.conversation(address, subject="Winter tyres for the vans", hours=30),
        letters.conversation(address, other=lena, subject="Invoice 4711"),
    )
    running.google.deliver_many(address, [*first, *second, *hers, letters.note(address, "Not hers", sender="x@y.example")])
    contacts = [("Carla Stein", letters.CARLA), ("Lena Voss", lena)]
    house = move_in(running, Wanted("Mara Lindt", boxes=[Box(address)]), contacts=contacts)
    with tab(browser) as page:
        steps.enter(page, running, house.members[0])
        _integrations(page, running)
        _green(page, address)
        page.goto(f"{running.url}/contacts")
        page.get_by_role("link", name="Carla Stein").click()
        page.get_by_role("link", name="Emails", exact=True).last.click()
        expect(page.locator("[data-row] .row-link")).to_have_text(
            [re.compile(letters.SUBJECT), re.compile("Winter tyres")], use_inner_text=True
        )
        line = page.get_by_role("link", name="Winter tyres")
        line.click()
        expect(page.locator(".thread-inside .mail")).to_have_count(3)
        expect(line).to_have_attribute("aria-expanded", "true")
        line.click()
        expect(page.locator(".thread-inside")).to_have_count(0)

        page.goto(f"{running.url}/companies/{house.company}/emails")
        expect(page.locator("[data-row]")).to_have_count(3)


def test_K34_blue_while_importing_then_a_green_check_mark(running: Product, browser: Browser) -> None:
    address = "k34@acme.example"
    running.google.create_account(address)
    running.google.deliver_many(address, letters.notes(address, 60))
    # The second page of mails waits, so that there is time to look.
    running.google.fault("gmail.messages.get:raw", "slow", account=address, seconds=1, skip=30, count=30)
    house = move_in(running, Wanted("Mara Lindt", boxes=[Box(address)]))
    with tab(browser) as page:
        steps.enter(page, running, house.members[0])
        _integrations(page, running)
        expect(_card(page, address).locator(".badge.info")).to_be_visible(timeout=SOON)
        expect(_card(page, address).get_by_role("progressbar", name="Import")).to_be_visible(timeout=SOON)
        running.google.control("clear_faults")
        _green(page, address)
        expect(_card(page, address)).to_contain_text("Every 5 minutes")


def test_K35_the_page_checks_connection_selection_permissions_and_quota(running: Product, browser: Browser) -> None:
    address = "k35@acme.example"
    house = move_in(running, Wanted("Mara Lindt", boxes=[Box(address)]))
    with tab(browser) as page:
        steps.enter(page, running, house.members[0])
        _integrations(page, running)
        _green(page, address)
        page.reload()
        checks = page.get_by_role("region", name="Emails not syncing?")
        expect(checks.get_by_role("term")).to_have_text(["Connection status", "Sync settings", "Permissions", "Quota limits"])
        expect(checks.locator(".mark.good")).to_have_count(4)

        running.google.revoke(address)
        _card(page, address).get_by_role("button", name="Sync now").click()
        _until_broken(page, running, address)
        expect(checks.locator(".mark.bad")).to_have_count(2)
        expect(checks).to_contain_text("The provider ended the permission: revoked, or the password was changed. Re-authorize.")


def _until_broken(page: Page, running: Product, address: str) -> None:
    badge = _card(page, address).locator(".badge.bad")
    for _ in range(SOON // 500):
        if badge.count():
            break
        page.wait_for_timeout(500)
        _integrations(page, running)
    expect(badge).to_have_text("Re-authorize needed")


def test_K39_authorization_error_disconnect_wait_connect_re_authorize(running: Product, browser: Browser) -> None:
    address = "k39@acme.example"
    running.google.create_account(address)
    running.google.deliver_many(address, letters.conversation(address))
    house = move_in(running, Wanted("Mara Lindt", boxes=[Box(address)]))
    with tab(browser) as page:
        steps.enter(page, running, house.members[0])
        _integrations(page, running)
        _green(page, address)
        running.google.control("change_password", account=address)
        _card(page, address).get_by_role("button", name="Sync now").click()
        _until_broken(page, running, address)
        expect(page.get_by_role("status").filter(has_text=f"{address} needs you.")).to_be_visible()

        page.get_by_text("“Authorization Error”: what helps").click()
        expect(page.get_by_text("Wait 30 seconds.")).to_be_visible()
        _card(page, address).get_by_role("button", name="Disconnect").click()
        expect(page.get_by_text(f"{address} is disconnected. Its emails stay here.")).to_be_visible()
        running.google.deliver(address, letters.note(address, "Meanwhile").raw)
        # The wait is an advice: whoever does not wait is let through as well.
        _card(page, address).get_by_role("link", name="Connect", exact=True).click()
        page.get_by_role("button", name="Continue to Google").click()
        steps.allow(page, address)
        expect(page.get_by_text("Connected again. The sync goes on where it was and catches up.")).to_be_visible()
        _green(page, address)
        _soon(page, f"{running.url}/emails", "Meanwhile")
        expect(page.get_by_role("link", name=letters.SUBJECT)).to_be_visible()


def test_K52_levels_and_private_emails_decide_what_colleagues_see(running: Product, browser: Browser) -> None:
    address = "k52@acme.example"
    running.google.create_account(address)
    running.google.deliver_many(address, letters.conversation(address, subject="Prices for March"))
    house = move_in(
        running, Wanted("Mara Lindt", "admin"), Wanted("Ben Keller", boxes=[Box(address)]), contacts=[("Carla", letters.CARLA)]
    )
    tab_of_carla = f"{running.url}/contacts/{house.contacts[0]}/emails"
    settings = f"{running.url}/settings/integrations/{house.members[1].mailboxes[0]}/settings"
    with tab(browser) as his, tab(browser, refuses=True) as hers:
        steps.wait_until_read(his, running, house.members[1])
        steps.enter(hers, running, house.members[0])
        # Connected before anybody chose: only he sees it. She is an admin, and is told no more than that there is something.
        hers.goto(tab_of_carla)
        expect(hers.get_by_role("heading", name="1 conversation exists, held by Ben Keller")).to_be_visible()

        _choose_level(his, settings, "Subject line too", says="colleagues see more of 1 thread that is here now")
        hers.goto(tab_of_carla)
        expect(hers.get_by_role("link", name="Prices for March")).to_contain_text("The text is Ben Keller's")
        assert letters.THANKS not in hers.content()

        _choose_level(his, settings, "Everything", says="It concerns 1 person.")
        hers.goto(tab_of_carla)
        hers.get_by_role("link", name="Prices for March").click()
        expect(hers.frame_locator(".mail-frame").get_by_text(letters.THANKS)).to_be_visible()
        expect(hers.get_by_role("link", name="Download original (.eml)")).to_have_count(0)
        thread = str(hers.get_by_role("link", name="Own page").get_attribute("href"))

        his.goto(f"{running.url}{thread}")
        his.get_by_role("button", name="Make private").first.click()
        expect(his.get_by_text("This thread is private now")).to_be_visible()
        assert hers.request.get(f"{running.url}{thread}").status == 404


def _choose_level(page: Page, settings: str, level: str, *, says: str) -> None:
    page.goto(settings)
    page.get_by_role("radio", name=level).check()
    expect(page.locator("#level-gain")).to_contain_text(says)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/settings/integrations")


def test_K53_the_audit_log_tells_admins_and_viewed_by_tells_owners_who_viewed_an_email(
    running: Product, browser: Browser
) -> None:
    address = "k53@acme.example"
    running.google.create_account(address)
    running.google.deliver_many(address, [letters.note(address, "Prices for April")])
    house = move_in(running, Wanted("Mara Lindt", "admin"), Wanted("Ben Keller", boxes=[Box(address)]))
    settings = f"{running.url}/settings/integrations/{house.members[1].mailboxes[0]}/settings"
    with tab(browser) as his, tab(browser) as hers:
        steps.wait_until_read(his, running, house.members[1])
        _choose_level(his, settings, "Everything", says="It concerns 1 person.")
        steps.enter(hers, running, house.members[0])
        hers.goto(f"{running.url}/emails")
        hers.get_by_role("link", name="Prices for April").click()
        expect(hers.locator(".mail-text").get_by_text("everything is on its way")).to_be_visible()

        his.goto(f"{running.url}/emails")
        his.get_by_role("link", name="Prices for April").click()
        his.get_by_text("Viewed by Mara Lindt").click()
        expect(his.get_by_role("list", name="Who has opened this email")).to_contain_text("once")
        expect(hers.get_by_text("Viewed by")).to_have_count(0)

        hers.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()
        hers.get_by_role("link", name="Audit").click()
        hers.get_by_label("What").select_option("Opened emails")
        hers.get_by_role("button", name="Filter").click()
        rows = hers.locator(".audit-row")
        expect(rows.filter(has_text="Mara Lindt")).to_contain_text("Read an email")
        expect(rows.filter(has_text="Ben Keller").first).to_contain_text("thread · 127.0.0.1")


def test_K25_a_contact_s_thread_is_there_with_its_history_and_a_gap_is_said(running: Product, browser: Browser) -> None:
    mine, his = "k25-mara@acme.example", "k25-ben@acme.example"
    talk = letters.conversation(mine, subject="Prices for May")
    for address, mails in ((mine, [talk.question, talk.thanks]), (his, [talk.answer])):
        running.google.create_account(address)
        running.google.deliver_many(address, mails)
    boxes = Wanted("Mara Lindt", boxes=[Box(mine)]), Wanted("Ben Keller", boxes=[Box(his)])
    house = move_in(running, *boxes, contacts=[("Carla Stein", letters.CARLA)])
    with tab(browser) as page:
        for member in reversed(house.members):
            steps.wait_until_read(page, running, member)
        page.goto(f"{running.url}/contacts/{house.contacts[0]}/emails")
        page.get_by_role("link", name="Prices for May").click()
        inside = page.locator(".thread-inside")
        expect(inside.locator(".mail")).to_have_count(2)
        expect(inside.get_by_text("1 email held by Ben Keller")).to_be_visible()
        assert letters.ANSWER not in inside.locator(".mail-gap").inner_text()
