"""vault.audit_mac: a chain that only the holder of the key can continue."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flowcrm.vault.seal import InstanceVault, WorkspaceVault


@given(previous=st.binary(max_size=40), payload=st.binary(max_size=200))
def test_the_mac_of_a_batch_is_recognised(vault: WorkspaceVault, previous: bytes, payload: bytes) -> None:
    assert vault.audit.verify(previous, payload, vault.audit.mac(previous, payload))


@given(
    one=st.tuples(st.binary(max_size=9), st.binary(max_size=9)), other=st.tuples(st.binary(max_size=9), st.binary(max_size=9))
)
def test_another_batch_or_another_predecessor_has_another_mac(
    vault: WorkspaceVault, one: tuple[bytes, bytes], other: tuple[bytes, bytes]
) -> None:
    assert vault.audit.verify(*other, vault.audit.mac(*one)) == (one == other)


def test_a_chain_breaks_where_a_batch_is_left_out(vault: WorkspaceVault) -> None:
    macs = [b""]
    for payload in (b"one", b"two", b"three"):
        macs.append(vault.audit.mac(macs[-1], payload))
    links = list(zip(pairwise(macs), (b"one", b"two", b"three"), strict=True))
    assert all(vault.audit.verify(before, payload, mac) for (before, mac), payload in links)
    assert not vault.audit.verify(macs[1], b"three", macs[3])


def test_a_mac_of_another_owner_is_not_recognised(
    vault: WorkspaceVault, other_vault: WorkspaceVault, instance_vault: InstanceVault
) -> None:
    tag = vault.audit.mac(b"", b"one")
    assert not other_vault.audit.verify(b"", b"one", tag)
    assert not instance_vault.audit.verify(b"", b"one", tag)


def test_a_mac_tells_whose_key_made_it(vault: WorkspaceVault, other_vault: WorkspaceVault) -> None:
    tag = vault.audit.mac(b"", b"one")
    assert vault.audit.knows(tag)
    assert not other_vault.audit.knows(tag)
    assert not vault.audit.knows(b"")


def test_nonsense_is_not_a_mac(vault: WorkspaceVault) -> None:
    assert not vault.audit.verify(b"", b"one", b"")
    assert not vault.audit.verify(b"", b"one", b"nonsense")
