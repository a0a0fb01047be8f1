"""Settings, Integrations: what each state says and offers, the limits, and who may press what."""

import re
from datetime import timedelta
from typing import Any

import pytest

from flowcrm.lib import clock
from flowcrm.mail.types import Folder, FolderRole
from flowcrm.store.db import next_id, rows, run
from flowcrm.store.vaults import vault
from flowcrm.store.writes.mailbox import do_folders
from flowcrm.store.writes.workspaces import do_set_plan
from tests.mail_helper import connect, keep, raw
from tests.people import Someone

pytestmark = pytest.mark.needs_postgres

PAGE = "/settings/integrations"


def _page(answer: Any) -> str:
    return str(answer.content.decode())


def _set(someone: Someone, mailbox_id: int, **columns: Any) -> None:
    names = ", ".join(f"{name} = %s" for name in columns)
    with someone.scope():
        run(f"UPDATE mailbox SET {names} WHERE id = %s", [*columns.values(), mailbox_id])


def _state(someone: Someone, mailbox_id: int) -> str:
    with someone.scope():
        return str(rows("SELECT state FROM mailbox WHERE id = %s", [mailbox_id])[0][0])


def _synced(someone: Someone, address: str = "mara@acme.example") -> int:
    """A mailbox whose import is done and whose last check went well just now."""
    mailbox_id, now = connect(someone, address), clock.now()
    _set(someone, mailbox_id, import_from=now, import_done_at=now, checked_at=now, synced_at=now)
    return mailbox_id


def _work(someone: Someone, mailbox_id: int, *, count: int = 1, state: str = "ready", lane: int = 2) -> None:
    with someone.scope():
        for number in range(count):
            run(
                """INSERT INTO work (workspace_id, id, mailbox_id, provider_id, lane, state, sort, due_at, reason)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'ValueError')""",
                [someone.workspace_id, next_id(), mailbox_id, f"{state}{number}", lane, state, number, clock.now()],
            )


def test_the_section_and_the_button_read_as_the_article_says(member: Someone) -> None:
    """K06."""
    page = _page(member.get(PAGE))
    assert ">Email Integration</h2>" in page
    assert ">Connect Gmail</a>" in page


def test_starter_says_what_it_would_do_which_plan_it_needs_and_who_can_change_it(member: Someone) -> None:
    """K01."""
    with member.scope():
        do_set_plan(workspace_id=member.workspace_id, plan="starter")
    page = _page(member.get(PAGE))
    assert "Email Integration" in page
    assert "needs the Professional or Enterprise plan" in page
    assert "Whoever runs this FlowCRM can change it" in page
    assert "Connect Gmail" not in page
    assert member.get(f"{PAGE}/connect/gmail").status_code == 302


def test_a_mailbox_that_is_well_has_a_green_check_mark(member: Someone) -> None:
    """K34."""
    _synced(member)
    page = _page(member.get(PAGE))
    assert "Up to date" in page
    assert 'class="badge good"' in page
    for words in ("mara@acme.example", "One-way", "Contacts only", "Every 5 minutes", "Checked", "Sync now", "Disconnect"):
        assert words in page


def test_no_green_check_mark_when_the_last_check_is_longer_ago_than_two_intervals(member: Someone) -> None:
    mailbox_id = _synced(member)
    _set(member, mailbox_id, synced_at=clock.now() - timedelta(minutes=11))
    page = _page(member.get(f"{PAGE}/{mailbox_id}"))
    assert "Running late" in page
    assert "badge good" not in page


@pytest.mark.parametrize(
    ("state", "word", "button"),
    [
        ("choosing", "Finish set-up", "Continue"),
        ("paused", "Paused", "Resume"),
        ("reauthorize", "Re-authorize needed", "Re-authorize"),
        ("permission_missing", "Permission missing", "Allow reading email"),
        ("admin_must_act", "Your administrator must act", "Copy message"),
        ("disconnected", "Disconnected", "Connect"),
    ],
)
def test_each_state_has_its_word_and_its_button(member: Someone, state: str, word: str, button: str) -> None:
    mailbox_id = connect(member, "mara@acme.example", state=state)
    page = _page(member.get(f"{PAGE}/{mailbox_id}"))
    assert word in page
    assert f">{button}<" in page
    assert ("Disconnect mara@acme.example" in page) == (state != "disconnected")


def test_what_needs_its_owner_stands_above_all(member: Someone) -> None:
    """K36."""
    connect(member, "mara@acme.example", state="reauthorize")
    page = _page(member.get(PAGE))
    assert "mara@acme.example needs you." in page
    assert "Nothing is lost" in page


