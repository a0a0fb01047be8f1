"""Signing in and out. Nobody signs up by himself."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client, override_settings

from tests.people import PASSWORD, Someone, make_person

pytestmark = pytest.mark.needs_postgres


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
def test_the_right_password_leads_to_the_page_that_was_asked_for(member: Someone) -> None:
    answer = Client().post(
        "/sign-in/?next=/contacts", {"login": member.person.email, "password": PASSWORD, "next": "/contacts"}
    )
    assert answer.status_code == 302
    assert answer["Location"] == "/contacts"


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
def test_a_wrong_password_is_refused_without_saying_what_was_wrong(member: Someone) -> None:
    unknown, wrong = Client(), Client()
    known = wrong.post("/sign-in/", {"login": member.person.email, "password": "wrong horse"}).content.decode()
    nobody = unknown.post("/sign-in/", {"login": "nobody@acme.example", "password": "wrong horse"}).content.decode()
    sentence = "The email address and/or password you specified are not correct."
    assert sentence in known
    assert sentence in nobody


def test_nobody_signs_up_by_himself(member: Someone) -> None:
    for path in ("/sign-in/none/up/", "/sign-in/none/address/"):
        assert Client().get(path).status_code == 404


def test_signing_out_ends_the_session(member: Someone) -> None:
    assert member.get("/contacts").status_code == 200
    member.post("/sign-out/")
    assert member.get("/contacts").status_code == 302


def test_the_sign_in_page_offers_no_reset_where_no_mail_can_be_sent() -> None:
    page = Client().get("/sign-in/").content.decode()
    assert "Whoever runs this FlowCRM can help." in page
    assert "Forgot your password?" not in page


def test_changing_the_second_factor_asks_for_the_password_first(member: Someone) -> None:
    answer = member.get("/sign-in/two-factor/totp/activate/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/again/")


def recently(someone: Someone) -> None:
    """He has just given his password, which changing a second factor asks for."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        assert someone.post("/sign-in/again/", {"password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("part", ["", "totp/activate/", "webauthn/", "webauthn/add/"])
def test_every_page_of_the_second_factor_opens(member: Someone, part: str) -> None:
    recently(member)
    assert member.get(f"/sign-in/two-factor/{part}").status_code == 200


def test_a_key_is_listed_to_its_owner_and_nobody_else_can_touch_it(member: Someone, stranger: Someone) -> None:
    recently(member)
    recently(stranger)
    assert "No key yet" in member.get("/sign-in/two-factor/webauthn/").content.decode()
    credential = {"clientExtensionResults": {"credProps": {"rk": True}}}
    key = Authenticator.objects.create(
        user=member.person, type=Authenticator.Type.WEBAUTHN, data={"name": "Blue <key>", "credential": credential}
    )
    page = member.get("/sign-in/two-factor/webauthn/").content.decode()
    for shown in ("Blue &lt;key&gt;", "Passkey", "not used yet", "Add a key"):
        assert shown in page
    for action in ("edit", "remove"):
        path = f"/sign-in/two-factor/webauthn/keys/{key.pk}/{action}/"
        assert member.get(path).status_code == 200
        assert stranger.get(path).status_code == 404
        assert stranger.post(path, {"name": "mine"}).status_code == 404
    key.refresh_from_db()
    assert key.data["name"] == "Blue <key>"


def test_a_form_without_its_token_is_refused_with_a_sentence() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_person(), backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = strict.post("/settings/theme", {"theme": "dark"})
    assert answer.status_code == 403
    assert "Please try that again." in answer.content.decode()
