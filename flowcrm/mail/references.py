"""Message-IDs and what names them: Message-ID, In-Reply-To, References (RFC 5322 section 3.6.4)."""

import re
from collections.abc import Iterable, Iterator

from flowcrm.mail.headers import characters

_IN_BRACKETS = re.compile(r"<([^<>]*)>")
_NOT_IN_ID = re.compile(r"[\s<>\x00-\x1f\x7f]+")
# The longest thread has a few hundred; what a mail names beyond that is an attack on the tables.
MOST = 500
_MOST_TEXT = 100_000
_LONGEST = 500


def own_id(value: bytes) -> str | None:
    """The Message-ID of a mail, without brackets, white space taken out; None where there is none.

    Ids without brackets, with two pairs, or without @ are ids all the same: they only have to be the same in every copy.
    """
    line = characters(value[:_MOST_TEXT])
    match = _IN_BRACKETS.search(line)
    found = _NOT_IN_ID.sub("", match[1] if match else line)[:_LONGEST]
    return found or None


def ids(values: Iterable[bytes], not_ids: Iterable[str] = ()) -> tuple[str, ...]:
    """The ids that References or In-Reply-To name, in order, each once.

    not_ids: addresses of people in the mail. Old mailers write `In-Reply-To: Your message of Monday. <id> from Joe <joe@x>`,
    and an address taken for an id would tie together all that Joe ever wrote.
    """
    people = {address.lower() for address in not_ids}
    found = dict.fromkeys(one for value in values for one in _ids(value) if one.lower() not in people)
    if len(found) <= MOST:
        return tuple(found)
    # The root and the nearest: those tie the thread.
    every = list(found)
    return (every[0], *every[-(MOST - 1) :])


def key(message_id: str) -> str:
    """The form in which ids are compared."""
    return message_id.casefold()


def _ids(value: bytes) -> Iterator[str]:
    line = characters(value[:_MOST_TEXT])
    bracketed = [_NOT_IN_ID.sub("", one) for one in _IN_BRACKETS.findall(line)]
    # Without brackets only what looks like an id counts: the rest is prose.
    candidates = bracketed or [_NOT_IN_ID.sub("", one.strip(",;\"'")) for one in line.split() if "@" in one]
    yield from (one for one in candidates if one and len(one) <= _LONGEST)
