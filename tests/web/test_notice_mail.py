"""Notices by mail: who is written to, of what, when, and that a mail says no more than the bell."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from django.core import signing
from django.test import Client, override_settings

from flowcrm.lib import clock
from flowcrm.post.notice_letter import WHEN
from flowcrm.post.outbox import send_due
from flowcrm.post.stopping import Stop, stop_address
from flowcrm.store.db import rows, run
from flowcrm.store.writes.invites import check_invite, do_invite, do_join
from flowcrm.store.writes.mailbox import do_state
from flowcrm.store.writes.notice_mail import GROUPS
from flowcrm.store.writes.notices import Kind, do_notice
from flowcrm.store.writes.outgoing import do_forget, do_hand, do_settle, do_take
from standins.smtp.server import SmtpStandin, Taken
from tests.mail_helper import connect
from tests.people import Someone, make_person
from tests.post.standin import empty_outbox, plain, sends

__all__ = ["empty_outbox", "plain", "sends"]

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock", "empty_outbox")]

PROFILE = "/settings/profile"


def state(owner: Someone, mailbox_id: int, now: str) -> None:
    with owner.scope():
        do_state(workspace_id=owner.workspace_id, mailbox_id=mailbox_id, state=now)


def after(minutes: float) -> None:
    clock.advance(minutes * 60)
    send_due(stop=lambda: False)


def parts(taken: Taken) -> tuple[EmailMessage, str]:
    mail = message_from_bytes(taken.data, policy=default)
    assert isinstance(mail, EmailMessage)
    text = mail.get_body(("plain",))
    assert text is not None
    return mail, str(text.get_content())


def recipients(sends: SmtpStandin) -> list[str]:
    return sorted(one.recipient for one in sends.taken)


@pytest.fixture
def own(colleague: Someone) -> int:
    """The colleague's mailbox; he is no admin."""
    return connect(colleague, "ben@acme.example")


def test_the_owner_hears_a_few_minutes_later_what_stands_under_the_bell(
    member: Someone, colleague: Someone, own: int, sends: SmtpStandin
) -> None:
    state(colleague, own, "reauthorize")
    after(4)
    assert sends.taken == []
    after(2)
    assert recipients(sends) == [colleague.person.email], "no admin: only the owner can mend it"
    mail, text = parts(sends.taken[0])
    assert mail["Subject"].startswith("FlowCRM: ben@acme.example: ")
    assert mail["List-Id"] == "FlowCRM <notices.acme.example>"
    with colleague.scope():
        [(notice_id,)] = rows("SELECT id FROM notice WHERE member_id = %s", [colleague.member_id])
    assert f"/notices/{notice_id}" in text
    assert "Your choice: When a mailbox needs me." in text
    after(60 * 24 * 3)
    assert len(sends.taken) == 1


def test_what_was_read_or_is_over_by_then_is_not_mailed(
    member: Someone, colleague: Someone, own: int, sends: SmtpStandin
) -> None:
    state(colleague, own, "reauthorize")
    colleague.post("/notices/read")
    after(6)
    other = connect(colleague, "ben.too@acme.example")
    state(colleague, other, "permission_missing")
    state(colleague, other, "on")
    after(6)
    assert sends.taken == []
    with colleague.scope():
        assert rows("SELECT id FROM outgoing") == []


def test_what_only_an_admin_can_mend_is_mailed_to_admins(
    member: Someone, colleague: Someone, own: int, sends: SmtpStandin
) -> None:
    state(colleague, own, "admin_must_act")
    after(6)
    assert recipients(sends) == sorted([member.person.email, colleague.person.email])


def test_whoever_is_no_admin_by_then_or_has_left_is_not_told(
    member: Someone, colleague: Someone, own: int, sends: SmtpStandin
) -> None:
    state(colleague, own, "admin_must_act")
    with member.scope():
        run("UPDATE member SET role = 'user' WHERE id = %s", [member.member_id])
        run("UPDATE member SET deactivated_at = now() WHERE id = %s", [colleague.member_id])
    after(6)
    assert sends.taken == []


def test_what_comes_and_goes_is_mailed_once_a_day(member: Someone, colleague: Someone, own: int, sends: SmtpStandin) -> None:
    for _ in range(4):
        state(colleague, own, "reauthorize")
        after(60)
        state(colleague, own, "on")
        after(1)
    assert len(sends.taken) == 1
    after(60 * 24)
    state(colleague, own, "reauthorize")
    after(6)
    assert len(sends.taken) == 2


