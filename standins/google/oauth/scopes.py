"""The permissions that this Google knows, and what it calls them.

https://developers.google.com/identity/protocols/oauth2/scopes
"""

_PREFIX = "https://www.googleapis.com/auth/"
EMAIL = f"{_PREFIX}userinfo.email"
PROFILE = f"{_PREFIX}userinfo.profile"
OPENID = "openid"
# Sign-in permissions are not up for choice on the consent page.
SIGN_IN = frozenset({OPENID, EMAIL, PROFILE})
_SHORT = {"email": EMAIL, "profile": PROFILE}

TITLES: dict[str, str] = {
    OPENID: "Associate you with your personal info on Google",
    EMAIL: "See your primary Google Account email address",
    PROFILE: "See your personal info, including any personal info you've made publicly available",
    "https://mail.google.com/": "Read, compose, send, and permanently delete all your email from Gmail",
    f"{_PREFIX}gmail.addons.current.action.compose": "Manage drafts and send emails when you interact with the add-on",
    f"{_PREFIX}gmail.addons.current.message.action": "View your email messages when you interact with the add-on",
    f"{_PREFIX}gmail.addons.current.message.metadata": "View your email message metadata when the add-on is running",
    f"{_PREFIX}gmail.addons.current.message.readonly": "View your email messages when the add-on is running",
    f"{_PREFIX}gmail.compose": "Manage drafts and send emails",
    f"{_PREFIX}gmail.insert": "Add emails into your Gmail mailbox",
    f"{_PREFIX}gmail.labels": "See and edit your email labels",
    f"{_PREFIX}gmail.metadata": "View your email message metadata such as labels and headers, but not the email body",
    f"{_PREFIX}gmail.modify": "Read, compose, and send emails from your Gmail account",
    f"{_PREFIX}gmail.readonly": "View your email messages and settings",
    f"{_PREFIX}gmail.send": "Send email on your behalf",
    f"{_PREFIX}gmail.settings.basic": "See, edit, create, or change your email settings and filters in Gmail",
    f"{_PREFIX}gmail.settings.sharing": "Manage your sensitive mail settings, including who can manage your mail",
}


def read(text: str) -> frozenset[str]:
    """The asked scopes by their full names; the e-mail permission brings openid with it, as at Google."""
    asked = frozenset(_SHORT.get(scope, scope) for scope in text.split())
    return asked | {OPENID} if asked & {EMAIL, PROFILE} else asked


def unknown(scopes: frozenset[str]) -> frozenset[str]:
    return scopes - TITLES.keys()


def choices(scopes: frozenset[str]) -> list[str]:
    """What the consent page asks about, in the order of TITLES."""
    return [scope for scope in TITLES if scope in scopes and scope not in SIGN_IN]
