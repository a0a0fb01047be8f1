"""vault.keys: keys are made once, found again, noticed when they change or go, and lost only loudly."""

import json
import threading
from pathlib import Path

import pytest

from flowcrm.vault import rotate
from flowcrm.vault.errors import KeyMissing, KeysDestroyed, KeyStoreRefused, KeyStoreUnavailable, SealBroken
from flowcrm.vault.keys import KeyStore, parse_keys_url
from flowcrm.vault.opened import OpenedVaults, Stamp
from tests.unit.vault.conftest import ANNAS, BENS

NOBODYS = 99


def test_a_new_process_finds_the_same_keys(keys: KeyStore, key_folder: Path) -> None:
    sealed = keys.workspace(ANNAS).seal("head", 1, b"Dear Ben")
    again = KeyStore(key_folder.as_uri())
    assert again.workspace(ANNAS).open("head", 1, sealed) == b"Dear Ben"
    assert again.instance().lookup("push", "x") == keys.instance().lookup("push", "x")


def test_creating_twice_keeps_the_first_keys(keys: KeyStore) -> None:
    before = keys.workspace(ANNAS).lookup("address", "x"), keys.instance().lookup("push", "x")
    keys.create_workspace(ANNAS)
    keys.create_instance()
    assert (keys.workspace(ANNAS).lookup("address", "x"), keys.instance().lookup("push", "x")) == before


