"""How sign-in behaves: nobody signs up by himself, and mail is only offered where the installation can send it."""

from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from flowcrm.post.smtp import NotSent

log = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  # allauth's signature
        """People are added by an admin."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A page that fails where the mail server does would tell who has a sign-in here: nothing is sent to who has none."""
        try:
            super().send_mail(template_prefix, email, context)
        except NotSent as error:
            log.warning("not sent", what=template_prefix, kind=type(error).__name__, reason=str(error.reason))


def can_send_mail() -> bool:
    """Whether the operator set up a mail server (then a forgotten password can be replaced by email)."""
    return bool(getattr(settings, "SMTP_URL", ""))
