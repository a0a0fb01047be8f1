"""Key files: for their owner only, never half written, and wiped when destroyed."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowcrm.vault import rotate
from flowcrm.vault.errors import KeyMissing, KeyStoreRefused
from flowcrm.vault.keys import KeyStore

PROCESSES = 6
_ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def careless_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless_umask")
def test_whatever_the_umask_only_the_owner_may_look_at_keys(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    store = KeyStore(str(folder))
    store.create_instance()
    store.create_workspace(7)
    store.create_workspace(8)
    store.change_workspace(7, rotate.with_new_sealing_keys)
    store.destroy_workspace(8)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == dict.fromkeys([".lock", "instance.keys", "workspace-7.keys", "workspace-8.keys"], 0o600)


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_folder_that_others_may_enter_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "keys"
    store = KeyStore(str(folder), recheck_after=0)
    store.create_workspace(7)
    folder.chmod(mode)
    with pytest.raises(KeyStoreRefused, match=f"open to other users .* Run: chmod go= {folder}"):
        store.workspace(7)
    with pytest.raises(KeyStoreRefused):
        store.create_workspace(8)


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    store = KeyStore(str(tmp_path))
    store.create_workspace(7)
    (tmp_path / "workspace-7.keys").chmod(0o644)
    with pytest.raises(KeyStoreRefused, match=r"workspace-7\.keys is open to other users"):
        store.workspace(7)


def test_destroying_wipes_the_file_that_held_the_keys_and_not_only_its_name(tmp_path: Path) -> None:
    store = KeyStore(str(tmp_path))
    store.create_workspace(7)
    with (tmp_path / "workspace-7.keys").open("rb") as held_open:
        before = held_open.read()
        store.destroy_workspace(7)
        held_open.seek(0)
        after = held_open.read()
    assert len(after) == len(before)
    assert not any(before[start : start + 8] in after for start in range(len(before) - 8))
    assert b"destroyed_at" in (tmp_path / "workspace-7.keys").read_bytes()


_RACE = """
import sys, time
from pathlib import Path
from flowcrm.vault.keys import KeyStore

folder, go = map(Path, sys.argv[1:])
print("ready", flush=True)
while not go.exists():
    time.sleep(0.001)
store = KeyStore(str(folder))
store.create_workspace(7)
store.create_instance()
print(store.workspace(7).lookup("address", "x").hex(), store.instance().lookup("push", "x").hex())
"""


def test_processes_that_create_the_same_keys_at_once_end_with_the_same_keys(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _RACE, str(tmp_path / "keys"), str(tmp_path / "go")]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_ENVIRONMENT) for _ in range(PROCESSES)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    answers = {racer.communicate()[0] for racer in racers}
    assert [racer.returncode for racer in racers] == [0] * PROCESSES
    assert len(answers) == 1


_ROTATE = """
import sys
from flowcrm.vault import rotate
from flowcrm.vault.keys import KeyStore

store = KeyStore(sys.argv[1], recheck_after=0)
for _ in range(10):
    store.change_workspace(7, rotate.with_new_sealing_keys)
    print(store.workspace(7).seal("head", 1, b"Dear Ben").hex(), flush=True)
"""


def test_processes_that_rotate_at_once_lose_none_of_their_keys(tmp_path: Path) -> None:
    store = KeyStore(str(tmp_path))
    store.create_workspace(7)
    command = [sys.executable, "-c", _ROTATE, str(tmp_path)]
    rotators = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_ENVIRONMENT) for _ in range(2)]
    sealed = [line for rotator in rotators for line in rotator.communicate()[0].split()]
    assert len(sealed) == 20
    vault = store.workspace(7)
    assert {vault.open("head", 1, bytes.fromhex(one)) for one in sealed} == {b"Dear Ben"}


_CREATE_MANY = """
import sys
from flowcrm.vault.keys import KeyStore

store = KeyStore(sys.argv[1])
for workspace_id in range(1, 100_000):
    store.create_workspace(workspace_id)
    print(workspace_id, store.workspace(workspace_id).lookup("address", "x").hex(), flush=True)
"""


def test_a_killed_process_leaves_only_whole_keys_and_everything_it_reported(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _CREATE_MANY, str(tmp_path)]
    for round_number in range(3):
        maker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_ENVIRONMENT)
        assert maker.stdout is not None
        reported = [maker.stdout.readline() for _ in range(10 + round_number)]
        maker.kill()
        reported += [line for line in maker.communicate()[0].splitlines(keepends=True) if line.endswith("\n")]
        store = KeyStore(str(tmp_path))
        for workspace_id in store.workspace_ids():
            store.workspace(workspace_id)
        for line in reported:
            number, lookup = line.split()
            assert store.workspace(int(number)).lookup("address", "x").hex() == lookup


def test_without_its_key_file_a_workspaces_mail_is_gone_and_with_its_backup_it_is_back(tmp_path: Path) -> None:
    store = KeyStore(str(tmp_path), recheck_after=0)
    store.create_workspace(7)
    sealed = store.workspace(7).seal("head", 1, b"Dear Ben")
    path = tmp_path / "workspace-7.keys"
    backup = path.read_bytes()
    path.unlink()
    with pytest.raises(KeyMissing):
        store.workspace(7)
    path.write_bytes(backup)
    path.chmod(0o600)
    assert store.workspace(7).open("head", 1, sealed) == b"Dear Ben"