def test_an_import_shows_what_is_known_and_no_bar_before_its_length_is(member: Someone) -> None:
    mailbox_id = connect(member)
    _set(member, mailbox_id, import_from=clock.now() - timedelta(seconds=105), checked_at=clock.now())
    _work(member, mailbox_id, count=3)
    with member.scope():
        run(
            """INSERT INTO cursor (workspace_id, mailbox_id, scope, listing, listed, updated_at)
               VALUES (%s, %s, 'main', true, 10, %s)""",
            [member.workspace_id, mailbox_id, clock.now()],
        )
        run(
            "INSERT INTO skipped (workspace_id, mailbox_id, rule, n) VALUES (%s, %s, 'not_selected', 1196)",
            [member.workspace_id, mailbox_id],
        )
    page = _page(member.get(f"{PAGE}/{mailbox_id}"))
    assert "<strong>7</strong> read, 10 found so far" in page
    assert "1,196 not for contacts" in page
    assert "<progress" not in page
    with member.scope():
        run("UPDATE cursor SET listing = false WHERE workspace_id = %s", [member.workspace_id])
    page = _page(member.get(f"{PAGE}/{mailbox_id}"))
    assert "<strong>7</strong> of 10 read" in page
    assert '<progress class="info" value="7" max="10"' in page
    assert "4 a minute" in page
    assert "about 1 min" in page


def test_an_own_card_is_asked_for_again_when_its_mailbox_is_told_of_and_no_other(member: Someone, colleague: Someone) -> None:
    own, other = _synced(member), _synced(colleague, "ben@acme.example")
    page = _page(member.get(PAGE))
    assert f'data-live="mailbox-{own}" hx-get="{PAGE}/{own}" hx-trigger="live"' in page
    assert f"mailbox-{other}" in page
    assert f'data-live="mailbox-{other}"' not in page
    assert "every " not in "".join(re.findall('hx-trigger="[^"]*"', page))


def test_the_newest_of_a_mailbox_are_asked_for_until_there_are_some(member: Someone) -> None:
    mailbox_id = _synced(member)
    assert member.part(f"{PAGE}/{mailbox_id}/newest").status_code == 204
    keep(member.workspace_id, mailbox_id, raw("Lunch"))
    page = _page(member.part(f"{PAGE}/{mailbox_id}/newest"))
    assert "Lunch" in page
    assert "data-live" not in page


def test_the_limit_says_until_when(member: Someone) -> None:
    """K38: pauses, says until when, loses nothing."""
    mailbox_id = _synced(member)
    _work(member, mailbox_id)
    with member.scope():
        local = rows("SELECT (%s AT TIME ZONE 'Europe/Berlin')::date", [clock.now()])[0][0]
        run("INSERT INTO usage_day (workspace_id, local_date, used) VALUES (%s, %s, 10000)", [member.workspace_id, local])
    page = _page(member.get(PAGE))
    assert "Limit reached" in page
    assert "Nothing is lost" in page
    assert "Goes on at" in page
    assert "<strong>10,000</strong>" in page
    assert "of 10,000 emails today" in page
    assert "See plans" in page


def test_a_day_that_is_used_up_for_older_emails_only_says_that_new_ones_still_come(member: Someone) -> None:
    """K46: new mail goes before import."""
    mailbox_id = _synced(member)
    _work(member, mailbox_id)
    with member.scope():
        local = rows("SELECT (%s AT TIME ZONE 'Europe/Berlin')::date", [clock.now()])[0][0]
        run(
            "INSERT INTO usage_day (workspace_id, local_date, used, import_used) VALUES (%s, %s, 8000, 8000)",
            [member.workspace_id, local],
        )
    page = _page(member.get(PAGE))
    assert "Limit reached" in page
    assert "New emails still come in; the older ones follow after midnight" in page
    assert "new ones still come in. The rest follows at" in page


def test_while_it_is_tried_again_the_trouble_is_still_said_and_not_for_ever(member: Someone) -> None:
    """A worker takes a moment: until it knows better, a mailbox that could not be reached is not called well."""
    mailbox_id, now = _synced(member), clock.now()
    for retry_at, fact in ((now + timedelta(minutes=5), "Try 3 at"), (now - timedelta(seconds=5), "Trying again now")):
        _set(member, mailbox_id, state_code="unreachable", tries=2, retry_at=retry_at)
        page = _page(member.get(f"{PAGE}/{mailbox_id}"))
        assert "Cannot reach the server" in page
        assert fact in page
        assert ">Try now<" in page
    _set(member, mailbox_id, retry_at=now - timedelta(hours=1), synced_at=now - timedelta(hours=2))
    assert "Running late" in _page(member.get(f"{PAGE}/{mailbox_id}"))


