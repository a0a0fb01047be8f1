"""The hourly tidying takes what nobody refers to, and nothing else."""

import os
import time
from pathlib import Path

import pytest
from django.conf import settings

from flowcrm.jobs.upkeep import collect_orphans, tidy
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.vaults import blob_store, vault
from flowcrm.vault.errors import BlobMissing
from tests.flow.acme import Team, letter

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


def _make_old(ref: str) -> None:
    """The object store keeps its own time, so an object ages by its file."""
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(Path(settings.BLOBS_URL.removeprefix("file://")) / ref, (two_days_ago, two_days_ago))


def test_an_object_without_a_row_goes_after_a_day_and_one_with_a_row_stays(team: Team) -> None:
    box = team.mailbox("all")
    box.deliver(letter("large", text="".join(f"{n} {hash(str(n))}\n" for n in range(9000))))
    box.rest()
    keys, store = vault(team.workspace_id), blob_store()
    orphan = store.put(keys, b"orphan-content-id", b"written before a crash")
    with workspace_scope(team.workspace_id):
        ((ref, content_id),) = rows("SELECT ref, h_content FROM blob WHERE ref IS NOT NULL")

    collect_orphans()
    assert store.open(keys, b"orphan-content-id", orphan) == b"written before a crash"
    for one in (orphan, ref):
        _make_old(one)
    collect_orphans()

    with pytest.raises(BlobMissing):
        store.open(keys, b"orphan-content-id", orphan)
    assert store.open(keys, bytes(content_id), ref)


def test_tidying_may_be_repeated() -> None:
    tidy()
    tidy()
