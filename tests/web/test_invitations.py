"""Invitations by mail: from the admin's form through the worker and a real socket to the link that lets somebody in."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from threading import Barrier

import pytest
from django.test import Client, override_settings

from flowcrm.jobs.upkeep import tidy
from flowcrm.lib import clock
from flowcrm.post.outbox import send_due
from flowcrm.post.trouble import why
from flowcrm.store.db import close_connections, rows, run
from flowcrm.store.writes import outgoing
from standins.smtp.server import HANG, SmtpStandin, Taken
from tests.people import PASSWORD, Someone, make_person
from tests.post.standin import FROM, empty_outbox, plain, sends

__all__ = ["empty_outbox", "plain", "sends"]

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock", "empty_outbox")]

TEAM = "/settings/team"
NORA = "nora@globex.example"
SEND = "from flowcrm.post.outbox import send_due\nsend_due(stop=lambda: False)"


def invite(admin: Someone, email: str = NORA, name: str = "Nora") -> str:
    """What the page says."""
    return str(admin.post(TEAM, {"what": "invite", "name": name, "role": "user", "email": email}).content.decode())


def work() -> None:
    """What the job does each minute."""
    send_due(stop=lambda: False)


def text(taken: Taken) -> str:
    mail = message_from_bytes(taken.data, policy=default)
    assert isinstance(mail, EmailMessage)
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def states(someone: Someone) -> list[tuple[str, str]]:
    with someone.scope():
        return [(state, reason) for state, reason in rows("SELECT state, reason FROM outgoing ORDER BY id")]


def link_in(taken: Taken) -> str:
    found = re.search(r"/join/\d+/[\w-]+", text(taken))
    assert found
    return found[0]


def later(minutes: float) -> None:
    clock.advance(minutes * 60)
    work()


def test_the_link_goes_out_lets_somebody_in_and_is_forgotten(member: Someone, sends: SmtpStandin) -> None:
    page = invite(member)
    assert "is on its way to nora@globex.example" in page
    assert "On its way to nora@globex.example" in page
    work()
    [taken] = sends.taken
    assert taken.recipient == NORA
    assert "Mara Lindt invites you to Acme on FlowCRM" in message_from_bytes(taken.data, policy=default)["Subject"]
    link = link_in(taken)
    assert link in page, "and can be handed over as well"
    assert "Sent to nora@globex.example" in member.get(TEAM).content.decode()
    assert 'value="nora@globex.example"' in Client().get(link).content.decode()
    typed = {"name": "Nora", "email": f"new-{make_person().email}", "password": PASSWORD, "time_zone": "UTC"}
    assert Client().post(link, typed).status_code == 302
    with member.scope():
        assert rows("SELECT s_mail FROM invite") == [(None,)]
        assert [one for (one,) in rows("SELECT verb FROM audit ORDER BY id")][:2] == ["invite", "mail_invite"]


def test_neither_address_nor_link_is_stored_in_clear(member: Someone, sends: SmtpStandin) -> None:
    page = invite(member)
    secret = re.search(r"/join/\d+/([\w-]+)<", page)
    assert secret
    with member.scope():
        stored = str(rows("SELECT i, i.s_mail, o FROM invite i JOIN outgoing o ON o.invite_id = i.id"))
        [(sealed,)] = rows("SELECT s_mail FROM invite")
    for clear in (secret[1], NORA):
        assert clear not in stored
        assert clear.encode() not in bytes(sealed)


def test_without_a_mail_server_no_address_is_asked_for(member: Someone) -> None:
    with override_settings(SMTP_URL=""):
        page = invite(member)
        assert "this FlowCRM sends no emails" in page
        assert 'name="email"' not in page
    assert states(member) == []


def test_a_wrong_address_is_said_at_its_field_and_makes_no_link(member: Someone, sends: SmtpStandin) -> None:
    for wrong in ("nora", "nora@globex", '"nora x"@globex.example'):
        assert "That is not an email address" in invite(member, wrong), wrong
    with member.scope():
        assert rows("SELECT id FROM invite") == []


def test_a_server_that_is_away_is_asked_again_for_a_day_and_then_no_more(member: Someone, sends: SmtpStandin) -> None:
    invite(member)
    sends.fault("GREETING", "421 4.3.2 away", times=1000)
    work()
    assert states(member) == [("waiting", "busy")]
    assert "cannot take emails just now" in member.get(TEAM).content.decode()
    work()
    assert states(member) == [("waiting", "busy")], "not at once"
    for _ in range(30):
        later(61)
    assert states(member) == [("failed", "busy")]
    assert sends.taken == []
    page = member.get(TEAM).content.decode()
    assert "Not sent to nora@globex.example" in page
    assert "cannot take emails just now" in page, "the reason of the last try"
    assert "It was tried for a day" in page


def test_a_mail_that_no_worker_took_in_hand_says_so(member: Someone, sends: SmtpStandin) -> None:
    invite(member)
    later(25 * 60)
    assert states(member) == [("failed", "late")]
    assert "Does a worker run?" in member.get(TEAM).content.decode()


def test_a_server_that_was_taken_away_since_is_named_as_the_reason(member: Someone, sends: SmtpStandin) -> None:
    invite(member)
    with override_settings(SMTP_URL=""):
        work()
    assert states(member) == [("waiting", "not_set")]
    assert "No mail server is set any more" in member.get(TEAM).content.decode()
    later(25 * 60)
    assert states(member) == [("failed", "not_set")]


def test_keys_out_of_reach_are_named_as_the_reason(member: Someone, sends: SmtpStandin) -> None:
    assert "keys are out of reach" in why("keys")
    invite(member)
    with member.scope():
        [(kept,)] = rows("SELECT s_mail FROM invite")
        run("UPDATE invite SET s_mail = %s", [bytes(kept)[:-1] + bytes([bytes(kept)[-1] ^ 1])])
    work()
    assert states(member) == [("waiting", "keys")]


def test_an_answer_for_now_is_tried_again_and_an_answer_for_good_is_not(member: Someone, sends: SmtpStandin) -> None:
    sends.fault("RCPT", "451 4.7.1 greylisted")
    sends.fault("END", "452 4.3.1 full")
    invite(member)
    work()
    later(61)
    assert (states(member), sends.taken) == ([("waiting", "busy")], [])
    later(121)
    assert (states(member), len(sends.taken)) == ([("sent", "")], 1)
    sends.fault("RCPT", "550 5.1.1 nobody")
    invite(member, "nobody@globex.example")
    work()
    later(121)
    assert states(member) == [("sent", ""), ("failed", "recipient")]


@pytest.mark.parametrize("takes", [True, False])
def test_cut_after_the_last_line_it_is_never_sent_a_second_time_by_itself(
    member: Someone, sends: SmtpStandin, takes: bool
) -> None:
    sends.fault("END", takes=takes)
    invite(member)
    work()
    for _ in range(3):
        later(61)
    assert states(member) == [("unsure", "cut")]
    assert len(sends.taken) == takes
    assert "It may have reached nora@globex.example, or not" in member.get(TEAM).content.decode()


@pytest.mark.parametrize(("step", "state", "mails"), [("RCPT", "sent", 1), ("DATA", "sent", 1), ("END", "unsure", 1)])
def test_a_killed_worker_s_mail_goes_again_only_where_nothing_had_left(
    member: Someone, sends: SmtpStandin, step: str, state: str, mails: int
) -> None:
    invite(member)
    sends.fault(step, HANG, takes=True)
    worker = subprocess.Popen(
        [sys.executable, "-c", f"import django; django.setup()\n{SEND}"],
        env={**os.environ, "SMTP_URL": sends.url(), "FLOWCRM_MAIL_FROM": FROM},
    )
    try:
        assert sends.hangs.wait(60)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    work()
    later(5)
    work()
    assert len(sends.taken) == (step == "END"), "whoever has it in hand may have it"
    later(6)
    work()
    assert states(member)[0][0] == state
    assert len(sends.taken) == mails


def test_a_worker_that_comes_back_too_late_sends_nothing(
    member: Someone, sends: SmtpStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs before its first byte leaves; another one has sent the mail meanwhile."""
    handing, depth = outgoing.do_hand, [0]

    def slow(mail: outgoing.Outgoing) -> bool:
        depth[0] += 1
        if depth[0] == 1:
            clock.advance(700)
            with ThreadPoolExecutor(1) as elsewhere:
                elsewhere.submit(another_worker).result()
        return handing(mail)

    def another_worker() -> None:
        work()
        close_connections()

    invite(member)
    monkeypatch.setattr("flowcrm.post.outbox.do_hand", slow)
    work()
    assert depth == [2]
    assert len(sends.taken) == 1
    assert states(member) == [("sent", "")]


