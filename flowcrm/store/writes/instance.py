"""Settings of the whole installation (a provider's registration, for instance), sealed with the instance's key."""

import json
from typing import Any

from flowcrm.lib import clock
from flowcrm.store.db import next_id, row, run
from flowcrm.store.vaults import instance_vault

_KIND = "instance_setting"


def do_instance_setting(*, key: str, value: dict[str, Any]) -> None:
    """Store one setting, replacing the former."""
    seal_id = next_id()
    run(
        """INSERT INTO instance_setting (key, seal_id, s_value, updated_at) VALUES (%s, %s, %s, %s)
           ON CONFLICT (key) DO UPDATE
           SET seal_id = EXCLUDED.seal_id, s_value = EXCLUDED.s_value, updated_at = EXCLUDED.updated_at""",
        [key, seal_id, instance_vault().seal(_KIND, seal_id, json.dumps(value).encode()), clock.now()],
    )


def instance_setting(key: str) -> dict[str, Any] | None:
    """One setting, opened; None where nobody has set it."""
    found = row("SELECT seal_id, s_value FROM instance_setting WHERE key = %s", [key])
    if found is None:
        return None
    value: dict[str, Any] = json.loads(instance_vault().open(_KIND, found[0], bytes(found[1])))
    return value
