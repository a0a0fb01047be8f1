"""What several commands ask about the words they were given."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flowcrm.ops.errors import Refused
from flowcrm.store.db import router_rows


def account_id(name: str) -> int:
    """The workspace of an account's name, current or former; without a name, the only one. Raises Refused."""
    found = router_rows("SELECT slug, workspace_id, current FROM account_name ORDER BY slug")
    if name:
        for slug, workspace_id, _current in found:
            if slug == name.strip().lower():
                return int(workspace_id)
        raise Refused(f"There is no account {name}. See: flowcrm workspace list")
    workspaces = {int(workspace_id) for _slug, workspace_id, _current in found}
    if not workspaces:
        raise Refused("There is no account yet. Make one: flowcrm workspace create NAME")
    if len(workspaces) > 1:
        names = ", ".join(slug for slug, _workspace_id, current in found if current)
        raise Refused(f"There are several accounts; name one with --account: {names}")
    return workspaces.pop()


def time_zone_of(name: str) -> str:
    """The zone's name, if the machine knows it. Raises Refused."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError):
        raise Refused(f"There is no time zone {name}. It is written like Europe/Zurich.") from None