def test_of_two_presses_at_once_one_sends_it_again(member: Someone, sends: SmtpStandin) -> None:
    invite(member)
    work()
    with member.scope():
        [(invite_id,)] = rows("SELECT id FROM invite")
    together = Barrier(2)

    def press(client: Client) -> None:
        together.wait()
        client.post(f"{TEAM}/invites/{invite_id}/again")
        close_connections()

    for _ in range(5):
        before = len(sends.taken)
        other = Client()
        other.cookies = member.client.cookies
        with ThreadPoolExecutor(2) as both:
            list(both.map(press, (member.client, other)))
        assert [state for state, _ in states(member)].count("waiting") <= 1
        work()
        assert len(sends.taken) - before <= 1
    assert len(sends.taken) > 1


def test_an_invitation_that_was_taken_back_or_used_is_not_sent(member: Someone, sends: SmtpStandin) -> None:
    invite(member)
    with member.scope():
        [(invite_id,)] = rows("SELECT id FROM invite")
    member.post(f"{TEAM}/invites/{invite_id}/revoke")
    work()
    assert sends.taken == []
    assert states(member) == []


def test_the_same_link_goes_again_when_an_admin_asks(member: Someone, colleague: Someone, sends: SmtpStandin) -> None:
    invite(member)
    with member.scope():
        [(invite_id,)] = rows("SELECT id FROM invite")
    again = f"{TEAM}/invites/{invite_id}/again"
    assert "on its way already" in member.post(again, follow=True).content.decode()
    work()
    assert "Sent once more to nora@globex.example" in member.post(again, follow=True).content.decode()
    work()
    assert [link_in(one) for one in sends.taken] == [link_in(sends.taken[0])] * 2
    assert colleague.post(again).status_code == 403


