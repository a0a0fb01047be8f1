"""People as an email's reader calls them: himself "me", others by first name in a list and by full name where there is room."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from flowcrm.mail.types import Address, Role
from flowcrm.store.queries.threads import ThreadRow
from flowcrm.store.reveal import Head

# Names in a line of a list; the rest is a figure.
MOST_NAMES = 3

Own = frozenset[str]


def in_list(row: ThreadRow, head: Head, own: Own) -> str:
    """Who is in the conversation, as its newest email says: "Anna Berg", "Anna, me", "me → Anna", "Anna, Tom +4"."""
    writers, to = head.of(Role.FROM), (*head.of(Role.TO), *head.of(Role.CC), *head.of(Role.BCC))
    mine = any(one.email in own for one in writers)
    if row.ours and row.emails == 1:
        return f"{_joined(_short(one, own) for one in writers)} → {_joined(_short(one, own) for one in to)}"
    people = [*writers, *(to if mine or row.emails > 1 else ())]
    others = [one for one in people if one.email not in own]
    if len({one.email for one in others}) == 1 and not mine and not row.answered:
        return full(others[0])
    me = [_("me")]
    return _joined([*(me if mine else []), *(_short(one, own) for one in others), *(me if row.answered and not mine else [])])


def sender(head: Head) -> str:
    """Who wrote it, in full."""
    return ", ".join(full(one) for one in head.of(Role.FROM) or head.of(Role.SENDER)) or _("Unknown sender")


def readers(head: Head, own: Own) -> str:
    """Whom it went to, in short: "to me, Tom"."""
    people = (*head.of(Role.TO), *head.of(Role.CC))
    return _("to %(names)s") % {"names": _joined(_short(one, own) for one in people)} if people else ""


def full(one: Address) -> str:
    """A person's name, or the address where none was given."""
    return one.name.strip() or one.email or _("Unknown sender")


def with_address(people: Sequence[Address]) -> str:
    """Everybody with name and address, for the details."""
    return ", ".join(f"{one.name.strip()} <{one.email}>" if one.name.strip() else one.email for one in people)


def _short(one: Address, own: Own) -> str:
    if one.email in own:
        return _("me")
    last, comma, first = full(one).partition(",")
    name = (first if comma and first.strip() else last).strip()
    if "@" in name:
        return name.partition("@")[0]
    # Not "Dr." and not "J.", but what follows.
    return next((word for word in name.split() if not word.endswith(".")), name)


def _joined(names: Iterable[str]) -> str:
    known = list(dict.fromkeys(name for name in names if name))
    shown = ", ".join(known[:MOST_NAMES])
    return f"{shown} +{len(known) - MOST_NAMES}" if len(known) > MOST_NAMES else shown or _("nobody")
