"""Connect Gmail: to Google and back, with every way in which it can go wrong; choosing what comes in; disconnecting."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flowcrm.lib import clock
from flowcrm.pages.integrations.forms import months_before
from flowcrm.store.db import row, rows, run
from standins.google.client import MODIFY, READONLY, GoogleStandin
from tests.people import Someone
from tests.web.google import (
    CLIENT_ID,
    connect_at,
    consent,
    enter_client,
    google_at_work,
    leave,
    on_our_side,
    query,
)

pytestmark = pytest.mark.needs_postgres

PAGE = "/settings/integrations"
CONNECT = f"{PAGE}/connect/gmail"
RETURN = f"{CONNECT}/return"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def google() -> Iterator[GoogleStandin]:
    with google_at_work() as standin:
        standin.create_account("mara@acme.example", "Mara Lindt")
        standin.create_account("other@acme.example", "Other")
        yield standin


def _page(answer: Any) -> str:
    return str(answer.content.decode())


def _mailbox(someone: Someone, mailbox_id: int) -> dict[str, Any]:
    names = ("state", "selection", "since", "interval_s", "import_from", "state_code")
    with someone.scope():
        found = row(f"SELECT {', '.join(names)} FROM mailbox WHERE id = %s", [mailbox_id])
    assert found is not None
    return dict(zip(names, found, strict=True))


def _count(someone: Someone) -> int:
    with someone.scope():
        return int(rows("SELECT count(*) FROM mailbox", [])[0][0])


def _choose(someone: Someone, mailbox_id: int, **typed: Any) -> Any:
    usual = {"selection": "all", "since": "6", "interval_s": "300", "level": "only_me", "on_leave": "keep", "on_delete": "keep"}
    return someone.post(f"{PAGE}/{mailbox_id}/settings", usual | typed)


def test_before_an_admin_has_set_up_google_a_user_is_told_whom_to_ask(colleague: Someone) -> None:
    run("DELETE FROM instance_setting WHERE key = 'google_app'")
    page = _page(colleague.get(CONNECT))
    assert "An admin has to set up Google first" in page
    assert "Copy message" in page
    assert "/settings/integrations/google" in page


def test_before_that_an_admin_is_led_to_the_set_up(member: Someone) -> None:
    run("DELETE FROM instance_setting WHERE key = 'google_app'")
    assert "Set up Google" in _page(member.get(CONNECT))
    assert member.post(CONNECT).status_code == 200


def test_the_page_before_leaving_says_what_will_be_asked_and_why(member: Someone, google: GoogleStandin) -> None:
    """K07, K08."""
    page = _page(member.get(CONNECT))
    assert "View your email messages and settings" in page
    assert "cannot send, delete, move or mark anything" in page
    assert "Continue to Google" in page


def test_google_is_asked_for_reading_only_with_a_choice_of_accounts(member: Someone, google: GoogleStandin) -> None:
    asked = query(leave(member))
    assert asked["scope"] == READONLY
    assert "select_account" in asked["prompt"]
    assert asked["code_challenge_method"] == "S256"
    assert asked["access_type"] == "offline"
    assert len(asked["state"]) >= 32


def test_the_session_holds_neither_state_nor_verifier_in_clear(member: Someone, google: GoogleStandin) -> None:
    asked = query(leave(member))
    assert asked["state"] not in str(dict(member.client.session))


def test_connecting_ends_at_the_choices_with_a_green_check_mark(member: Someone, google: GoogleStandin) -> None:
    """K06, K07: and nothing is read before the choice."""
    back = consent(leave(member), "mara@acme.example")
    answer = member.client.get(on_our_side(back), follow=True)
    page = _page(answer)
    assert "<strong>mara@acme.example</strong> is connected" in page
    assert "notice good" in page
    assert "What may come in?" in page
    assert not any(operation.startswith("gmail.messages") for operation in google.operations())


def test_a_refused_consent_says_so_and_changes_nothing(member: Someone, google: GoogleStandin) -> None:
    answer = member.get(on_our_side(consent(leave(member), "mara@acme.example", decision="cancel")))
    assert answer.status_code == 400
    assert "You did not allow it" in _page(answer)
    assert f'href="{CONNECT}"' in _page(answer)
    assert _count(member) == 0


@pytest.mark.parametrize("state", ["", "wrong", "ü" * 40])
def test_an_answer_with_another_state_is_refused(member: Someone, google: GoogleStandin, state: str) -> None:
    back = on_our_side(consent(leave(member), "mara@acme.example"))
    answer = member.client.get(RETURN, {"code": query(back)["code"], "state": state})
    assert answer.status_code == 400
    assert "This sign-in cannot be used" in _page(answer)
    assert _count(member) == 0
    # Somebody else's link has not ended the sign-in that was under way.
    assert member.get(back).status_code == 302


def test_an_answer_in_another_browser_is_refused(member: Someone, colleague: Someone, google: GoogleStandin) -> None:
    back = on_our_side(consent(leave(member), "mara@acme.example"))
    assert colleague.get(back).status_code == 400
    assert _count(member) == 0


def test_an_answer_works_once(member: Someone, google: GoogleStandin) -> None:
    back = on_our_side(consent(leave(member), "mara@acme.example"))
    assert member.get(back).status_code == 302
    again = member.get(back)
    assert again.status_code == 400
    assert "it was used already" in _page(again)


def test_a_code_that_google_has_seen_before_is_refused(member: Someone, google: GoogleStandin) -> None:
    spent = query(on_our_side(consent(leave(member), "mara@acme.example")))
    member.client.get(RETURN, spent)
    state = query(leave(member))["state"]
    answer = member.client.get(RETURN, {"code": spent["code"], "state": state})
    assert "Google did not accept the sign-in" in _page(answer)
    assert "invalid_grant" in _page(answer)


@pytest.mark.usefixtures("moving_clock")
def test_an_answer_after_fifteen_minutes_is_too_late(member: Someone, google: GoogleStandin) -> None:
    back = on_our_side(consent(leave(member), "mara@acme.example"))
    clock.advance(16 * 60)
    assert member.get(back).status_code == 400


def test_a_wrong_client_secret_is_the_admin_s_to_mend(member: Someone, colleague: Someone, google: GoogleStandin) -> None:
    enter_client(CLIENT_ID, "wrong")
    for someone, help_ in ((member, "Open Google set-up"), (colleague, "Copy message")):
        answer = someone.get(on_our_side(consent(leave(someone), "mara@acme.example")))
        assert "Your administrator must act" in _page(answer)
        assert "invalid_client" in _page(answer)
        assert help_ in _page(answer)


def test_when_google_is_down_nothing_is_changed(member: Someone, google: GoogleStandin) -> None:
    back = on_our_side(consent(leave(member), "mara@acme.example"))
    google.fault("oauth.token", "status", status=503)
    answer = member.get(back)
    assert answer.status_code == 503
    assert "Google cannot be reached" in _page(answer)
    assert _count(member) == 0


def test_an_account_without_gmail_says_so(member: Someone, google: GoogleStandin) -> None:
    google.control("switch_mail", account="mara@acme.example", on=False)
    answer = member.get(on_our_side(consent(leave(member), "mara@acme.example")))
    assert answer.status_code >= 400
    assert "Nothing was changed" in _page(answer)


def test_a_narrower_permission_asks_to_allow_reading(member: Someone, google: GoogleStandin) -> None:
    """K07: Google lets people untick; the answer then names fewer scopes."""
    url = leave(member).replace("gmail.readonly", "gmail.readonly+https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fgmail.labels")
    back = consent(url, "mara@acme.example", granted=["https://www.googleapis.com/auth/gmail.labels"])
    answer = member.get(on_our_side(back))
    assert "Permission missing" in _page(answer)
    assert "Allow reading email" in _page(answer)


def test_a_permission_left_out_when_re_authorizing_becomes_the_mailbox_s_state(member: Someone, google: GoogleStandin) -> None:
    mailbox_id = connect_at(member, "mara@acme.example")
    _choose(member, mailbox_id)
    url = leave(member, mailbox_id).replace("gmail.readonly", f"gmail.readonly+{MODIFY}")
    member.get(on_our_side(consent(url, "mara@acme.example", granted=[MODIFY])))
    assert _mailbox(member, mailbox_id)["state"] == "permission_missing"
    assert "Permission missing" in _page(member.get(PAGE))


def test_another_address_is_refused_by_name_and_both_ways_on_are_offered(member: Someone, google: GoogleStandin) -> None:
    """K37."""
    mailbox_id = connect_at(member, "mara@acme.example")
    answer = member.get(on_our_side(consent(leave(member, mailbox_id), "other@acme.example")))
    page = _page(answer)
    assert "You wanted to connect mara@acme.example again, and signed in to Google as other@acme.example" in page
    assert "Choose mara@acme.example at Google" in page
    assert "Connect other@acme.example too" in page
    assert _count(member) == 1


def test_a_colleague_s_mailbox_is_refused(member: Someone, colleague: Someone, google: GoogleStandin) -> None:
    """K02."""
    mailbox_id = connect_at(colleague, "mara@acme.example")
    _choose(colleague, mailbox_id)
    answer = member.get(on_our_side(consent(leave(member), "mara@acme.example")))
    assert "A colleague has connected this mailbox" in _page(answer)
    assert _mailbox(colleague, mailbox_id)["state"] == "on"


def test_choosing_starts_the_import_of_the_last_six_months(member: Someone, google: GoogleStandin) -> None:
    mailbox_id = connect_at(member, "mara@acme.example")
    form = _page(member.get(f"{PAGE}/{mailbox_id}/settings"))
    assert '<option value="6" selected>' in form
    assert "Every 5 minutes" in form
    assert "One-way (Gmail → FlowCRM)" in form
    assert "Two-way" not in form
    answer = _choose(member, mailbox_id, selection="all")
    assert answer["Location"] == f"{PAGE}/{mailbox_id}/running"
    now = _mailbox(member, mailbox_id)
    assert (now["state"], now["selection"], now["interval_s"]) == ("on", "all", 300)
    today = clock.now().astimezone(BERLIN)
    assert now["since"].astimezone(BERLIN).hour == 0
    assert 180 <= (today - now["since"]).days <= 186


def test_all_emails_says_what_it_leaves_out(member: Someone, google: GoogleStandin) -> None:
    """K10 to K12."""
    form = _page(member.get(f"{PAGE}/{connect_at(member, 'mara@acme.example')}/settings"))
    assert "Every email except drafts, spam and trash." in form
    assert "From, To, Cc, Bcc or Reply-To" in form


def test_contacts_only_warns_while_there_are_no_contacts(member: Someone, google: GoogleStandin) -> None:
    mailbox_id = connect_at(member, "mara@acme.example")
    warning = "nothing would come in for now"
    assert warning in _page(member.get(f"{PAGE}/{mailbox_id}/settings"))
    member.contact("Anna Berg", "anna@nordlicht.example")
    assert warning not in _page(member.get(f"{PAGE}/{mailbox_id}/settings"))


def test_labels_are_offered_by_name_and_one_must_be_chosen(member: Someone, google: GoogleStandin) -> None:
    """K11."""
    label = google.create_label("mara@acme.example", "Kunden & <b>Partner</b>")
    mailbox_id = connect_at(member, "mara@acme.example")
    assert "Kunden &amp; &lt;b&gt;Partner&lt;/b&gt;" in _page(member.get(f"{PAGE}/{mailbox_id}/settings"))
    refused = _choose(member, mailbox_id, selection="labels")
    assert refused.status_code == 422
    assert "Choose at least one label" in _page(refused)
    assert _choose(member, mailbox_id, selection="labels", labels=["INBOX"]).status_code == 422
    assert _choose(member, mailbox_id, selection="labels", labels=[label]).status_code == 302
    assert _mailbox(member, mailbox_id)["selection"] == "labels"
    with member.scope():
        assert rows("SELECT provider_id FROM folder WHERE chosen AND mailbox_id = %s", [mailbox_id]) == [(label,)]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"since": "day"}, "Enter the day from which"),
        ({"since": "day", "since_day": "soon"}, "Enter a day, for instance"),
        ({"since": "day", "since_day": "2999-01-01"}, "That day is still to come"),
        ({"selection": ""}, "Choose what may come in"),
        ({"selection": "folders"}, "Select a valid choice"),
        ({"interval_s": "7"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_refused_at_the_field(
    member: Someone, google: GoogleStandin, typed: dict[str, str], sentence: str
) -> None:
    mailbox_id = connect_at(member, "mara@acme.example")
    refused = _choose(member, mailbox_id, **typed)
    assert refused.status_code == 422
    assert sentence in _page(refused)
    assert _mailbox(member, mailbox_id)["state"] == "choosing"


def test_a_day_of_choice_begins_at_the_member_s_midnight(member: Someone, google: GoogleStandin) -> None:
    mailbox_id = connect_at(member, "mara@acme.example")
    _choose(member, mailbox_id, since="day", since_day="2026-05-23", interval_s="3600")
    now = _mailbox(member, mailbox_id)
    assert now["since"] == datetime(2026, 5, 23, tzinfo=BERLIN)
    assert now["interval_s"] == 3600
    assert "23 May 2026, as now" in _page(member.get(f"{PAGE}/{mailbox_id}/settings"))


def test_everything_has_no_first_day(member: Someone, google: GoogleStandin) -> None:
    mailbox_id = connect_at(member, "mara@acme.example")
    _choose(member, mailbox_id, since="everything")
    assert _mailbox(member, mailbox_id)["since"] is None


def test_another_frequency_alone_starts_no_new_import(member: Someone, google: GoogleStandin) -> None:
    """K13."""
    mailbox_id = connect_at(member, "mara@acme.example")
    _choose(member, mailbox_id)
    done = clock.now()
    with member.scope():
        run("UPDATE mailbox SET import_done_at = %s WHERE id = %s", [done, mailbox_id])
    answer = _choose(member, mailbox_id, since="as_now", interval_s="900")
    assert answer["Location"] == PAGE
    now = _mailbox(member, mailbox_id)
    assert now["interval_s"] == 900
    with member.scope():
        assert rows("SELECT import_done_at FROM mailbox WHERE id = %s", [mailbox_id]) == [(done,)]


def test_disconnect_and_connect_keep_mailbox_settings_and_place(member: Someone, google: GoogleStandin) -> None:
    """K37, K39."""
    mailbox_id = connect_at(member, "mara@acme.example")
    _choose(member, mailbox_id, selection="all", interval_s="900")
    with member.scope():
        run("UPDATE cursor SET value = 'here', listing = false WHERE mailbox_id = %s", [mailbox_id])
    answer = member.client.post(f"{PAGE}/{mailbox_id}/disconnect", follow=True)
    assert "mara@acme.example is disconnected. Its emails stay here." in _page(answer)
    assert _mailbox(member, mailbox_id)["state"] == "disconnected"
    with member.scope():
        assert rows("SELECT 1 FROM mailbox_secret WHERE mailbox_id = %s", [mailbox_id]) == []

    answer = member.client.get(on_our_side(consent(leave(member, mailbox_id), "mara@acme.example")), follow=True)
    assert "Connected again" in _page(answer)
    now = _mailbox(member, mailbox_id)
    assert (now["state"], now["selection"], now["interval_s"]) == ("on", "all", 900)
    with member.scope():
        assert rows("SELECT value FROM cursor WHERE mailbox_id = %s", [mailbox_id]) == [("here",)]


def test_connecting_the_same_address_anew_finds_the_mailbox(member: Someone, google: GoogleStandin) -> None:
    mailbox_id = connect_at(member, "mara@acme.example")
    member.post(f"{PAGE}/{mailbox_id}/disconnect")
    assert connect_at(member, "mara@acme.example") == mailbox_id
    assert _count(member) == 1


def test_disconnecting_while_google_is_down_disconnects_here(member: Someone, google: GoogleStandin) -> None:
    mailbox_id = connect_at(member, "mara@acme.example")
    google.fault("oauth.revoke", "status", status=503)
    assert member.post(f"{PAGE}/{mailbox_id}/disconnect").status_code == 302
    assert _mailbox(member, mailbox_id)["state"] == "disconnected"


def test_the_running_page_is_alive_and_goes_on_without_it(member: Someone, google: GoogleStandin) -> None:
    mailbox_id = connect_at(member, "mara@acme.example")
    _choose(member, mailbox_id)
    page = _page(member.get(f"{PAGE}/{mailbox_id}/running"))
    assert "Your emails are coming in" in page
    assert f'data-live="mailbox-{mailbox_id}"' in page
    assert "You may leave this page" in page


def test_each_step_is_in_the_audit(member: Someone, google: GoogleStandin) -> None:
    mailbox_id = connect_at(member, "mara@acme.example")
    _choose(member, mailbox_id)
    member.post(f"{PAGE}/{mailbox_id}/do", {"do": "pause"})
    member.post(f"{PAGE}/{mailbox_id}/disconnect")
    with member.scope():
        found = rows("SELECT verb, actor_id, object_ids FROM audit ORDER BY id", [])
    assert [verb for verb, _, _ in found] == ["connect", "settings", "pause", "disconnect"]
    assert {(actor, tuple(ids)) for _, actor, ids in found} == {(member.member_id, (mailbox_id,))}


def test_months_end_where_they_are_shorter() -> None:
    day = datetime(2026, 5, 31, tzinfo=BERLIN).date()
    assert [str(months_before(day, n)) for n in (1, 3, 6, 12)] == ["2026-04-30", "2026-02-28", "2025-11-30", "2025-05-31"]
    assert day - months_before(day, 1) < timedelta(days=32)
