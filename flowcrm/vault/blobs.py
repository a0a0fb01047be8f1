"""Large content in an object store: a folder by default, S3, Google Cloud Storage or Azure by URL. Nothing lies there in clear.

An object's place is `<workspace>/<2 hex>/<content id hex>`; the content id is a keyed hash, so the place tells nothing.
"""

import errno
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from flowcrm.lib import clock
from flowcrm.vault.content import PIECE, opened_pieces, sealed_pieces
from flowcrm.vault.durable import Unsynced, can_sync_whole
from flowcrm.vault.errors import BlobMissing, BlobStoreFull, BlobStoreUnavailable, VaultError
from flowcrm.vault.seal import WorkspaceVault

_SERVICES = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss")
# Up to here an object goes out in one request; above, in parts of 5 MB (the least that S3 takes), two on their way at a time.
_ONE_REQUEST = 4 * 1024 * 1024
_PART = 5 * 1024 * 1024
_PARTS_UNDERWAY = 2
_REF = re.compile(r"\d+/[0-9a-f]{2}/[0-9a-f]+")
_LISTED_AT_ONCE = 1000
# What a killed write leaves in a folder (durable.py): the object's name, # and a number. obstore never lists those.
_UNFINISHED = re.compile(r".*#\d+")
# No room: disk, quota, or the process's own limit on a file's size.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class BlobStore:
    """Puts, syncs, opens and deletes objects. Safe for threads; several processes may share one store.

    Raises BlobStoreFull, BlobStoreUnavailable, BlobMissing, and SealBroken for what does not open. Never retries: that is the
    job's policy. allow_http: an object store of this machine may be spoken to without TLS.
    """

    def __init__(self, url: str, *, allow_http: bool = False) -> None:
        self._folder = _folder_of(url)
        self._where = str(self._folder or url)
        with self._plain_errors():
            if self._folder is None:
                self._store: ObjectStore = _service(url, allow_http=allow_http)
            else:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._store = LocalStore(self._folder)
                self._sync_whole = can_sync_whole(self._folder)
        self._of_thread = threading.local()

    def put(self, vault: WorkspaceVault, content_id: bytes, plain: bytes | memoryview) -> str:
        """Store content under its id and say where. In a folder it is only safe after `sync`.

        Putting the same content again is harmless, and always writes: what is there may be torn by a power cut, or old enough
        for the collector of orphans to take it away. In a folder it stays as it is until `sync`: others may rely on it.
        """
        ref = blob_ref(vault.workspace_id, content_id)
        pieces = sealed_pieces(vault, content_id, plain)
        with self._plain_errors():
            if self._folder is not None:
                self._unsynced(self._folder).write(ref, pieces)
            elif len(plain) <= _ONE_REQUEST:
                obstore.put(self._store, ref, b"".join(pieces), use_multipart=False)
            else:
                obstore.put(self._store, ref, pieces, chunk_size=_PART, max_concurrency=_PARTS_UNDERWAY)
        return ref

    def sync(self) -> None:
        """Return when everything that this thread put is safe from a power cut: one wait for a whole page of mail.
        Where it raises, all of that must be put again."""
        waiting: Unsynced | None = getattr(self._of_thread, "unsynced", None)
        if waiting is not None:
            self._of_thread.unsynced = None
            with self._plain_errors():
                waiting.sync()

    def open(self, vault: WorkspaceVault, content_id: bytes, ref: str) -> bytes:
        """The whole content. content_id is what `put` was given (the hex at the end of the ref), also where the look-up
        generation has changed since."""
        return b"".join(self.stream(vault, content_id, ref))

    def stream(self, vault: WorkspaceVault, content_id: bytes, ref: str) -> Iterator[bytes]:
        """The content in pieces of at most 256 KB. Whoever passes pieces on must break off where SealBroken comes later."""
        with self._plain_errors():
            sealed = obstore.get(self._store, ref).stream(min_chunk_size=PIECE)
            yield from opened_pieces(vault, content_id, sealed)

    def delete(self, ref: str) -> None:
        """Remove an object. Nothing happens where it is gone already."""
        try:
            with self._plain_errors():
                obstore.delete(self._store, ref)
        except BlobMissing:
            pass

    def older_than(self, before: datetime, *, workspace_id: int | None = None) -> Iterator[tuple[int, list[str]]]:
        """What was put before then (in one workspace), by workspace, up to a thousand refs at a time: candidates for the
        collector of orphans. Files that are not ours are never among them."""
        below = None if workspace_id is None else str(workspace_id)
        cut = _stores_time(before)
        with self._plain_errors():
            for page in obstore.list(self._store, prefix=below, chunk_size=_LISTED_AT_ONCE):
                refs = sorted(one["path"] for one in page if one["last_modified"] < cut and _REF.fullmatch(one["path"]))
                for workspace, of_workspace in groupby(refs, key=_workspace_of):
                    yield workspace, list(of_workspace)

    def delete_if_older(self, ref: str, before: datetime) -> bool:
        """Remove an orphan, unless it was put again meanwhile. Says whether it is gone."""
        try:
            with self._plain_errors():
                if obstore.head(self._store, ref)["last_modified"] >= _stores_time(before):
                    return False
        except BlobMissing:
            return True
        self.delete(ref)
        return True

    def sweep_unfinished(self, before: datetime) -> int:
        """Remove what writes killed before then left in a folder store; how many. (Object stores do it by a bucket rule.)"""
        if self._folder is None:
            return 0
        cut = _stores_time(before).timestamp()
        swept = 0
        with self._plain_errors():
            for path in self._folder.glob("*/*/*#*"):
                if _UNFINISHED.fullmatch(path.name) and path.stat().st_mtime < cut:
                    path.unlink()
                    swept += 1
        return swept

    def _unsynced(self, folder: Path) -> Unsynced:
        waiting: Unsynced | None = getattr(self._of_thread, "unsynced", None)
        if waiting is None:
            waiting = self._of_thread.unsynced = Unsynced(folder, whole=self._sync_whole)
        return waiting

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            raise _problem(error, self._where) from error


