"""The key store of this installation, as the settings name it."""

from functools import cache

from django.conf import settings

from flowcrm.vault.blobs import BlobStore
from flowcrm.vault.keys import KeyStore
from flowcrm.vault.seal import InstanceVault, WorkspaceVault


@cache
def key_store() -> KeyStore:
    return KeyStore(settings.KEYS_URL)


@cache
def blob_store() -> BlobStore:
    return BlobStore(settings.BLOBS_URL)


def vault(workspace_id: int) -> WorkspaceVault:
    """The vault of one workspace; raises KeyMissing with what to do."""
    return key_store().workspace(workspace_id)


def instance_vault() -> InstanceVault:
    return key_store().instance()
