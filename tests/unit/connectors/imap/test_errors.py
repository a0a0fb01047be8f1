"""What servers say when they refuse, and what it means for the mailbox."""

import pytest

from flowcrm.connectors.imap.errors import goodbye, is_absent, refused, sign_in_refused
from flowcrm.mail.errors import MailError, NeedsLogin, Permanent, PermissionMissing, RateLimited, Transient


@pytest.mark.parametrize(
    ("said", "kind", "code"),
    [
        ("LOGIN failed.", NeedsLogin, "sign_in"),
        ("[AUTHENTICATIONFAILED] Invalid credentials (Failure)", NeedsLogin, "AUTHENTICATIONFAILED"),
        ("[ALERT] Application-specific password required: https://x.example/y (Failure)", NeedsLogin, "app_password"),
        ("[ALERT] Your account is not enabled for IMAP use. Please visit your settings", NeedsLogin, "imap_off"),
        ("[UNAVAILABLE] Temporary authentication failure", Transient, "UNAVAILABLE"),
        ("[ALERT] Too many simultaneous connections. (Failure)", RateLimited, "limit"),
        ("[INUSE] Mailbox in use", Transient, "INUSE"),
        ("Temporary system problem. Try again later", Transient, "unavailable"),
    ],
)
def test_a_refused_sign_in(said: str, kind: type[MailError], code: str) -> None:
    error = sign_in_refused(said)
    assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("[OVERQUOTA] Account exceeded command or bandwidth limits.", RateLimited),
        ("[LIMIT] slow down", RateLimited),
        ("[NOPERM] Access denied", PermissionMissing),
        ("[EXPIRED] Session", NeedsLogin),
        ("BAD Command line too long", Permanent),
        ("Some of the requested messages no longer exist.", Permanent),
    ],
)
def test_a_refused_command(said: str, kind: type[MailError]) -> None:
    assert type(refused(said, "FETCH")) is kind


def test_a_connection_that_ends_is_worth_another_try() -> None:
    assert type(goodbye("socket error: EOF")) is Transient
    assert type(goodbye("Too many connections from your address")) is RateLimited
    # Not every goodbye that names a sign-in says that it was refused.
    assert type(goodbye("[AUTHENTICATIONFAILED] idle for too long")) is Transient


@pytest.mark.parametrize(
    ("said", "absent"),
    [
        ("[NONEXISTENT] Unknown Mailbox: Old (Failure)", True),
        ("Mailbox doesn't exist: Old", True),
        ("[NOPERM] Permission denied", True),
        ("[UNAVAILABLE] Backend down", False),
        ("[LIMIT] Too many", False),
        ("Try again later", False),
    ],
)
def test_only_what_is_said_of_the_folder_makes_it_absent(said: str, absent: bool) -> None:
    assert is_absent(said) is absent
