"""What lies in a mailbox at the stand-in: one conversation with everything that a thread can show, and mail around it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from flowcrm.lib import clock
from standins.google.client import Delivery

CARLA = "carla.stein@nordlicht.example"
SUBJECT = "Revised quote for the Rostock hub"
QUESTION = "Could you hold the January prices until March?"
ANSWER = "Yes, if the first delivery moves to March."
THANKS = "Thanks, the volume tiers work for us."
SIGNATURE = "Carla Stein, Head of Operations"
FILE_NAME = "Delivery windows.pdf"
FILE = b"%PDF-1.4\n" + bytes(range(256)) * 40
_DOMAIN = "nordlicht.example"

_LONG = f"<html><body><p>{QUESTION}</p>{'<p>One more line about the hub.</p>' * 40}</body></html>"
_FORMATTED = f"""<html><body><p>{THANKS}</p><p>Two questions on the <b>delivery windows</b>.</p>
<img src="https://pictures.nordlicht.example/logo.png" width="120" height="40" alt="Nordlicht">
<div class="gmail_signature">{SIGNATURE}</div>
<div class="gmail_quote"><div class="gmail_attr">On Tuesday somebody wrote:</div>
<blockquote class="gmail_quote">{ANSWER}</blockquote></div></body></html>"""


@dataclass(frozen=True)
class Conversation:
    """Oldest first: her question, long and formatted; our answer, hers quoted; her thanks, formatted, a file, ours quoted."""

    question: Delivery
    answer: Delivery
    thanks: Delivery

    def __iter__(self) -> Iterator[Delivery]:
        return iter((self.question, self.answer, self.thanks))


def conversation(owner: str, *, other: str = CARLA, subject: str = SUBJECT, hours: int = 3) -> Conversation:
    """Between the mailbox's owner and `other`; the last of them so many hours ago."""
    now = clock.now() - timedelta(hours=hours)
    question = _mail(other, owner, subject, now - timedelta(days=3))
    question.set_content(f"Hello,\n\n{QUESTION}\n\nCarla\n")
    question.add_alternative(_LONG, subtype="html")
    answer = _mail(owner, other, f"Re: {subject}", now - timedelta(days=2), answers=question)
    answer.set_content(f"Hello Carla,\n\n{ANSWER}\n\nOn Monday Carla Stein wrote:\n> Hello,\n>\n> {QUESTION}\n>\n> Carla\n")
    thanks = _mail(other, owner, f"Re: {subject}", now, answers=answer)
    thanks.set_content(f"{THANKS}\n\n{SIGNATURE}\n")
    thanks.add_alternative(_FORMATTED, subtype="html")
    thanks.add_attachment(FILE, maintype="application", subtype="pdf", filename=FILE_NAME)
    return Conversation(
        _delivery(question, now - timedelta(days=3)),
        _delivery(answer, now - timedelta(days=2), "SENT"),
        _delivery(thanks, now, "INBOX", "UNREAD"),
    )


def notes(owner: str, count: int, *, sender: str = f"orders@{_DOMAIN}") -> list[Delivery]:
    """Single plain mails of the last weeks, each about something else."""
    return [note(owner, f"Order {7000 + number}", sender=sender, hours=24 + number) for number in range(count)]


def note(owner: str, subject: str, *, sender: str = CARLA, hours: int = 1) -> Delivery:
    """One plain mail."""
    at = clock.now() - timedelta(hours=hours)
    mail = _mail(sender, owner, subject, at)
    mail.set_content(f"About {subject}: everything is on its way.\n")
    return _delivery(mail, at, "INBOX")


def _mail(sender: str, to: str, subject: str, at: datetime, *, answers: EmailMessage | None = None) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Date"] = sender, to, subject, format_datetime(at)
    mail["Message-ID"] = make_msgid(domain=_DOMAIN)
    if answers is not None:
        mail["In-Reply-To"] = answers["Message-ID"]
        mail["References"] = f"{answers['References'] or ''} {answers['Message-ID']}".strip()
    return mail


def _delivery(mail: EmailMessage, at: datetime, *labels: str) -> Delivery:
    return Delivery(mail.as_bytes(), labels or ("INBOX",), int(at.timestamp() * 1000))
