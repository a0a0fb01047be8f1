"""vault.rotate: keys change, mail stays readable, look-ups change only when told to."""

import pytest

from flowcrm.vault import keyfile, rotate
from flowcrm.vault.errors import SealBroken
from flowcrm.vault.keys import KeyStore
from flowcrm.vault.seal import WorkspaceVault
from tests.unit.vault.conftest import ANNAS


def test_a_new_sealing_key_opens_what_the_old_one_sealed() -> None:
    keys = keyfile.new_keys()
    sealed = WorkspaceVault(1, keys).seal("head", 1, b"Dear Ben")
    rotated = WorkspaceVault(1, rotate.with_new_sealing_keys(keys))
    assert rotated.open("head", 1, sealed) == b"Dear Ben"
    assert not rotated.is_newest(sealed)
    assert rotated.is_newest(rotated.seal("head", 1, b"Dear Ben"))


def test_what_a_new_key_sealed_does_not_open_with_the_old_keys() -> None:
    keys = keyfile.new_keys()
    sealed = WorkspaceVault(1, rotate.with_new_sealing_keys(keys)).seal("head", 1, b"Dear Ben")
    with pytest.raises(SealBroken):
        WorkspaceVault(1, keys).open("head", 1, sealed)


def test_resealing_changes_only_what_an_older_key_sealed() -> None:
    keys = keyfile.new_keys()
    sealed = WorkspaceVault(1, keys).seal("head", 1, b"Dear Ben")
    rotated = WorkspaceVault(1, rotate.with_new_sealing_keys(keys))
    anew = rotate.reseal(rotated, "head", 1, sealed)
    assert rotated.is_newest(anew)
    assert rotated.open("head", 1, anew) == b"Dear Ben"
    assert rotate.reseal(rotated, "head", 1, anew) is anew


def test_resealing_refuses_what_does_not_open() -> None:
    vault = WorkspaceVault(1, keyfile.new_keys())
    with pytest.raises(SealBroken):
        rotate.reseal(vault, "head", 1, b"nonsense")


def test_dropping_old_sealing_keys_closes_what_was_not_sealed_anew() -> None:
    keys = keyfile.new_keys()
    sealed = WorkspaceVault(1, keys).seal("head", 1, b"Dear Ben")
    rotated = rotate.with_new_sealing_keys(keys)
    anew = rotate.reseal(WorkspaceVault(1, rotated), "head", 1, sealed)
    only_newest = WorkspaceVault(1, rotate.with_newest_sealing_keys_only(rotated))
    assert only_newest.open("head", 1, anew) == b"Dear Ben"
    with pytest.raises(SealBroken):
        only_newest.open("head", 1, sealed)


def test_sealing_keys_rotate_without_touching_lookups() -> None:
    keys = keyfile.new_keys()
    before, after = WorkspaceVault(1, keys), WorkspaceVault(1, rotate.with_new_sealing_keys(keys))
    assert before.lookup("address", "anna@example.com") == after.lookup("address", "anna@example.com")
    assert before.token("body", "offer") == after.token("body", "offer")


def test_a_new_generation_is_built_beside_the_old_then_switched_then_the_old_is_dropped(keys: KeyStore) -> None:
    old = keys.workspace(ANNAS)
    hashed, token = old.lookup("address", "anna@example.com"), old.token("body", "offer")

    keys.change_workspace(ANNAS, rotate.with_next_generation)
    beside = keys.workspace(ANNAS)
    assert (beside.generation, beside.generations) == (1, (1, 2))
    assert beside.lookup("address", "anna@example.com") == hashed
    coming = beside.at_generation(2).lookup("address", "anna@example.com")
    assert coming != hashed

    keys.change_workspace(ANNAS, lambda now: rotate.with_current_generation(now, 2))
    switched = keys.workspace(ANNAS)
    assert switched.generation == 2
    assert switched.lookup("address", "anna@example.com") == coming
    assert switched.at_generation(1).lookup("address", "anna@example.com") == hashed
    assert switched.at_generation(1).token("body", "offer") == token != switched.token("body", "offer")

    keys.change_workspace(ANNAS, lambda now: rotate.without_generation(now, 1))
    assert keys.workspace(ANNAS).generations == (2,)
    with pytest.raises(ValueError, match="no look-up key of generation 1"):
        keys.workspace(ANNAS).at_generation(1)


def test_seals_do_not_depend_on_the_generation() -> None:
    vault = WorkspaceVault(1, rotate.with_next_generation(keyfile.new_keys()))
    assert vault.at_generation(2).open("head", 1, vault.seal("head", 1, b"Dear Ben")) == b"Dear Ben"


def test_the_instances_lookups_have_generations_too(keys: KeyStore) -> None:
    before = keys.instance().lookup("push", "anna@example.com")
    keys.change_instance(rotate.with_next_generation)
    after = keys.instance()
    assert after.lookup("push", "anna@example.com") == before != after.at_generation(2).lookup("push", "anna@example.com")


def test_the_current_generation_cannot_be_dropped_nor_a_missing_one_made_current() -> None:
    keys = keyfile.new_keys()
    with pytest.raises(ValueError, match="is the current one"):
        rotate.without_generation(keys, 1)
    with pytest.raises(ValueError, match="no look-up key of generation 2"):
        rotate.with_current_generation(keys, 2)
