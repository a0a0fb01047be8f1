"""vault.audit_heads: how far a chain has come is remembered beside the keys, and never overwritten by who comes late."""

from pathlib import Path

import pytest

from flowcrm.vault.audit_heads import AuditHead
from flowcrm.vault.errors import KeyStoreRefused
from flowcrm.vault.keys import KeyStore
from tests.unit.vault.conftest import ANNAS, BENS

ONE, TWO, THREE = AuditHead(1, b"one"), AuditHead(2, b"two"), AuditHead(3, b"\x00three")


def test_the_end_of_each_account_s_chain_is_remembered(keys: KeyStore) -> None:
    keys.audit_heads.advance(ANNAS, None, ONE)
    keys.audit_heads.advance(ANNAS, ONE, THREE)
    assert keys.audit_heads.read(ANNAS) == THREE
    assert keys.audit_heads.read(BENS) is None


def test_who_comes_late_changes_nothing(keys: KeyStore) -> None:
    keys.audit_heads.advance(ANNAS, None, ONE)
    keys.audit_heads.advance(ANNAS, ONE, THREE)
    keys.audit_heads.advance(ANNAS, ONE, TWO)
    keys.audit_heads.advance(ANNAS, None, TWO)
    assert keys.audit_heads.read(ANNAS) == THREE


def test_what_is_remembered_is_no_key_file(keys: KeyStore) -> None:
    keys.audit_heads.advance(ANNAS, None, ONE)
    assert keys.workspace_ids() == [ANNAS, BENS]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"number": 1, "mac": "?"}', b"\xff"])
def test_a_damaged_file_is_refused_and_not_taken_for_none(keys: KeyStore, key_folder: Path, content: bytes) -> None:
    keys.audit_heads.advance(ANNAS, None, ONE)
    (key_folder / f"workspace-{ANNAS}.audit").write_bytes(content)
    with pytest.raises(KeyStoreRefused, match=r"workspace-7\.audit in the key store is damaged"):
        keys.audit_heads.read(ANNAS)