def test_buttons_pause_and_resume_and_ask_for_a_check_now(member: Someone) -> None:
    mailbox_id = _synced(member)
    member.post(f"{PAGE}/{mailbox_id}/do", {"do": "pause"})
    assert _state(member, mailbox_id) == "paused"
    member.post(f"{PAGE}/{mailbox_id}/do", {"do": "resume"})
    assert _state(member, mailbox_id) == "on"
    member.post(f"{PAGE}/{mailbox_id}/do", {"do": "sync"})
    with member.scope():
        (due,) = rows("SELECT next_run_at <= %s, lane FROM mailbox_due WHERE mailbox_id = %s", [clock.now(), mailbox_id])
    assert due == (True, 0)


def test_an_import_is_stopped_where_it_is_and_what_came_stays(member: Someone) -> None:
    mailbox_id = connect(member)
    _set(member, mailbox_id, import_from=clock.now(), checked_at=clock.now())
    (kept,) = keep(member.workspace_id, mailbox_id, raw("Lunch"))
    assert ">Stop import<" in _page(member.get(PAGE))
    answer = member.client.post(f"{PAGE}/{mailbox_id}/do", {"do": "stop"}, follow=True)
    assert "What came in stays" in _page(answer)
    with member.scope():
        (reached,) = rows("SELECT at FROM copy WHERE message_id = %s", [kept])
        assert rows("SELECT since, selection, interval_s, state FROM mailbox WHERE id = %s", [mailbox_id]) == [
            (*reached, "contacts", 300, "on")
        ]


def test_before_anything_came_a_stopped_import_lets_in_what_comes_from_now_on(member: Someone) -> None:
    mailbox_id, now = connect(member), clock.now()
    _set(member, mailbox_id, import_from=now, since=now - timedelta(days=90))
    member.post(f"{PAGE}/{mailbox_id}/do", {"do": "stop"})
    with member.scope():
        assert rows("SELECT since FROM mailbox WHERE id = %s", [mailbox_id]) == [(now,)]


def test_without_an_import_there_is_nothing_to_stop(member: Someone) -> None:
    mailbox_id = _synced(member)
    assert "Stop import" not in _page(member.get(PAGE))
    answer = member.client.post(f"{PAGE}/{mailbox_id}/do", {"do": "stop"}, follow=True)
    assert "has changed meanwhile" in _page(answer)


def test_a_press_that_comes_too_late_says_so(member: Someone) -> None:
    mailbox_id = connect(member, state="disconnected")
    for press in ("pause", "sync"):
        answer = member.client.post(f"{PAGE}/{mailbox_id}/do", {"do": press}, follow=True)
        assert "has changed meanwhile" in _page(answer)
    assert _state(member, mailbox_id) == "disconnected"


def test_an_unknown_press_does_nothing(member: Someone) -> None:
    mailbox_id = _synced(member)
    assert member.post(f"{PAGE}/{mailbox_id}/do", {"do": "explode"}).status_code == 302
    assert _state(member, mailbox_id) == "on"


def test_an_admin_sees_the_state_of_others_and_no_buttons(member: Someone, colleague: Someone) -> None:
    _synced(member)
    other = _synced(colleague, "ben@acme.example")
    page = _page(member.get(PAGE))
    assert "Other mailboxes of this account" in page
    assert "ben@acme.example" in page
    assert f"/{other}/do" not in page
    assert f"/{other}/disconnect" not in page


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("choosing", "Nothing is read until its owner chooses what comes in."),
        ("paused", "Paused by its owner. Nothing is read until it is resumed."),
        ("reauthorize", "what arrives meanwhile comes in when its owner re-authorizes."),
        ("permission_missing", "Reading email was not allowed at Google, so nothing is read. Its owner can allow it."),
        ("admin_must_act", "Google does not let this FlowCRM in. Nothing is lost. An admin can mend it."),
        ("disconnected", "The emails kept so far stay here. Nothing new comes in."),
        ("archive", "Imported from files"),
    ],
)
def test_of_others_an_admin_is_told_the_state_and_is_offered_nothing(
    member: Someone, colleague: Someone, state: str, sentence: str
) -> None:
    other = connect(colleague, "ben@acme.example", state=state)
    page = _page(member.get(PAGE)).partition("Other mailboxes of this account")[2]
    assert sentence in page
    for address in re.findall(r'(?:href|action|hx-get)="([^"]*)"', page):
        assert str(other) not in address
    assert "<form" not in page.partition("</main>")[0]
    assert "needs you" not in _page(member.get(PAGE))


