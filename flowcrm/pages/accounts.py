"""How sign-in behaves: nobody signs up by himself, and mail is only offered where the installation can send it."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  # allauth's signature
        """People are added by an admin."""
        return False


def can_send_mail() -> bool:
    """Whether the operator set up a mail server (then a forgotten password can be replaced by email)."""
    return bool(getattr(settings, "SMTP_URL", ""))
