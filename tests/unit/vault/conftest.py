"""Key stores and vaults for the tests of flowcrm.vault."""

from pathlib import Path

import pytest

from flowcrm.vault.keys import KeyStore
from flowcrm.vault.seal import InstanceVault, WorkspaceVault

ANNAS, BENS = 7, 8


@pytest.fixture
def key_folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def keys(key_folder: Path) -> KeyStore:
    """A key store that looks at its files each time, with two workspaces and the installation's own keys."""
    store = KeyStore(str(key_folder), recheck_after=0)
    store.create_instance()
    store.create_workspace(ANNAS)
    store.create_workspace(BENS)
    return store


@pytest.fixture(scope="session")
def lasting_keys(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    """The same for property tests, which try many values on one store and change no key."""
    store = KeyStore(str(tmp_path_factory.mktemp("lasting") / "keys"))
    store.create_instance()
    store.create_workspace(ANNAS)
    store.create_workspace(BENS)
    return store


@pytest.fixture(scope="session")
def vault(lasting_keys: KeyStore) -> WorkspaceVault:
    return lasting_keys.workspace(ANNAS)


@pytest.fixture(scope="session")
def other_vault(lasting_keys: KeyStore) -> WorkspaceVault:
    return lasting_keys.workspace(BENS)


@pytest.fixture(scope="session")
def instance_vault(lasting_keys: KeyStore) -> InstanceVault:
    return lasting_keys.instance()
