"""Whether this installation sends mail, and the way out for all of it."""

from collections.abc import Callable

from django.conf import settings
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
