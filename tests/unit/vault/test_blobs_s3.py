"""vault.blobs on an object store over the network, which here is a small S3 of the test's own."""

import os
from collections.abc import Iterator

import pytest

from flowcrm.lib import clock
from flowcrm.vault.blobs import BlobStore
from flowcrm.vault.errors import BlobMissing, BlobStoreUnavailable
from flowcrm.vault.seal import WorkspaceVault
from tests.unit.vault.conftest import ANNAS
from tests.unit.vault.s3_server import Bucket, s3_server

ID = bytes(range(16))
MEGABYTE = 1024 * 1024
REF = "7/00/000102030405060708090a0b0c0d0e0f"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    with s3_server() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anyone")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        yield running


@pytest.mark.parametrize("size", [35_000, 11 * MEGABYTE])
def test_s3_takes_and_gives_back_small_and_large_content(bucket: Bucket, vault: WorkspaceVault, size: int) -> None:
    blobs, plain = BlobStore("s3://bucket/flowcrm", allow_http=True), os.urandom(size)
    ref = blobs.put(vault, ID, plain)
    blobs.sync()
    assert ref == REF
    assert list(bucket.objects) == [f"flowcrm/{REF}"]
    assert blobs.open(vault, ID, ref) == plain


def test_s3_objects_are_listed_and_deleted(bucket: Bucket, vault: WorkspaceVault) -> None:
    blobs = BlobStore("s3://bucket/flowcrm", allow_http=True)
    blobs.put(vault, ID, b"Dear Ben")
    bucket.objects["flowcrm/another"] = b"not ours"
    assert list(blobs.older_than(clock.now())) == [(ANNAS, [REF])]
    blobs.delete(REF)
    assert list(bucket.objects) == ["flowcrm/another"]
    with pytest.raises(BlobMissing):
        blobs.open(vault, ID, REF)
    assert blobs.sweep_unfinished(clock.now()) == 0


@pytest.mark.parametrize("status", [403, 500, 503])
def test_s3_that_refuses_is_asked_once_and_said_to_be_away(bucket: Bucket, vault: WorkspaceVault, status: int) -> None:
    blobs = BlobStore("s3://bucket", allow_http=True)
    bucket.refuse = status
    with pytest.raises(BlobStoreUnavailable, match="s3://bucket cannot be used right now") as away:
        blobs.put(vault, ID, b"Dear Ben")
    assert bucket.requests == ["PUT"]
    assert "not-a-secret" not in str(away.value)


def test_s3_without_tls_is_not_spoken_to_unless_allowed(bucket: Bucket, vault: WorkspaceVault) -> None:
    with pytest.raises(BlobStoreUnavailable):
        BlobStore("s3://bucket").put(vault, ID, b"Dear Ben")
    assert bucket.requests == []


def test_s3_that_does_not_answer_is_said_to_be_away(monkeypatch: pytest.MonkeyPatch, vault: WorkspaceVault) -> None:
    with s3_server() as gone:
        monkeypatch.setenv("AWS_ENDPOINT_URL", gone.url)
    blobs = BlobStore("s3://bucket", allow_http=True)
    with pytest.raises(BlobStoreUnavailable):
        blobs.put(vault, ID, b"Dear Ben")
