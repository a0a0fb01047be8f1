"""Why a mail could not be handed over, in a sentence for whoever runs FlowCRM."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from flowcrm.post.smtp import NotSent, Reason, Unsure

# Why a mail waits or was given up without a word of the server's.
LATE, KEYS, NOT_SET = "late", "keys", "not_set"

_SENTENCES: Mapping[str, str | Promise] = {
    LATE: gettext_lazy("For a day nothing took it out of the queue. Does a worker run?"),
    KEYS: gettext_lazy("What it says could not be opened: the keys are out of reach. “flowcrm doctor” says why."),
    NOT_SET: gettext_lazy("No mail server is set any more. Is SMTP_URL missing where the worker runs?"),
    Reason.NO_HOST: gettext_lazy("There is no host of that name. Is SMTP_URL right?"),
    Reason.REFUSED: gettext_lazy("Nothing listens at that port of the mail server. Are host and port right?"),
    Reason.UNREACHABLE: gettext_lazy("The mail server cannot be reached. Is there a firewall in between?"),
    Reason.TIMEOUT: gettext_lazy(
        "The mail server does not answer. Is there a firewall in between, or does it expect smtps://?"
    ),
    Reason.CUT: gettext_lazy("The mail server ended the connection before it took the email."),
    Reason.NO_TLS: gettext_lazy(
        "The mail server offers no STARTTLS, and mail does not travel in clear. Does it expect smtps://, or another port?"
    ),
    Reason.TLS: gettext_lazy("No TLS connection could be made. Does the mail server expect smtp:// instead of smtps://?"),
    Reason.CERTIFICATE: gettext_lazy(
        "The mail server's certificate cannot be trusted. Is the host's name in it? "
        "An authority of your own is named by SSL_CERT_FILE."
    ),
    Reason.NO_SIGN_IN: gettext_lazy("The mail server offers no sign-in that FlowCRM knows (CRAM-MD5, PLAIN, LOGIN)."),
    Reason.SIGN_IN: gettext_lazy("The mail server refused user and password."),
    Reason.SENDER: gettext_lazy("The mail server does not send for this sender. Is FLOWCRM_MAIL_FROM an address of yours?"),
    Reason.RECIPIENT: gettext_lazy("The mail server refused the recipient."),
    Reason.CONTENT: gettext_lazy("The mail server refused the email itself."),
    Reason.BUSY: gettext_lazy("The mail server cannot take emails just now."),
}


def sentence(error: NotSent) -> str:
    """What went wrong and what to look at, with the server's own words behind it."""
    text = why(error.reason)
    if isinstance(error, Unsure):
        text = _("The mail server ended the connection when it had the whole email: it may have taken it, or not.")
    return f"{text} {_('It says: %(words)s') % {'words': error.said}}" if error.said else text


def why(reason: str) -> str:
    """The same for a reason that was stored; a newer release's has no words here."""
    return str(_SENTENCES.get(reason) or _("The email could not be sent."))
