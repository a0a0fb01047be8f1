"""Settings, Outgoing email: whether emails can be sent, and a test of it."""

import pytest
from django.test import override_settings

from flowcrm.store.db import rows
from flowcrm.store.writes import outgoing
from standins.smtp.server import SmtpStandin
from tests.people import Someone
from tests.post.standin import plain, sends

__all__ = ["plain", "sends"]

pytestmark = pytest.mark.needs_postgres

SENDING = "/settings/sending"


def press(someone: Someone) -> str:
    return str(someone.post(SENDING, follow=True).content.decode())


def test_an_admin_sees_the_server_and_never_its_password(member: Someone) -> None:
    with override_settings(SMTP_URL="smtp://crm:hunter2@mail.acme.example", DEFAULT_FROM_EMAIL="crm@acme.example"):
        page = member.get(SENDING).content.decode()
    for shown in ("mail.acme.example:587", "begun by STARTTLS", "crm@acme.example", "Send a test email to me"):
        assert shown in page
    assert "hunter2" not in page


def test_without_a_server_the_page_says_what_happens_instead_and_what_to_set(member: Someone) -> None:
    with override_settings(SMTP_URL=""):
        page = member.get(SENDING).content.decode()
        assert member.post(SENDING).status_code == 200
    for shown in ("This FlowCRM sends no emails", "SMTP_URL=smtp://", "flowcrm mail-test"):
        assert shown in page
    assert "Send a test email to me" not in page


def test_a_test_goes_to_whoever_asks_and_stands_in_the_log(member: Someone, sends: SmtpStandin) -> None:
    assert f"Look into the inbox of {member.person.email}" in press(member)
    assert [one.recipient for one in sends.taken] == [member.person.email]
    with member.scope():
        assert rows("SELECT verb FROM audit") == [("mail_test",)]
        assert rows("SELECT state FROM outgoing") == [("sent",)]


def test_what_is_in_the_way_is_said(member: Someone, sends: SmtpStandin) -> None:
    sends.fault("MAIL", "550 5.7.1 <b>not</b> yours")
    page = press(member)
    assert "Is FLOWCRM_MAIL_FROM an address of yours" in page
    assert "550 5.7.1 &lt;b&gt;not&lt;/b&gt; yours" in page


def test_nobody_presses_it_for_ever(member: Someone, sends: SmtpStandin) -> None:
    for _ in range(outgoing.MOST_TESTS):
        press(member)
    assert "Enough tests were sent" in press(member)
    assert len(sends.taken) == outgoing.MOST_TESTS


def test_it_is_for_admins(member: Someone, colleague: Someone, stranger: Someone, sends: SmtpStandin) -> None:
    assert colleague.get(SENDING).status_code == 404
    assert colleague.post(SENDING).status_code == 404
    assert "Outgoing email" not in colleague.get("/settings/team").content.decode()
    press(stranger)
    assert [one.recipient for one in sends.taken] == [stranger.person.email]
    with member.scope():
        assert rows("SELECT id FROM outgoing") == []
