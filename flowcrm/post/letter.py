"""What FlowCRM sends, as bytes: plain text and the same as simple HTML, marked as written by a program (RFC 3834), so that no
answering machine answers it."""

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid

from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from flowcrm.lib import clock
from flowcrm.post.server import Server, wire_address

_NAME = "FlowCRM"
# Most programs cut a subject there.
_SUBJECT_AT_MOST = 120
# Folding puts a long subject, or the address that ends these, on a line of its own below the header's name, which old filters
# take for an empty header. Encoded words must be short (RFC 2047), and with them the lines.
_UNFOLDED = SMTP.clone(max_line_length=300)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail in words. button: what a link says, and where it leads. foot: why somebody gets this. list_name: which of our
    mails this is, for filters ("notices"). stop: the address that ends these, by one press (RFC 8058)."""

    subject: str
    lines: tuple[str, ...]
    button: tuple[str, str] | None = None
    foot: tuple[str, ...] = ()
    list_name: str = "flowcrm"
    stop: str = ""


def mail_bytes(letter: Letter, server: Server, to: str) -> bytes:
    """The mail for one recipient, with CR LF. Raises ValueError for an address that no mail goes to."""
    domain = server.sender.rpartition("@")[2]
    subject = " ".join(letter.subject.split())[:_SUBJECT_AT_MOST]
    mail = EmailMessage(_UNFOLDED if subject.isascii() else SMTP)
    mail["From"] = Address(_NAME, addr_spec=server.sender)
    mail["To"] = Address(addr_spec=wire_address(to))
    mail["Subject"] = subject
    mail["Date"] = clock.now()
    mail["Message-ID"] = make_msgid(domain=domain)
    mail["Auto-Submitted"] = "auto-generated"
    # Exchange looks at this one instead: https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcmail
    mail["X-Auto-Response-Suppress"] = "All"
    mail["List-Id"] = f"{_NAME} <{letter.list_name}.{domain}>"
    if letter.stop:
        mail["List-Unsubscribe"] = f"<{letter.stop}>"
        if letter.stop.startswith("https://"):
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(_text(letter), cte="quoted-printable")
    mail.add_alternative(_html(letter), subtype="html", cte="quoted-printable")
    return mail.as_bytes()


def _text(letter: Letter) -> str:
    parts = list(letter.lines)
    if letter.button:
        parts.append(f"{letter.button[0]}:\n{letter.button[1]}")
    foot = [*letter.foot, *([_("No more of these: %(address)s") % {"address": letter.stop}] if letter.stop else [])]
    return "\n\n".join([*parts, *(["-- \n" + "\n".join(foot)] if foot else [])]) + "\n"


def _html(letter: Letter) -> str:
    body = format_html_join("", "<p>{}</p>", ((line,) for line in letter.lines))
    if letter.button:
        text, address = letter.button
        body += format_html('<p><a href="{}"><strong>{}</strong></a></p><p>{}</p>', address, text, address)
    foot = format_html_join("", "{}<br>", ((line,) for line in letter.foot))
    if letter.stop:
        foot += format_html('<a href="{}">{}</a>', letter.stop, _("No more of these"))
    return str(
        format_html(
            '<!doctype html><html><head><meta charset="utf-8"><title>{}</title></head>'
            '<body style="font-family: sans-serif; line-height: 1.5; max-width: 36em">{}{}</body></html>',
            letter.subject,
            body,
            format_html("<hr><p><small>{}</small></p>", foot) if foot else "",
        )
    )