@pytest.mark.parametrize("workspace_id", [0, -1])
def test_only_positive_ids_are_workspaces(keys: KeyStore, workspace_id: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        keys.create_workspace(workspace_id)
    with pytest.raises(KeyMissing):
        keys.workspace(workspace_id)


def test_missing_keys_are_named_with_the_remedy(keys: KeyStore, key_folder: Path) -> None:
    with pytest.raises(KeyMissing) as missing:
        keys.workspace(NOBODYS)
    assert str(missing.value) == (
        f"The keys of account 99 are not in the key store at {key_folder}. "
        "Restore the key store's backup, or correct KEYS_URL if the keys lie elsewhere."
    )


def test_the_instances_keys_are_not_made_by_asking_for_them(tmp_path: Path) -> None:
    store = KeyStore(str(tmp_path))
    with pytest.raises(KeyMissing, match="The keys of this installation are not"):
        store.instance()


def test_a_key_store_that_is_not_mounted_does_not_look_like_lost_keys(tmp_path: Path) -> None:
    store = KeyStore(str(tmp_path / "away"))
    with pytest.raises(KeyStoreUnavailable, match="no key store at"):
        store.workspace(ANNAS)
    with pytest.raises(KeyStoreUnavailable, match="no key store at"):
        store.workspace_ids()


def test_a_key_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(KeyStoreUnavailable, match="cannot be used"):
        KeyStore(str(tmp_path / "file" / "keys")).create_workspace(ANNAS)


def test_it_lists_its_workspaces(keys: KeyStore, key_folder: Path) -> None:
    (key_folder / "django-secret-key").write_text("another's file")
    assert keys.workspace_ids() == [ANNAS, BENS]


# -- destroying --------------------------------------------------------------------------------------------------------


def test_a_destroyed_workspace_opens_nothing_and_says_when_it_was_destroyed(keys: KeyStore) -> None:
    keys.destroy_workspace(ANNAS)
    with pytest.raises(KeysDestroyed, match=r"keys of account 7 were destroyed on \d{4}-"):
        keys.workspace(ANNAS)
    keys.workspace(BENS)


def test_a_destroyed_workspace_is_not_made_anew(keys: KeyStore) -> None:
    keys.destroy_workspace(ANNAS)
    with pytest.raises(KeysDestroyed):
        keys.create_workspace(ANNAS)
    with pytest.raises(KeysDestroyed):
        keys.change_workspace(ANNAS, rotate.with_new_sealing_keys)


def test_destroying_twice_or_what_never_was_is_harmless(keys: KeyStore, key_folder: Path) -> None:
    keys.destroy_workspace(ANNAS)
    grave = (key_folder / "workspace-7.keys").stat()
    keys.destroy_workspace(ANNAS)
    keys.destroy_workspace(NOBODYS)
    assert (key_folder / "workspace-7.keys").stat().st_ino == grave.st_ino, "the first tombstone stays"
    with pytest.raises(KeyMissing):
        keys.workspace(NOBODYS)


@pytest.mark.parametrize("content", ["", "7", "[]"])
def test_a_damaged_key_file_can_still_be_destroyed(keys: KeyStore, key_folder: Path, content: str) -> None:
    (key_folder / "workspace-7.keys").write_text(content)
    keys.destroy_workspace(ANNAS)
    with pytest.raises(KeysDestroyed):
        keys.workspace(ANNAS)


# -- what other processes do -------------------------------------------------------------------------------------------


def test_keys_destroyed_by_another_process_stop_working_at_the_next_look(keys: KeyStore, key_folder: Path) -> None:
    keys.workspace(ANNAS)
    KeyStore(str(key_folder)).destroy_workspace(ANNAS)
    with pytest.raises(KeysDestroyed):
        keys.workspace(ANNAS)


def test_until_the_next_look_an_opened_vault_stays_open(keys: KeyStore, key_folder: Path) -> None:
    patient = KeyStore(str(key_folder), recheck_after=1e6)
    opened = patient.workspace(ANNAS)
    keys.destroy_workspace(ANNAS)
    assert patient.workspace(ANNAS) is opened


def test_the_process_that_destroys_forgets_at_once(key_folder: Path, keys: KeyStore) -> None:
    patient = KeyStore(str(key_folder), recheck_after=1e6)
    patient.workspace(ANNAS)
    patient.destroy_workspace(ANNAS)
    with pytest.raises(KeysDestroyed):
        patient.workspace(ANNAS)


def test_keys_rotated_by_another_process_are_used_at_the_next_look(keys: KeyStore, key_folder: Path) -> None:
    sealed = keys.workspace(ANNAS).seal("head", 1, b"Dear Ben")
    KeyStore(str(key_folder)).change_workspace(ANNAS, rotate.with_new_sealing_keys)
    assert not keys.workspace(ANNAS).is_newest(sealed)


def test_a_vault_is_opened_once_while_its_file_stays(keys: KeyStore) -> None:
    assert keys.workspace(ANNAS) is keys.workspace(ANNAS)
    assert keys.instance() is keys.instance()


def test_a_deleted_key_file_is_noticed(keys: KeyStore, key_folder: Path) -> None:
    keys.workspace(ANNAS)
    (key_folder / "workspace-7.keys").unlink()
    with pytest.raises(KeyMissing):
        keys.workspace(ANNAS)


def test_what_a_killed_writer_left_is_no_hindrance(keys: KeyStore, key_folder: Path) -> None:
    (key_folder / ".unfinished").write_text("half a key file")
    keys.create_workspace(NOBODYS)
    keys.workspace(NOBODYS)
    assert not (key_folder / ".unfinished").exists()


# -- files that are not what they should be ----------------------------------------------------------------------------


def test_a_key_file_under_another_name_does_not_open(keys: KeyStore, key_folder: Path) -> None:
    (key_folder / "workspace-7.keys").rename(key_folder / "workspace-8.keys")
    with pytest.raises(KeyStoreRefused, match="account 8 is of another kind or owner"):
        keys.workspace(BENS)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("[]", id="not an object"),
        pytest.param("{", id="cut short"),
        pytest.param('{"format": 1, "owner": "account 7", "wrap": "none", "keys": "e30="}', id="no keys inside"),
        pytest.param('{"format": 1, "owner": "account 7", "wrap": "none", "keys": "?"}', id="not base64"),
    ],
)
def test_a_damaged_key_file_is_refused_in_plain_words(keys: KeyStore, key_folder: Path, content: str) -> None:
    (key_folder / "workspace-7.keys").write_text(content)
    with pytest.raises(KeyStoreRefused, match=r"account 7 is damaged\. Restore"):
        keys.workspace(ANNAS)