def blob_ref(workspace_id: int, content_id: bytes) -> str:
    """Where an object lies. The two hex digits keep folders small."""
    name = content_id.hex()
    return f"{workspace_id}/{name[:2]}/{name}"


def _folder_of(url: str) -> Path | None:
    """The folder that BLOBS_URL names (`file:///path` or a plain path); None: an object store."""
    if url.startswith("file:"):
        return Path(unquote(urlsplit(url).path))
    if "://" not in url and url:
        return Path(url)
    if urlsplit(url).scheme in _SERVICES:
        return None
    raise BlobStoreUnavailable("BLOBS_URL must be a folder (a path or file:///path), s3://…, gs://… or az://….")


def _service(url: str, *, allow_http: bool) -> ObjectStore:
    # The library would retry for three minutes by itself, and end a slow download after 30 seconds. Credentials and endpoints
    # are the vendor's usual environment variables (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, GOOGLE_SERVICE_ACCOUNT, AZURE_…).
    return from_url(
        url,
        retry_config={"max_retries": 0},
        client_options={"allow_http": allow_http, "connect_timeout": "10s", "read_timeout": "60s", "timeout": "1h"},
    )


def _workspace_of(ref: str) -> int:
    return int(ref.partition("/")[0])


def _stores_time(moment: datetime) -> datetime:
    # Objects are stamped by the store's clock, which nobody moves: a demo that lives a day in a second must not make them old.
    return moment - timedelta(seconds=clock.offset())


def _problem(error: BaseError | OSError, where: str) -> VaultError:
    text = str(error).partition("\n")[0]
    if isinstance(error, FileNotFoundError):
        return BlobMissing(f"The object store at {where} does not have it: {text}")
    if isinstance(error, OSError) and error.errno in _FULL:
        return BlobStoreFull(f"There is no room left in the object store at {where}. Make room; nothing is lost meanwhile.")
    return BlobStoreUnavailable(f"The object store at {where} cannot be used right now: {text}")
