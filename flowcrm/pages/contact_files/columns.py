"""What the columns of a file are: recognised by their headings, as our own export and the usual programs write them."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from flowcrm.store.sorting import sort_key

NAME: Final = "name"
FIRST: Final = "first"
LAST: Final = "last"
EMAIL: Final = "email"

# What a column can be; "" is not imported.
FIELDS: Mapping[str, str | Promise] = {
    NAME: _("Name"),
    FIRST: _("First name"),
    LAST: _("Last name"),
    EMAIL: _("Email address"),
    "company": _("Company"),
    "title": _("Job title"),
    "phone": _("Phone"),
    "note": _("Note"),
}

_HEADINGS: Mapping[str, str] = {
    heading: field
    for field, headings in {
        NAME: ("name", "full name", "display name", "contact", "contact name", "person", "person name"),
        FIRST: ("first name", "firstname", "given name", "forename", "person first name", "vorname", "prenom", "nombre"),
        LAST: ("last name", "lastname", "family name", "surname", "person last name", "nachname", "apellidos"),
        "company": (
            *("company", "company name", "organization", "organisation", "organization name", "organization 1 name"),
            *("account", "account name", "associated company", "employer", "firma", "unternehmen", "societe", "empresa"),
        ),
        "title": (
            *("job title", "title", "position", "role", "organization title", "organization 1 title", "person job title"),
            *("funktion", "poste", "cargo"),
        ),
        "phone": (
            *("phone", "phone number", "telephone", "work phone", "business phone", "company phone", "primary phone"),
            *("phone 1 value", "mobile", "mobile phone", "mobile phone number", "phone work", "person phone", "cell phone"),
            *("home phone", "telefon", "telefon geschaftlich", "telefono"),
        ),
        "note": ("note", "notes", "comment", "comments", "description", "notizen", "remarques", "notas"),
    }.items()
    for heading in headings
}
# "Email 2", "Email 1 - Value", "Work email", "Primary email address"; not "Email 1 - Type", nor "Email display name".
_EMAIL = re.compile(
    r"((primary|secondary|additional|other|work|business|home|personal|private|person) )?e ?mails?( \d{1,2})?"
    r"( address(es)?| adresse)?( \d{1,2})?( (work|home|other|value))?"
)
_NO_WORD = re.compile(r"[\W_]+")


def guess(heading: str) -> str:
    """The field that a column of that heading is, "" where it is none that we know."""
    words = " ".join(_NO_WORD.sub(" ", sort_key(heading)).split())
    return EMAIL if _EMAIL.fullmatch(words) else _HEADINGS.get(words, "")


def is_known(heading: str) -> bool:
    """Is that the heading of a column that becomes part of a contact?"""
    return bool(guess(heading))


def guess_all(headings: Sequence[str]) -> tuple[str, ...]:
    """A field for each column; only email addresses may stand in several."""
    fields: list[str] = []
    for heading in headings:
        field = guess(heading)
        fields.append("" if field != EMAIL and field in fields else field)
    return tuple(fields)
