"""vault.durable: which file systems are trusted to sync as a whole, and syncing either way."""

import os
from pathlib import Path

import pytest

from flowcrm.vault.durable import Unsynced, can_sync_whole, file_system


def _mounts(tmp_path: Path, kind: str) -> Path:
    device = tmp_path.stat().st_dev
    path = tmp_path / "mountinfo"
    path.write_text(
        "21 1 0:19 / /proc rw - proc proc rw\n"
        "broken line\n"
        f"22 1 {os.major(device)}:{os.minor(device)} / / rw,noatime shared:1 - {kind} /dev/x rw\n"
    )
    return path


@pytest.mark.parametrize("kind", ["ext4", "fuse.sshfs"])
def test_the_file_system_is_found_by_its_device(tmp_path: Path, kind: str) -> None:
    assert file_system(tmp_path, _mounts(tmp_path, kind)) == kind


def test_what_cannot_be_told_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text("")
    assert file_system(tmp_path, tmp_path / "mountinfo") is None
    assert file_system(tmp_path, tmp_path / "nowhere") is None
    assert not can_sync_whole(tmp_path / "nowhere")


@pytest.mark.parametrize("whole", [True, False])
def test_files_are_synced_and_the_folder_is_let_go(tmp_path: Path, whole: bool) -> None:
    before = len(os.listdir("/proc/self/fd"))
    unsynced = Unsynced(tmp_path, whole=whole)
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "mail").write_bytes(b"sealed")
    unsynced.add("7/mail")
    unsynced.sync()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_is_gone_when_synced_is_an_error(tmp_path: Path) -> None:
    unsynced = Unsynced(tmp_path, whole=False)
    unsynced.add("7/mail")
    with pytest.raises(FileNotFoundError):
        unsynced.sync()