def test_a_stranger_sends_nothing_again(member: Someone, stranger: Someone, sends: SmtpStandin) -> None:
    invite(member)
    work()
    with member.scope():
        [(invite_id,)] = rows("SELECT id FROM invite")
    assert stranger.post(f"{TEAM}/invites/{invite_id}/again").status_code == 404
    work()
    assert len(sends.taken) == 1


def test_nobody_is_flooded(member: Someone, sends: SmtpStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(outgoing.MOST_TO_ONE):
        invite(member, "Nora@globex.example")
    assert "Enough was sent to this address today" in invite(member)
    assert "is on its way" in invite(member, "otto@globex.example")
    monkeypatch.setattr(outgoing, "MOST_A_DAY", 4)
    assert "no more go out" in invite(member, "lena@globex.example")
    with member.scope():
        assert len(rows("SELECT id FROM invite")) == 4
    clock.advance(timedelta(days=1, minutes=1).total_seconds())
    assert "is on its way" in invite(member)


def test_what_an_invitation_by_mail_needed_is_forgotten_with_it(member: Someone, sends: SmtpStandin) -> None:
    invite(member)
    work()
    clock.advance(timedelta(days=8).total_seconds())
    tidy()
    with member.scope():
        assert rows("SELECT s_mail IS NULL, h_to IS NULL FROM invite") == [(True, False)]
    clock.advance(timedelta(days=31).total_seconds())
    tidy()
    with member.scope():
        assert rows("SELECT s_mail IS NULL, h_to IS NULL FROM invite") == [(True, True)]
    assert states(member) == []


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("Evil.com", "Evil. com"),
        ("http://evil.example", "http evil. example"),
        ("HTTPS://WWW.EVIL.EXAMPLE/x", "HTTPS WWW. EVIL. EXAMPLE/x"),
        ("EVIL\uff0ecom", "EVIL\uff0e com"),
        ("evil\u3002example", "evil\u3002 example"),
        ("evil.\u2060com", "evil. \u2060com"),
        ("mailto:x@evil.example", "mailto: x@evil. example"),
        ("Dr.Nora Berg", "Dr. Nora Berg"),
        ("Berg (Acme Inc.)", "Berg (Acme Inc.)"),
        ("J. R. R. Berg...", "J. R. R. Berg..."),
    ],
)
def test_a_bare_domain_in_a_name_is_no_link(member: Someone, sends: SmtpStandin, name: str, reads: str) -> None:
    with member.scope():
        run("UPDATE member SET name = %s", [name])
    invite(member, name=name)
    work()
    assert f"Hello {reads}," in text(sends.taken[0])
    assert f"{reads} invites you" in message_from_bytes(sends.taken[0].data, policy=default)["Subject"]


def test_names_make_no_second_link_and_no_header(member: Someone, sends: SmtpStandin) -> None:
    with member.scope():
        run("UPDATE member SET name = %s", ["Buy at https://evil.example now " * 5])
    invite(member, name="x\r\nBcc: all@globex.example")
    work()
    mail = message_from_bytes(sends.taken[0].data, policy=default)
    assert mail["Bcc"] is None
    assert "https://evil" not in text(sends.taken[0])
