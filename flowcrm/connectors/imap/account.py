"""Whose mailbox it is, and what folders it has."""

from flowcrm.connectors.imap.folders import UNFINISHED
from flowcrm.connectors.imap.mails import Reader
from flowcrm.mail.types import Account, Folder


def account(reader: Reader) -> Account:
    """IMAP tells nobody's address: it is what the owner said. The figure counts what would be listed."""
    settings = reader.api.settings
    names = [one.name for one in reader.places().values() if one.role not in UNFINISHED]
    total = sum(status.messages for status in reader.api.statuses(names).values())
    own = (settings.address, *settings.aliases)
    return Account(address=settings.address, identities=tuple(dict.fromkeys(own)), messages_total=total)


def folders(reader: Reader) -> tuple[Folder, ...]:
    """Every folder that can be opened, but those that only show what lies in others."""
    return tuple(Folder(one.id, one.shown, one.role) for one in reader.places().values())
