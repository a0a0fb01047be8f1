"""Undo: what was done last waits, sealed, in the person's session until he takes it back or an hour has passed."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

from flowcrm.lib import clock
from flowcrm.pages.http import MemberRequest
from flowcrm.store.vaults import vault
from flowcrm.vault.errors import SealBroken

# A message with this tag gets the button Undo (parts/toasts.html).
UNDO = "undo"

_SESSION = "undo"
_KIND = "undo"
_LIFE = timedelta(hours=1)


def remember(request: MemberRequest, object_id: int, value: dict[str, Any]) -> None:
    """Keep `value` for one undo. Sealed, since the session table stands outside the account's row-level security."""
    sealed = vault(request.workspace.id).seal(_KIND, object_id, json.dumps(value).encode())
    until = (clock.now() + _LIFE).isoformat()
    request.session[_SESSION] = {"id": object_id, "sealed": base64.b64encode(sealed).decode(), "until": until}


def take_back(request: MemberRequest) -> dict[str, Any] | None:
    """What was remembered last, once; None when there is nothing, it is too old, or it is another account's."""
    kept = request.session.pop(_SESSION, None)
    if kept is None or datetime.fromisoformat(kept["until"]) < clock.now():
        return None
    try:
        plain = vault(request.workspace.id).open(_KIND, kept["id"], base64.b64decode(kept["sealed"]))
    except SealBroken:
        return None
    value: dict[str, Any] = json.loads(plain)
    return value
