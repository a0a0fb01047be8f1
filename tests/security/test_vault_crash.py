"""A process that is killed while it stores large content: what is there opens whole, or is not there."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from flowcrm.lib import clock
from flowcrm.vault.blobs import BlobStore, blob_ref
from flowcrm.vault.keys import KeyStore

_STORE = """
import sys
from itertools import count
from pathlib import Path
from flowcrm.vault.blobs import BlobStore
from flowcrm.vault.keys import KeyStore

folder, size, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
vault, blobs = KeyStore(folder + "/keys").workspace(7), BlobStore(folder + "/blobs")
for number in count(first):
    content_id = number.to_bytes(16, "big")
    print("begin", number, flush=True)
    blobs.put(vault, content_id, content_id * (size // 16))
    print("put", number, flush=True)
"""


@pytest.mark.parametrize("size", [32_000, 12 * 1024 * 1024])
def test_a_kill_between_put_and_sync_never_leaves_a_torn_object_that_opens(tmp_path: Path, size: int) -> None:
    store = KeyStore(str(tmp_path / "keys"))
    store.create_workspace(7)
    vault, blobs = store.workspace(7), BlobStore(str(tmp_path / "blobs"))
    first, put = 1, set()
    for round_number in range(4):
        command = [sys.executable, "-c", _STORE, str(tmp_path), str(size), str(first)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert writer.stdout is not None
        # Killed right after it said that it begins: somewhere inside the write, a little later in each round.
        lines = [writer.stdout.readline() for _ in range(3 + 2 * round_number)]
        writer.kill()
        lines += writer.communicate()[0].splitlines()
        put |= {int(line.split()[1]) for line in lines if line.startswith("put")}
        first = max(int(line.split()[1]) for line in lines if line) + 1

    listed = {ref for _, refs in blobs.older_than(clock.now() + timedelta(hours=1)) for ref in refs}
    assert {blob_ref(7, number.to_bytes(16, "big")) for number in put} <= listed
    for number in range(1, first):
        content_id = number.to_bytes(16, "big")
        if blob_ref(7, content_id) in listed:
            assert blobs.open(vault, content_id, blob_ref(7, content_id)) == content_id * (size // 16)

    blobs.sweep_unfinished(clock.now() + timedelta(hours=1))
    files = {str(path.relative_to(tmp_path / "blobs")) for path in (tmp_path / "blobs").rglob("*") if path.is_file()}
    assert files == listed, "nothing half written stays behind"
