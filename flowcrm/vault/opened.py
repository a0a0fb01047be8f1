"""A bounded cache of opened vaults that notices when the key file behind one changed or went away."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from flowcrm.lib import clock

V = TypeVar("V")
# What tells two versions of a key file apart: time of change (ns), inode, size.
Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    vault: V
    stamp: Stamp
    checked_at: float


class OpenedVaults(Generic[V]):
    """At most `room` opened vaults by the id of their workspace (None: the installation's); the longest unused goes first.

    Thread-safe. A vault is handed out for `recheck_after` seconds without a look at its file; then that must still be the same.
    """

    def __init__(self, *, room: int, recheck_after: float) -> None:
        self._room = room
        self._recheck_after = recheck_after
        self._entries: OrderedDict[int | None, _Entry[V]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, owner: int | None, *, stamp: Callable[[], Stamp], load: Callable[[], V]) -> V:
        """The vault, opened now if it is not here or its file changed. What `stamp` and `load` raise passes through."""
        entry = self._fresh(owner)
        if entry is not None and clock.monotonic() - entry.checked_at < self._recheck_after:
            return entry.vault
        # Outside the lock: a key service may take its time, and opening the same keys twice harms nobody. The stamp is taken
        # before the file is read, so that a change in between is found at the next check.
        checked_at = clock.monotonic()
        try:
            current = stamp()
            vault = entry.vault if entry is not None and entry.stamp == current else load()
        except Exception:
            self.forget(owner)
            raise
        self._remember(owner, _Entry(vault, current, checked_at))
        return vault

    def forget(self, owner: int | None) -> None:
        """Close the vault: the next `get` reads its file."""
        with self._lock:
            self._entries.pop(owner, None)

    def _fresh(self, owner: int | None) -> _Entry[V] | None:
        with self._lock:
            entry = self._entries.get(owner)
            if entry is not None:
                self._entries.move_to_end(owner)
            return entry

    def _remember(self, owner: int | None, entry: _Entry[V]) -> None:
        with self._lock:
            self._entries[owner] = entry
            self._entries.move_to_end(owner)
            while len(self._entries) > self._room:
                self._entries.popitem(last=False)
