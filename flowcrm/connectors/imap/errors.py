"""What an IMAP server's NO, BAD and BYE mean for a mailbox, by its response codes (RFC 9051 7.1, RFC 5530) and, where servers
give none, by the words that the large ones use."""

import re

from flowcrm.mail.errors import MailError, NeedsLogin, Permanent, PermissionMissing, RateLimited, Transient

_CODE = re.compile(r"\[([A-Z0-9-]+)[ \]]", re.IGNORECASE)

_LATER = {"UNAVAILABLE", "INUSE", "SERVERBUG", "CONTACTADMIN"}
_LIMITS = {"LIMIT", "OVERQUOTA", "THROTTLED"}
_SIGN_IN = {"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED"}
_ABSENT = {"NONEXISTENT"}

# Lower case; the code is ours, since these servers give none that says it.
_WORDS: tuple[tuple[str, type[MailError], str], ...] = (
    ("application-specific password", NeedsLogin, "app_password"),
    ("app password", NeedsLogin, "app_password"),
    ("web login required", NeedsLogin, "app_password"),
    ("not enabled for imap", NeedsLogin, "imap_off"),
    ("imap access is disabled", NeedsLogin, "imap_off"),
    ("too many", RateLimited, "limit"),
    ("rate limit", RateLimited, "limit"),
    ("bandwidth limit", RateLimited, "limit"),
    ("try again later", Transient, "unavailable"),
    ("temporar", Transient, "unavailable"),
)


class FolderAbsent(Exception):
    """The server has no such folder, or does not let us open it though it lists it."""


def refused(said: str, command: str) -> MailError:
    """NO or BAD, to any command but the sign-in."""
    known = _known(said)
    if known is not None:
        return known
    code = code_of(said)
    if code == "NOPERM":
        return PermissionMissing("The mail server does not let this account read its mail.", scope="read", code=code)
    return Permanent(f"The mail server refused {command}.", code=code or command.lower())


def sign_in_refused(said: str) -> MailError:
    """NO to the sign-in: without a word to the contrary, the user name or the password is wrong."""
    return _known(said) or NeedsLogin("The mail server refused the user name or the password.", code=code_of(said) or "sign_in")


def sign_in_off() -> MailError:
    """LOGINDISABLED, and no other way of signing in with a password (RFC 9051, 6.2.3). The owner is led to the form, where it
    is said; whoever runs this FlowCRM can do nothing about it."""
    return NeedsLogin("The mail server lets nobody sign in with a password here.", code="login_disabled")


def goodbye(said: str) -> MailError:
    """BYE, or a connection that ended, or what is no IMAP at all."""
    if "unexpected response" in said:
        return garbled()
    known = _known(said)
    return known if isinstance(known, Transient) else Transient("The mail server ended the connection.", code="cut")


def garbled() -> MailError:
    return Transient("The mail server's answer cannot be read.", code="garbled")


def code_of(said: str) -> str:
    """The response code in capitals, or ""."""
    found = _CODE.search(said)
    return found[1].upper() if found else ""


def is_absent(said: str) -> bool:
    """Whether NO to EXAMINE is about this folder only."""
    return code_of(said) in {*_ABSENT, "NOPERM", "CANNOT", ""} and _by_words(said) is None


def _known(said: str) -> MailError | None:
    code = code_of(said)
    if code in _LIMITS:
        return RateLimited("The mail server asks for patience.", code=code)
    if code in _LATER:
        return Transient("The mail server cannot answer just now.", code=code)
    if code in _SIGN_IN:
        return NeedsLogin("The mail server refused the user name or the password.", code=code)
    return _by_words(said)


def _by_words(said: str) -> MailError | None:
    text = said.lower()
    for words, kind, code in _WORDS:
        if words in text:
            return kind(_TEXTS[code], code=code)
    return None


_TEXTS = {
    "app_password": "The mail server wants a password made for this app.",
    "imap_off": "IMAP is switched off for this account.",
    "limit": "The mail server asks for patience.",
    "unavailable": "The mail server cannot answer just now.",
}
