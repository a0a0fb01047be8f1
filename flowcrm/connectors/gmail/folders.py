"""Labels, which FlowCRM calls folders, and whose mailbox it is.

users.labels.list, users.getProfile, users.settings.sendAs.list
"""

from collections.abc import Iterable
from typing import Any

from flowcrm.connectors.gmail.api import Api
from flowcrm.connectors.gmail.errors import unreadable
from flowcrm.mail.addresses import normalise
from flowcrm.mail.types import Account, Folder, FolderRole

# Ids of Gmail's own labels are the same in every language, their names are not.
_ROLES = {
    "INBOX": FolderRole.INBOX,
    "SENT": FolderRole.SENT,
    "DRAFT": FolderRole.DRAFTS,
    "SPAM": FolderRole.SPAM,
    "TRASH": FolderRole.TRASH,
}

# A label to Gmail, a flag of the mail to everybody else.
UNREAD = "UNREAD"


def account(api: Api) -> Account:
    """The owner and every address that he sends as. An address that Gmail has not verified yet is not his."""
    profile = api.ask("getProfile", "profile")
    address = profile.get("emailAddress")
    if not isinstance(address, str):
        raise unreadable("no_address")
    aliases = api.ask("settings.sendAs.list", "settings/sendAs").get("sendAs", [])
    verified = (alias["sendAsEmail"] for alias in aliases if _is_verified(alias))
    own = normalise(address)
    return Account(
        address=own,
        identities=tuple(dict.fromkeys([own, *map(normalise, verified)])),
        messages_total=profile.get("messagesTotal"),
    )


def _is_verified(alias: dict[str, Any]) -> bool:
    return bool(alias.get("isPrimary")) or alias.get("verificationStatus") == "accepted"


def folders(api: Api) -> tuple[Folder, ...]:
    """Every label but UNREAD."""
    labels = api.ask("labels.list", "labels").get("labels", [])
    return tuple(_folder(label) for label in labels if label.get("id") != UNREAD)


def _folder(label: dict[str, Any]) -> Folder:
    label_id = str(label["id"])
    other = FolderRole.SYSTEM if label.get("type") == "system" else FolderRole.LABEL
    return Folder(provider_id=label_id, name=str(label.get("name") or label_id), role=_ROLES.get(label_id, other))


def split_labels(labels: Iterable[str]) -> tuple[frozenset[str], bool]:
    """(folder ids, unread) of a mail with these labels."""
    ids = frozenset(labels)
    return ids - {UNREAD}, UNREAD in ids
