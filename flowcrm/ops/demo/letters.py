"""An email before it is bytes: who writes what to whom, and what the reader sees."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from flowcrm.ops.demo.people import Company, Person
from flowcrm.ops.demo.scripts import Manner


@dataclass(frozen=True, slots=True)
class Party:
    """A person at one of his or her addresses."""

    person: Person
    address: str
    company: Company | None = None

    @property
    def name(self) -> str:
        return self.person.name

    @property
    def zone(self) -> ZoneInfo:
        return self.person.zone

    @property
    def domain(self) -> str:
        return self.address.partition("@")[2]


@dataclass(frozen=True, slots=True)
class File:
    """An attachment. content_id: it is shown inside the HTML under this id."""

    name: str
    type: str
    content: bytes = field(repr=False)
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Own:
    """What the writer adds to what is quoted. A paragraph whose lines all begin with "- " is a list.

    pictures: content ids of what is shown below the text; logo: the content id of what is shown in the signature.
    """

    paragraphs: tuple[str, ...]
    language: str
    signature: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    logo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One email. text, html: all of it, quotes included (html: what belongs inside the body, empty for plain text).

    parent: what it answers. headers: fields that only this kind of email has. calendar: an iCalendar object.
    """

    sender: Party
    to: tuple[Party, ...]
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    subject: str
    at: datetime
    message_id: str
    own: Own
    text: str
    html: str = ""
    parent: "Letter | None" = None
    files: tuple[File, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    calendar: str = ""
    manner: Manner = Manner.REPLY

    @property
    def references(self) -> tuple[str, ...]:
        """The ids of everything that led here, oldest first (RFC 5322, 3.6.4)."""
        return tuple(reversed([letter.message_id for letter in _line(self.parent)]))


def _line(letter: Letter | None) -> Iterator[Letter]:
    while letter is not None:
        yield letter
        letter = letter.parent
