"""vault.seal: what is sealed opens in its own place and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.vault.errors import SealBroken
from flowcrm.vault.seal import InstanceVault, Vault, WorkspaceVault, open_packed, open_text, seal_packed, seal_text

KINDS = st.text(max_size=20)
IDS = st.integers(-(2**63), 2**63 - 1)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=2000)


@given(kind=KINDS, seal_id=IDS, plain=st.binary(max_size=5000))
def test_any_bytes_come_back(vault: WorkspaceVault, kind: str, seal_id: int, plain: bytes) -> None:
    assert vault.open(kind, seal_id, vault.seal(kind, seal_id, plain)) == plain


@given(plain=st.binary(max_size=200), data=st.data())
def test_any_flipped_bit_breaks_the_seal(vault: WorkspaceVault, plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(vault.seal("head", 1, plain))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealBroken):
        vault.open("head", 1, bytes(sealed))


@given(plain=st.binary(max_size=200), data=st.data())
def test_sealed_bytes_cut_short_do_not_open(vault: WorkspaceVault, plain: bytes, data: st.DataObject) -> None:
    sealed = vault.seal("head", 1, plain)
    with pytest.raises(SealBroken):
        vault.open("head", 1, sealed[: data.draw(st.integers(0, len(sealed) - 1))])


@given(place=st.tuples(KINDS, IDS), other=st.tuples(KINDS, IDS))
def test_sealed_bytes_open_only_as_their_kind_and_in_their_row(
    vault: WorkspaceVault, place: tuple[str, int], other: tuple[str, int]
) -> None:
    sealed = vault.seal(*place, b"Dear Ben")
    if place == other:
        assert vault.open(*other, sealed) == b"Dear Ben"
    else:
        with pytest.raises(SealBroken):
            vault.open(*other, sealed)


def test_another_workspace_does_not_open_it(vault: WorkspaceVault, other_vault: WorkspaceVault) -> None:
    with pytest.raises(SealBroken):
        other_vault.open("head", 1, vault.seal("head", 1, b"Dear Ben"))


def test_the_instance_does_not_open_a_workspaces_seal(vault: WorkspaceVault, instance_vault: InstanceVault) -> None:
    with pytest.raises(SealBroken):
        instance_vault.open("head", 1, vault.seal("head", 1, b"Dear Ben"))


def test_sealing_twice_gives_different_bytes(vault: WorkspaceVault) -> None:
    assert vault.seal("head", 1, b"Dear Ben") != vault.seal("head", 1, b"Dear Ben")


def test_a_seal_costs_33_bytes(vault: WorkspaceVault) -> None:
    assert len(vault.seal("head", 1, b"Dear Ben")) == len(b"Dear Ben") + 33


def test_a_broken_seal_is_named_by_kind_and_id_only(vault: WorkspaceVault) -> None:
    with pytest.raises(SealBroken, match=r"sealed head \(id 17\)") as broken:
        vault.open("head", 17, vault.seal("head", 16, b"Dear Ben"))
    assert broken.value.__suppress_context__


def test_nothing_of_a_vault_shows_in_its_representation(vault: WorkspaceVault) -> None:
    assert "sealing" not in repr(vault)
    assert "=b'" not in repr(vault._keys)


# -- text and packed bytes ---------------------------------------------------------------------------------------------


@given(text=ANY_TEXT)
def test_any_text_comes_back(vault: WorkspaceVault, text: str) -> None:
    assert open_text(vault, "body", 1, seal_text(vault, "body", 1, text)) == text


@given(plain=st.binary(max_size=3000))
def test_packed_bytes_come_back(instance_vault: InstanceVault, plain: bytes) -> None:
    assert open_packed(instance_vault, "body", 1, seal_packed(instance_vault, "body", 1, plain)) == plain


def test_long_text_is_compressed_and_short_text_is_not(vault: WorkspaceVault) -> None:
    assert len(seal_text(vault, "body", 1, "Good morning! " * 1000)) < 200
    assert len(seal_text(vault, "body", 1, "a" * 200)) == 200 + 1 + 33


def test_text_beyond_the_unpacking_cap_still_comes_back(vault: WorkspaceVault) -> None:
    long = "x" * (64 * 1024 * 1024 + 1)
    assert open_text(vault, "body", 1, seal_text(vault, "body", 1, long)) == long


def _frame(claimed_size: int) -> bytes:
    # RFC 8878: magic, a descriptor that announces 8 bytes of content size in a single segment, that size, and no blocks.
    return b"\x28\xb5\x2f\xfd" + b"\xe0" + claimed_size.to_bytes(8, "little")


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x02hello", id="unknown flag"),
        pytest.param(b"\x01hello", id="not zstd"),
        pytest.param(b"\x01" + _frame(10**12), id="would unpack to a terabyte"),
        pytest.param(b"\x01" + _frame(10), id="cut short"),
    ],
)
def test_what_was_not_packed_here_is_refused(vault: Vault, inside: bytes) -> None:
    with pytest.raises(SealBroken, match="not what seal_packed makes"):
        open_packed(vault, "body", 1, vault.seal("body", 1, inside))


# -- look-ups ----------------------------------------------------------------------------------------------------------


def test_a_lookup_is_16_bytes_and_always_the_same(vault: WorkspaceVault) -> None:
    assert len(vault.lookup("address", "anna@example.com")) == 16
    assert vault.lookup("address", "anna@example.com") == vault.lookup("address", "anna@example.com")


def test_a_str_and_its_bytes_have_one_lookup(vault: WorkspaceVault) -> None:
    assert vault.lookup("domain", "zürich.example") == vault.lookup_bytes("domain", "zürich.example".encode())


def test_a_lookup_accepts_a_lone_surrogate(vault: WorkspaceVault) -> None:
    assert vault.lookup("message_id", "\udcff@x") != vault.lookup("message_id", "?@x")


@given(one=st.tuples(KINDS, ANY_TEXT), other=st.tuples(KINDS, ANY_TEXT))
def test_lookups_agree_only_for_the_same_kind_and_value(
    vault: WorkspaceVault, one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert (vault.lookup(*one) == vault.lookup(*other)) == (one == other)


def test_workspaces_and_the_instance_do_not_share_lookups(
    vault: WorkspaceVault, other_vault: WorkspaceVault, instance_vault: InstanceVault
) -> None:
    assert len({one.lookup("address", "anna@example.com") for one in (vault, other_vault, instance_vault)}) == 3