def test_a_key_file_of_a_later_format_is_refused(keys: KeyStore, key_folder: Path) -> None:
    path = key_folder / "workspace-7.keys"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    with pytest.raises(KeyStoreRefused, match="another kind"):
        keys.workspace(ANNAS)


def test_a_keyset_that_tink_does_not_know_is_refused_without_quoting_it(keys: KeyStore) -> None:
    keys.change_workspace(ANNAS, lambda now: type(now)(b"gibberish", now.streaming, now.lookups, now.generation, now.audit))
    with pytest.raises(KeyStoreRefused, match="not a keyset") as refused:
        keys.workspace(ANNAS)
    assert "gibberish" not in str(refused.value)


# -- where -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "path", "service"),
    [
        ("/var/lib/flowcrm/keys", "/var/lib/flowcrm/keys", None),
        ("var/keys", "var/keys", None),
        ("file:///var/lib/flow%20crm/keys", "/var/lib/flow crm/keys", None),
        ("file://localhost/keys", "/keys", None),
        ("file:///keys?wrap=gcp-kms://projects/p/locations/l/keyRings/r/cryptoKeys/k", "/keys", "gcp-kms://projects/p/locations/l/keyRings/r/cryptoKeys/k"),
        ("/keys?wrap=aws-kms://arn:aws:kms:eu-central-1:1:key/2", "/keys", "aws-kms://arn:aws:kms:eu-central-1:1:key/2"),
    ],
)  # fmt: skip
def test_keys_url_names_a_folder_and_perhaps_a_key_service(url: str, path: str, service: str | None) -> None:
    assert parse_keys_url(url) == (Path(path), service)


@pytest.mark.parametrize("url", ["", "s3://bucket/keys", "file://elsewhere/keys", "?wrap=gcp-kms://x"])
def test_any_other_keys_url_is_refused(url: str) -> None:
    with pytest.raises(KeyStoreRefused, match="KEYS_URL"):
        KeyStore(url)


# -- opened vaults -----------------------------------------------------------------------------------------------------


def test_only_so_many_vaults_stay_open_the_longest_unused_goes() -> None:
    loaded: list[int] = []
    opened = OpenedVaults[str](room=2, recheck_after=1e6)

    def get(owner: int) -> None:
        def load() -> str:
            loaded.append(owner)
            return str(owner)

        opened.get(owner, stamp=lambda: (0, 0, 0), load=load)

    for owner in (1, 2, 1, 3, 1, 2):
        get(owner)
    assert loaded == [1, 2, 3, 2]


def test_a_vault_whose_file_cannot_be_looked_at_is_not_handed_out() -> None:
    opened = OpenedVaults[str](room=2, recheck_after=0)
    opened.get(1, stamp=lambda: (0, 0, 0), load=lambda: "vault")

    def fail() -> Stamp:
        raise KeyStoreUnavailable("The folder is away.")

    with pytest.raises(KeyStoreUnavailable):
        opened.get(1, stamp=fail, load=lambda: "vault")


def test_many_threads_share_one_key_store(keys: KeyStore) -> None:
    wrong: list[str] = []
    sealed = {owner: keys.workspace(owner).seal("head", 1, str(owner).encode()) for owner in (ANNAS, BENS)}

    def work() -> None:
        for owner in (ANNAS, BENS) * 50:
            try:
                if keys.workspace(owner).open("head", 1, sealed[owner]) != str(owner).encode():
                    wrong.append("another's mail")
            except SealBroken as error:
                wrong.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    keys.change_workspace(ANNAS, rotate.with_new_sealing_keys)
    for thread in threads:
        thread.join()
    assert wrong == []
