"""The key store: where every workspace's keys live, apart from the mail that they open.

KEYS_URL is a folder (`file:///var/lib/flowcrm/keys` or a plain path), optionally with `?wrap=gcp-kms://…` or
`?wrap=aws-kms://…`: then a key service wraps every file. See docs/reference/keys.md.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flowcrm.lib import clock
from flowcrm.vault import keyfile
from flowcrm.vault.audit_heads import AuditHeads
from flowcrm.vault.errors import KeyMissing, KeyStoreRefused, KeyStoreUnavailable
from flowcrm.vault.keyfile import Keys
from flowcrm.vault.keyfolder import KeyFolder
from flowcrm.vault.keywrap import KeyWrap, wrap_for
from flowcrm.vault.opened import OpenedVaults, Stamp
from flowcrm.vault.seal import InstanceVault, WorkspaceVault

# Opened vaults that one process keeps. Each is a few KB; a worker seldom serves more accounts within half a minute.
_ROOM = 256
_RECHECK_AFTER = 30.0
# An owner of keys: a workspace by its id, or the installation itself.
_Owner = int | None
_INSTANCE = None
_WORKSPACE_FILE = re.compile(r"workspace-(\d+)\.keys")


class KeyStore:
    """Opens vaults, makes, changes and destroys keys. Safe for threads and for several processes on one folder.

    All methods raise KeyStoreUnavailable when the store or its key service does not answer (KeyStoreRefused when an operator
    must act), and, where keys must be there, KeyMissing (KeysDestroyed when they were destroyed on purpose).
    recheck_after: seconds for which an opened vault is handed out without looking at its file again.
    """

    def __init__(self, url: str, *, recheck_after: float = _RECHECK_AFTER, wrap: KeyWrap | None = None) -> None:
        path, wrap_uri = parse_keys_url(url)
        self._folder = KeyFolder(path)
        self.audit_heads = AuditHeads(self._folder)
        self._wrap = wrap or wrap_for(wrap_uri)
        self._workspaces = OpenedVaults[WorkspaceVault](room=_ROOM, recheck_after=recheck_after)
        self._instances = OpenedVaults[InstanceVault](room=1, recheck_after=recheck_after)

    def workspace(self, workspace_id: int) -> WorkspaceVault:
        """The opened keys of a workspace."""
        return self._workspaces.get(
            workspace_id,
            stamp=lambda: self._stamp(workspace_id),
            load=lambda: WorkspaceVault(workspace_id, self._read(workspace_id)),
        )

    def instance(self) -> InstanceVault:
        """The opened keys of the installation."""
        return self._instances.get(
            _INSTANCE, stamp=lambda: self._stamp(_INSTANCE), load=lambda: InstanceVault(self._read(_INSTANCE))
        )

    def create_workspace(self, workspace_id: int) -> None:
        """Make the keys of a new workspace, durably. Nothing happens where they are there already (another process won)."""
        if workspace_id < 1:
            raise ValueError("a workspace id is a positive number")
        self._create(workspace_id)

    def create_instance(self) -> None:
        """Make the installation's own keys, if they are not there. Set-up calls this; nothing else makes them, since new keys
        in the place of lost ones would hide the loss."""
        self._create(_INSTANCE)

    def change_workspace(self, workspace_id: int, change: Callable[[Keys], Keys]) -> None:
        """Replace a workspace's keys by what `change` makes of them (see rotate.py), durably."""
        self._change(workspace_id, change)
        self._workspaces.forget(workspace_id)

    def change_instance(self, change: Callable[[Keys], Keys]) -> None:
        """The same for the installation's own keys."""
        self._change(_INSTANCE, change)
        self._instances.forget(_INSTANCE)

    def destroy_workspace(self, workspace_id: int) -> None:
        """Destroy a workspace's keys: its sealed content and look-ups mean nothing from now on, except in processes that hold
        the vault open, and there for the recheck time at most. A tombstone stays. Nothing happens where none were."""
        name, grave = _file(workspace_id), keyfile.tombstone(owner=_title(workspace_id), destroyed_at=clock.now())
        with self._folder.changing(), suppress(FileNotFoundError):
            # The first tombstone stays: it says when.
            if not keyfile.is_tombstone(self._folder.read(name)):
                self._folder.overwrite(name, grave)
        self._workspaces.forget(workspace_id)

    def workspace_ids(self) -> list[int]:
        """Every workspace that has a key file (tombstones included), ascending."""
        try:
            names = self._folder.names()
        except FileNotFoundError:
            raise self._away() from None
        return sorted(int(found[1]) for name in names if (found := _WORKSPACE_FILE.fullmatch(name)))

    def _create(self, owner: _Owner) -> None:
        with self._folder.changing():
            try:
                self._folder.stamp(_file(owner))
            except FileNotFoundError:
                self._write(owner, keyfile.new_keys())
                return
        # What is there must be usable: a tombstone or a damaged file is an error here, not at the first mail.
        self._read(owner)

    def _change(self, owner: _Owner, change: Callable[[Keys], Keys]) -> None:
        with self._folder.changing():
            self._write(owner, change(self._read(owner)))

    def _write(self, owner: _Owner, keys: Keys) -> None:
        self._folder.write(_file(owner), keyfile.to_file(keys, owner=_title(owner), wrap=self._wrap))

    def _read(self, owner: _Owner) -> Keys:
        try:
            raw = self._folder.read(_file(owner))
        except FileNotFoundError:
            raise self._missing(owner) from None
        return keyfile.from_file(raw, owner=_title(owner), wrap=self._wrap)

    def _stamp(self, owner: _Owner) -> Stamp:
        try:
            return self._folder.stamp(_file(owner))
        except FileNotFoundError:
            raise self._missing(owner) from None

    def _missing(self, owner: _Owner) -> KeyMissing | KeyStoreUnavailable:
        if not self._folder.path.is_dir():
            # A volume that is not mounted must not look like lost keys.
            return self._away()
        return KeyMissing(
            f"The keys of {_title(owner)} are not in the key store at {self._folder.path}. "
            "Restore the key store's backup, or correct KEYS_URL if the keys lie elsewhere."
        )

    def _away(self) -> KeyStoreUnavailable:
        return KeyStoreUnavailable(f"There is no key store at {self._folder.path}. Mount it, or correct KEYS_URL.")


def parse_keys_url(url: str) -> tuple[Path, str | None]:
    """The folder and the key service (None: plain files) that a KEYS_URL names. Raises KeyStoreRefused."""
    place, _, wrap_uri = url.partition("?wrap=")
    if place.startswith("file:"):
        parts = urlsplit(place)
        if parts.netloc not in ("", "localhost"):
            raise KeyStoreRefused(f"KEYS_URL names the host '{parts.netloc}'; a folder is written file:///path.")
        place = unquote(parts.path)
    if "://" in place or not place:
        raise KeyStoreRefused("KEYS_URL must be a folder (a path or file:///path), with ?wrap=… for a key service.")
    return Path(place), unquote(wrap_uri) or None


def _title(owner: _Owner) -> str:
    return "this installation" if owner == _INSTANCE else f"account {owner}"


def _file(owner: _Owner) -> str:
    return "instance.keys" if owner == _INSTANCE else f"workspace-{owner}.keys"
