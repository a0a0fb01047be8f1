"""The URL table: what is open to people who have not signed in is listed here, and nothing else is."""

from collections import Counter
from collections.abc import Iterator

import pytest
from django.urls import URLResolver, get_resolver

OPEN = {
    # By a link that works once.
    "join",
    "set_up",
    "theme",
    # By a signed address in a mail.
    "notice_mail_stop",
    "account_login",
    "account_logout",
    "account_inactive",
    "mfa_authenticate",
    "mfa_login_webauthn",
    # Closed doors, which allauth wants by name: they answer 404.
    "account_signup",
    "account_email",
}
# There only where the operator gave an SMTP server.
OPEN_WITH_MAIL = {
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
}


def table(resolver: URLResolver | None = None, before: str = "") -> Iterator[tuple[str, str | None, bool]]:
    """Every address with its name, and whether one must be signed in."""
    for entry in (resolver or get_resolver()).url_patterns:
        address = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from table(entry, address)
        else:
            yield address, entry.name, getattr(entry.callback, "login_required", True)


def test_only_what_is_listed_is_open_to_strangers() -> None:
    found = {name for _, name, needs_sign_in in table() if not needs_sign_in}
    assert found - OPEN_WITH_MAIL == OPEN


def test_every_address_and_every_name_is_there_once() -> None:
    for column in (0, 1):
        counted = Counter(row[column] for row in table())
        assert [value for value, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("word", ["e-" + "mail", "admin/"])
def test_no_address_says_what_we_do_not_say(word: str) -> None:
    assert [address for address, _, _ in table() if word in address] == []