def test_a_user_sees_only_his_own(member: Someone, colleague: Someone) -> None:
    _synced(member)
    assert "mara@acme.example" not in _page(colleague.get(PAGE))


@pytest.mark.parametrize("path", ["", "/settings", "/running", "/newest", "/set-apart"])
def test_nobody_opens_anothers_mailbox(path: str, member: Someone, colleague: Someone, stranger: Someone) -> None:
    """An admin of the same account neither."""
    mailbox_id = _synced(colleague)
    assert colleague.get(f"{PAGE}/{mailbox_id}{path}").status_code in {200, 204}
    assert member.get(f"{PAGE}/{mailbox_id}{path}").status_code == 404
    assert stranger.get(f"{PAGE}/{mailbox_id}{path}").status_code == 404


@pytest.mark.parametrize("path", ["/do", "/disconnect", "/settings", "/set-apart"])
def test_nobody_changes_anothers_mailbox(path: str, member: Someone, colleague: Someone, stranger: Someone) -> None:
    mailbox_id = _synced(colleague)
    for other in (member, stranger):
        assert other.post(f"{PAGE}/{mailbox_id}{path}", {"do": "pause"}).status_code == 404
        assert other.post(f"{PAGE}/connect/gmail?mailbox={mailbox_id}").status_code == 404
    assert _state(colleague, mailbox_id) == "on"


def test_mails_that_were_set_apart_are_listed_by_id_and_tried_again(member: Someone) -> None:
    mailbox_id = _synced(member)
    _work(member, mailbox_id, count=2, state="quarantined")
    assert "2 emails could not be taken in" in _page(member.get(PAGE))
    page = _page(member.get(f"{PAGE}/{mailbox_id}/set-apart"))
    assert "<code>quarantined0</code>" in page
    assert "ValueError" in page
    with member.scope():
        (one,) = rows("SELECT id FROM work WHERE provider_id = 'quarantined0' AND mailbox_id = %s", [mailbox_id])[0]
    member.post(f"{PAGE}/{mailbox_id}/set-apart", {"work": str(one)})
    member.post(f"{PAGE}/{mailbox_id}/set-apart", {"work": "999999999999999999999"})
    with member.scope():
        assert rows("SELECT DISTINCT state, tries FROM work WHERE mailbox_id = %s", [mailbox_id]) == [("ready", 0)]
    assert "Every email that may come in was taken in" in _page(member.get(f"{PAGE}/{mailbox_id}/set-apart"))


def test_the_article_s_checks_are_done_by_the_page(member: Someone) -> None:
    """K35: connection, selection, permissions, quota."""
    connect(member, "mara@acme.example", state="permission_missing")
    page = _page(member.get(PAGE))
    for title in ("Connection status", "Sync settings", "Permissions", "Quota limits"):
        assert title in page
    assert "Reading email was not allowed at Google" in page


def test_a_selection_that_lets_nothing_in_is_found(member: Someone) -> None:
    mailbox_id = _synced(member)
    assert "no contact has an email address yet" in _page(member.get(PAGE))
    _set(member, mailbox_id, selection="labels")
    assert "No label is chosen, so nothing comes in" in _page(member.get(PAGE))
    labels = [Folder("L1", "CRM", FolderRole.LABEL)]
    with member.scope():
        do_folders(vault(member.workspace_id), mailbox_id=mailbox_id, folders=labels)
        run("UPDATE folder SET chosen = true WHERE mailbox_id = %s", [mailbox_id])
        do_folders(vault(member.workspace_id), mailbox_id=mailbox_id, folders=[])
    assert "1 chosen label or folder was deleted there" in _page(member.get(PAGE))


def test_authorization_error_has_the_article_s_steps(member: Someone) -> None:
    """K39: the wait is an advice, not a lock."""
    _synced(member)
    page = _page(member.get(PAGE))
    steps = [page.index(step) for step in ("Click Disconnect", "Wait 30 seconds", "Click Connect", "click Allow")]
    assert steps == sorted(steps)


def test_the_message_for_the_admin_names_the_page_that_mends_it(member: Someone) -> None:
    mailbox_id = connect(member, state="admin_must_act")
    _set(member, mailbox_id, state_code="invalid_client")
    page = _page(member.get(f"{PAGE}/{mailbox_id}"))
    assert "/settings/integrations/google" in page
    assert "invalid_client" in page