def test_what_begins_again_within_a_day_is_mailed_when_the_day_is_over(
    member: Someone, colleague: Someone, own: int, sends: SmtpStandin
) -> None:
    state(colleague, own, "reauthorize")
    after(6)
    state(colleague, own, "on")
    state(colleague, own, "permission_missing")
    after(60 * 24 - 10)
    assert len(sends.taken) == 1
    after(20)
    assert len(sends.taken) == 2
    state(colleague, own, "reauthorize")
    after(60 * 23)
    assert len(sends.taken) == 2
    after(60 * 2)
    assert len(sends.taken) == 3, "a day after the second, too"
    after(60 * 24 * 3)
    assert len(sends.taken) == 3


def test_what_began_again_and_is_over_or_read_when_the_day_is_over_is_not_mailed(
    member: Someone, colleague: Someone, own: int, sends: SmtpStandin
) -> None:
    other = connect(colleague, "ben.too@acme.example")
    for one in (own, other):
        state(colleague, one, "reauthorize")
    after(6)
    for one in (own, other):
        state(colleague, one, "on")
        state(colleague, one, "reauthorize")
    state(colleague, own, "on")
    colleague.post("/notices/read")
    after(60 * 25)
    assert len(sends.taken) == 2


@pytest.mark.parametrize("leaves", [False, True])
def test_what_begins_again_while_its_mail_is_in_hand_is_not_lost(
    leaves: bool, member: Someone, colleague: Someone, own: int, sends: SmtpStandin
) -> None:
    state(colleague, own, "reauthorize")
    clock.advance(6 * 60)
    with colleague.scope():
        mail = do_take(workspace_id=colleague.workspace_id)
        assert mail is not None
        assert not leaves or do_hand(mail)
    state(colleague, own, "on")
    state(colleague, own, "permission_missing")
    with colleague.scope():
        assert leaves or not do_hand(mail), "it would say what is not so any more"
        do_settle(mail, "sent")
        do_forget(mail)
    after(11)
    assert len(sends.taken) == (0 if leaves else 1)
    after(60 * 24)
    assert len(sends.taken) == 1


def test_what_begins_again_while_the_server_is_away_has_a_day_of_its_own(
    member: Someone, colleague: Someone, own: int, sends: SmtpStandin
) -> None:
    sends.fault("RCPT", "451 4.3.0 later", times=30)
    state(colleague, own, "reauthorize")
    for _ in range(23):
        after(61)
    state(colleague, own, "on")
    state(colleague, own, "permission_missing")
    for _ in range(10):
        after(61)
    assert len(sends.taken) == 1


@pytest.mark.parametrize(
    ("kind", "group"),
    [(Kind.DAY_FULL, "limits"), (Kind.STORED_FULL, "limits"), (Kind.IMPORTED, ""), (Kind.ROLE, "")],
)
def test_a_member_chooses_of_what(kind: Kind, group: str, member: Someone, colleague: Someone, sends: SmtpStandin) -> None:
    everything = {"what": "mail", "needed": "on", "limits": "on", "joined": "on"}
    assert "Saved what you hear of" in member.post(PROFILE, everything, follow=True).content.decode()
    with member.scope():
        both = [member.member_id, colleague.member_id]
        do_notice(workspace_id=member.workspace_id, members=both, kind=kind, detail="admin")
    after(6)
    assert recipients(sends) == ([member.person.email] if group else [])
    page = member.get(PROFILE).content.decode()
    assert page.count("checked") >= 3
    assert 'name="limits" id="id_limits" checked' not in colleague.get(PROFILE).content.decode()


def test_nothing_chosen_nothing_mailed_and_a_choice_holds_for_what_waits(
    member: Someone, colleague: Someone, own: int, sends: SmtpStandin
) -> None:
    state(colleague, own, "reauthorize")
    colleague.post(PROFILE, {"what": "mail"})
    after(6)
    assert sends.taken == []
    assert colleague.post(PROFILE, {"name": "Ben K.", "time_zone": "UTC"}).status_code == 302
    with colleague.scope():
        assert rows("SELECT mail_me, name FROM member WHERE id = %s", [colleague.member_id]) == [([], "Ben K.")]


