"""Which labels and folders keep email out by their name: "No-CRM", however it is written (claim K31)."""

import re
from collections.abc import Iterable

from flowcrm.mail.types import Folder, FolderRole

_FORGIVEN = re.compile(r"[\s_\-\u2010-\u2015]+")
_NAME = "nocrm"


def is_no_crm(name: str) -> bool:
    """Is this No-CRM, or does it lie below it? Case, spaces, underscores and hyphens are forgiven; "/" parts a nested label."""
    return any(_FORGIVEN.sub("", part).casefold() == _NAME for part in name.split("/"))


def excluded_ids(folders: Iterable[Folder]) -> frozenset[str]:
    """Ids of the folders that keep out what lies in them. What the provider made itself is never one."""
    return frozenset(one.provider_id for one in folders if one.role is FolderRole.LABEL and is_no_crm(one.name))
