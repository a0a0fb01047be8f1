"""Whether this installation sends mail, and the way out for all of it."""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.translation import gettext as _

from flowcrm.post.letter import Letter, mail_bytes
from flowcrm.post.server import Server, read_server
from flowcrm.post.smtp import Never, Reason, send


def mail_server() -> Server | None:
    """The operator's server; None where nothing is sent. Raises ServerWrong: `flowcrm` does not start with such settings."""
    return read_server(settings.SMTP_URL, settings.DEFAULT_FROM_EMAIL)


def post(server: Server, to: str, letter: Letter, going: Callable[[], None] = lambda: None) -> None:
    """Hand over one letter. Raises NotSent; going: see smtp.send."""
    try:
        mail = mail_bytes(letter, server, to)
    except ValueError:
        raise Never(Reason.RECIPIENT) from None
    send(server, to, mail, going)


def test_letter() -> Letter:
    """What `flowcrm mail-test` and the admins' button send."""
    return Letter(
        _("FlowCRM can send emails"),
        (_("This is the test that you asked for. Nothing else is to be done."),),
        foot=(str(settings.BASE_URL),),
        list_name="test",
    )


class Backend(BaseEmailBackend):
    """For what Django and allauth send (forgotten passwords): the same way out, and the same checks."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Returns how many mails went out. Raises NotSent, unless the caller asked for silence."""
        server = mail_server()
        if server is None:
            return 0
        return sum(self._send(server, one) for one in email_messages)

    def _send(self, server: Server, mail: EmailMessage) -> int:
        message: Any = mail.message()
        message["Auto-Submitted"] = "auto-generated"
        for recipient in mail.recipients():
            send(server, recipient, message.as_bytes(linesep="\r\n"))
        return 1
