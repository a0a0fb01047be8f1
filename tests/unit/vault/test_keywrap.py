"""vault.keywrap: key files under a key service. The service's key is a local one of Tink's: the same interface, no network."""

import json
import sys
from pathlib import Path

import pytest
import tink
from tink import aead

from flowcrm.vault import keysets
from flowcrm.vault.errors import KeyStoreRefused, KeyStoreUnavailable
from flowcrm.vault.keys import KeyStore
from flowcrm.vault.keywrap import KmsWrap, PlainWrap, wrap_for

NAME = "gcp-kms://projects/p/locations/l/keyRings/r/cryptoKeys/k"


class ServiceDown(aead.Aead):  # type: ignore[misc]  # Tink has no types
    """A key service that does not answer."""

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        raise ConnectionError("no route to host\nwith details")

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        raise tink.TinkError("deadline exceeded")


@pytest.fixture
def wrap() -> KmsWrap:
    return KmsWrap(NAME, keysets.open_aead(keysets.new_keyset(keysets.SEALING)))


def test_wrapped_keys_work_like_plain_ones(tmp_path: Path, wrap: KmsWrap) -> None:
    store = KeyStore(str(tmp_path), wrap=wrap)
    store.create_workspace(7)
    sealed = store.workspace(7).seal("head", 1, b"Dear Ben")
    assert KeyStore(str(tmp_path), wrap=wrap).workspace(7).open("head", 1, sealed) == b"Dear Ben"


def test_a_wrapped_key_file_does_not_open_without_the_service(tmp_path: Path, wrap: KmsWrap) -> None:
    KeyStore(str(tmp_path), wrap=wrap).create_workspace(7)
    another = KmsWrap(NAME, keysets.open_aead(keysets.new_keyset(keysets.SEALING)))
    with pytest.raises(KeyStoreUnavailable, match="did not unwrap"):
        KeyStore(str(tmp_path), wrap=another).workspace(7)


def test_a_wrapped_key_file_is_bound_to_its_owner(tmp_path: Path, wrap: KmsWrap) -> None:
    store = KeyStore(str(tmp_path), wrap=wrap)
    store.create_workspace(7)
    document = json.loads((tmp_path / "workspace-7.keys").read_text()) | {"owner": "account 8"}
    (tmp_path / "workspace-8.keys").write_text(json.dumps(document))
    (tmp_path / "workspace-8.keys").chmod(0o600)
    with pytest.raises(KeyStoreUnavailable, match="did not unwrap"):
        store.workspace(8)


def test_a_key_service_that_is_down_is_a_passing_trouble_said_in_one_line(tmp_path: Path, wrap: KmsWrap) -> None:
    KeyStore(str(tmp_path), wrap=wrap).create_workspace(7)
    down = KeyStore(str(tmp_path), wrap=KmsWrap(NAME, ServiceDown()))
    with pytest.raises(KeyStoreUnavailable, match="did not unwrap a key: deadline exceeded"):
        down.workspace(7)
    with pytest.raises(KeyStoreUnavailable, match=r"did not wrap a key: no route to host$"):
        down.create_workspace(8)


def test_a_plain_key_store_says_that_its_files_are_wrapped(tmp_path: Path, wrap: KmsWrap) -> None:
    KeyStore(str(tmp_path), wrap=wrap).create_workspace(7)
    with pytest.raises(KeyStoreRefused, match=rf"wrapped by '{NAME}', KEYS_URL names 'none'\. Correct KEYS_URL"):
        KeyStore(str(tmp_path)).workspace(7)


def test_without_a_service_files_are_plain() -> None:
    assert isinstance(wrap_for(None), PlainWrap)


@pytest.mark.parametrize(
    ("uri", "module", "extra"),
    [
        (NAME, "google.cloud.kms_v1", r"tink\[gcpkms\]"),
        ("aws-kms://arn:aws:kms:eu-central-1:1:key/2", "boto3", r"tink\[awskms\]"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uri: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(KeyStoreRefused, match=f"pip install '{extra}'"):
        KeyStore(f"{tmp_path}?wrap={uri}")


def test_an_unknown_key_service_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreRefused, match="names no key service we know"):
        KeyStore(f"{tmp_path}?wrap=hcvault://x")
