"""A forgotten password: the page tells nobody who has a sign-in here, and the link that a worker sends lets its owner in."""

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.test import Client, override_settings

from flowcrm import queue, urls
from flowcrm.jobs.tasks import LAST_TRY, forgotten
from flowcrm.store.db import rows, run
from standins.smtp.server import SmtpStandin
from tests.people import Someone
from tests.post.standin import plain, sends

__all__ = ["plain", "sends"]

pytestmark = pytest.mark.needs_postgres

NAME = "urls_of_an_installation_that_sends"
FORM = "/sign-in/forgot/"


@pytest.fixture
def offers(sends: SmtpStandin) -> Iterator[SmtpStandin]:
    """The pages of an installation that had a mail server when it started."""
    spec = importlib.util.spec_from_file_location(NAME, urls.__file__)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[NAME])
    run("DELETE FROM procrastinate_jobs WHERE task_name = %s", [queue.FORGOTTEN])
    with override_settings(ROOT_URLCONF=NAME):
        yield sends
    del sys.modules[NAME]


def jobs() -> list[dict[str, Any]]:
    found = rows("SELECT args FROM procrastinate_jobs WHERE task_name = %s ORDER BY id", [queue.FORGOTTEN])
    return [json.loads(args) for (args,) in found]


def without_token(answer: Any) -> str:
    return re.sub(r"(X-CSRFToken|csrfmiddlewaretoken)[^\n]*", "", answer.content.decode())


def link(sent: SmtpStandin) -> str:
    text = message_from_bytes(sent.taken[-1].data, policy=policy.default).get_body(("plain",))
    assert text is not None
    [path] = re.findall(r"http://[^/]+(/sign-in/forgot/\S+)", text.get_content())
    return str(path)


def test_the_page_answers_alike_and_sends_nothing_itself(member: Someone, offers: SmtpStandin) -> None:
    known = Client().post(FORM, {"email": member.person.email.upper()}, follow=True)
    nobody = Client().post(FORM, {"email": "nobody@globex.example"}, follow=True)
    assert known.redirect_chain == nobody.redirect_chain == [("/sign-in/forgot/sent/", 302)]
    assert without_token(known) == without_token(nobody)
    assert offers.taken == []
    assert jobs() == [{"person_id": member.person.id, "tries": 0}, {"person_id": None, "tries": 0}]


def test_the_link_sets_a_new_password_once(member: Someone, offers: SmtpStandin) -> None:
    forgotten(member.person.id, 0)
    assert [one.recipient for one in offers.taken] == [member.person.email]
    browser, path = Client(), link(offers)
    form = browser.get(path, follow=True)
    assert "Choose a new password" in form.content.decode()
    new = "a new horse battery"
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        wrong = browser.post(form.redirect_chain[-1][0], {"password1": new, "password2": "another"})
        assert "id_password2_error" in wrong.content.decode()
        done = browser.post(form.redirect_chain[-1][0], {"password1": new, "password2": new}, follow=True)
        assert "Your new password is saved." in done.content.decode()
        member.person.refresh_from_db()
        assert member.person.check_password(new)
        before = member.person.password
        again = Client()
        assert "This link is used up." in again.get(path, follow=True).content.decode()
        again.post(path, {"password1": "yet another one", "password2": "yet another one"})
        member.person.refresh_from_db()
    assert member.person.password == before


def test_whoever_was_let_go_and_nobody_get_no_mail(member: Someone, offers: SmtpStandin) -> None:
    member.person.is_active = False
    member.person.save()
    forgotten(member.person.id, 0)
    forgotten(None, 0)
    assert offers.taken == []
    assert jobs() == []


def test_a_server_that_is_busy_is_asked_again_later_but_not_for_ever(member: Someone, offers: SmtpStandin) -> None:
    offers.fault("GREETING", "421 busy")
    forgotten(member.person.id, 0)
    assert jobs() == [{"person_id": member.person.id, "tries": 1}]
    later = "SELECT scheduled_at > now() + interval '1 minute' FROM procrastinate_jobs WHERE task_name = %s"
    [(waits,)] = rows(later, [queue.FORGOTTEN])
    assert waits
    offers.fault("GREETING", "421 busy")
    forgotten(member.person.id, LAST_TRY)
    assert len(jobs()) == 1
    forgotten(member.person.id, 1)
    assert len(offers.taken) == 1


def test_a_server_that_refuses_for_good_is_not_asked_again(member: Someone, offers: SmtpStandin) -> None:
    offers.fault("RCPT", "550 no such user")
    forgotten(member.person.id, 0)
    assert jobs() == []