def test_somebody_joined_by_an_invitation(member: Someone, sends: SmtpStandin) -> None:
    member.post(PROFILE, {"what": "mail", "joined": "on"})
    with member.scope():
        _id, secret = do_invite(workspace_id=member.workspace_id, member_id=member.member_id, name="Nora", role="user")
        invite = check_invite(workspace_id=member.workspace_id, secret=secret)
        person = make_person("Nora")
        do_join(workspace_id=member.workspace_id, invite=invite, person_id=person.id, name="Nora", time_zone="UTC")
    after(6)
    assert "Nora has joined" in parts(sends.taken[0])[1]


def test_without_a_server_nothing_waits_and_the_profile_says_so(member: Someone, colleague: Someone, own: int) -> None:
    with override_settings(SMTP_URL=""):
        state(colleague, own, "reauthorize")
        assert "This FlowCRM sends no emails." in colleague.get(PROFILE).content.decode()
    with colleague.scope():
        assert rows("SELECT id FROM outgoing") == []


def test_the_notice_is_there_whatever_becomes_of_the_mail(
    member: Someone, colleague: Someone, own: int, sends: SmtpStandin
) -> None:
    sends.fault("RCPT", "550 5.1.1 nobody")
    state(colleague, own, "reauthorize")
    after(6)
    assert "ben@acme.example:" in colleague.get("/notices").content.decode()
    with colleague.scope():
        assert rows("SELECT state, reason FROM outgoing") == [("failed", "recipient")]


def test_what_can_be_chosen_is_made_of_kinds_that_there_are() -> None:
    assert {kind for kinds in GROUPS.values() for kind in kinds} <= set(Kind)
    assert set(WHEN) == set(GROUPS)


def mail_me(someone: Someone) -> list[str]:
    with someone.scope():
        [(groups,)] = rows("SELECT mail_me FROM member WHERE id = %s", [someone.member_id])
    return list(groups)


def test_one_press_in_the_mail_program_ends_this_kind_and_no_other(
    member: Someone, colleague: Someone, own: int, sends: SmtpStandin
) -> None:
    colleague.post(PROFILE, {"what": "mail", "needed": "on", "limits": "on"})
    state(colleague, own, "reauthorize")
    with override_settings(BASE_URL="https://crm.acme.example"):
        after(6)
    mail, text = parts(sends.taken[0])
    address = mail["List-Unsubscribe"].strip("<>")
    assert address in text.replace("\n", "")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = address.removeprefix("https://crm.acme.example")
    nobody = Client(enforce_csrf_checks=True)
    asked = nobody.get(path)
    assert "When a mailbox needs me" in asked.content.decode()
    assert mail_me(colleague) == ["needed", "limits"], "programs that check links change nothing"
    done = nobody.post(path, {"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert "sessionid" not in done.cookies
    assert mail_me(colleague) == ["limits"]
    assert mail_me(member) == ["needed"]


def test_nobody_ends_another_s_mails(member: Someone, colleague: Someone, stranger: Someone) -> None:
    own = stop_address(Stop(stranger.workspace_id, stranger.member_id, "needed")).rsplit("/", 1)[1]
    forged = stop_address(Stop(member.workspace_id, colleague.member_id, "needed")).rsplit("/", 1)[1]
    value, rest = forged.split(":", 1)
    for token in (f"{value}:{own.split(':', 1)[1]}", value, f"{value}x:{rest}", "nonsense", signing.dumps([1, 1, "needed"])):
        assert stranger.post(f"/notices/email/off/{token}").status_code == 404, token
    stranger.post(f"/notices/email/off/{own}")
    assert [mail_me(one) for one in (member, colleague, stranger)] == [["needed"], ["needed"], []]
    # A member's id under another account's is nobody.
    crossed = stop_address(Stop(stranger.workspace_id, colleague.member_id, "needed")).rsplit("/", 1)[1]
    assert stranger.post(f"/notices/email/off/{crossed}").status_code == 200
    assert mail_me(colleague) == ["needed"]


def test_nobody_else_is_written_to(
    member: Someone, colleague: Someone, stranger: Someone, own: int, sends: SmtpStandin
) -> None:
    state(colleague, own, "admin_must_act")
    after(6)
    assert stranger.person.email not in recipients(sends)
