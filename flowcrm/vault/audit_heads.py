"""How far each account's audit chain has come, written down beside the keys and so outside of the database.

A chain alone cannot show that its end was cut off: what is left is a shorter chain that holds. What stands here is a lower
bound: it is written after the database has committed, so a crash in between leaves it one batch behind, never ahead.
"""

import base64
import json
from dataclasses import dataclass

from flowcrm.vault.errors import KeyStoreRefused
from flowcrm.vault.keyfolder import KeyFolder


@dataclass(frozen=True, slots=True)
class AuditHead:
    """A batch that was closed: its number in its account's chain, and its MAC."""

    number: int
    mac: bytes


class AuditHeads:
    """One small file for each account. Methods raise KeyStoreUnavailable, KeyStoreRefused where a file is damaged."""

    def __init__(self, folder: KeyFolder) -> None:
        self._folder = folder

    def read(self, workspace_id: int) -> AuditHead | None:
        """The newest batch that is known to have been closed; None where none is, or where an operator took the file away."""
        try:
            raw = self._folder.read(_file(workspace_id))
        except FileNotFoundError:
            return None
        try:
            known = json.loads(raw)
            return AuditHead(int(known["number"]), base64.b64decode(known["mac"], validate=True))
        except (ValueError, KeyError, TypeError):
            raise KeyStoreRefused(
                f"{_file(workspace_id)} in the key store is damaged. Restore it; see docs/reference/audit.md."
            ) from None

    def advance(self, workspace_id: int, known: AuditHead | None, head: AuditHead) -> None:
        """Put `head` in the place of `known`, durably. Nothing happens where another process was faster."""
        content = {"format": 1, "number": head.number, "mac": base64.b64encode(head.mac).decode()}
        with self._folder.changing():
            if self.read(workspace_id) == known:
                self._folder.write(_file(workspace_id), json.dumps(content).encode())


def _file(workspace_id: int) -> str:
    return f"workspace-{workspace_id}.audit"
