"""vault.durable: which file systems are trusted to sync as a whole, and syncing either way."""

import os
from contextlib import suppress
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
    unsynced = Unsynced(tmp_path, whole=whole)
    unsynced.write("7/mail", [b"sea", b"led"])
    assert (tmp_path / "7" / "mail").read_bytes() == b"sealed"
    unsynced.sync()
    assert _open_below(tmp_path) == []


def _open_below(folder: Path) -> list[str]:
    """What this process holds open there. (Of the rest it opens and closes what it likes.)"""
    held = []
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            held.append(os.readlink(one))
    return [one for one in held if one.startswith(str(folder))]


def test_a_file_that_is_gone_when_synced_is_an_error(tmp_path: Path) -> None:
    unsynced = Unsynced(tmp_path, whole=False)
    unsynced.write("7/mail", [b"sealed"])
    (tmp_path / "7" / "mail").unlink()
    with pytest.raises(FileNotFoundError):
        unsynced.sync()


@pytest.mark.parametrize("whole", [True, False])
def test_a_file_that_is_there_keeps_its_bytes_until_the_new_ones_are_synced(tmp_path: Path, whole: bool) -> None:
    first, second = Unsynced(tmp_path, whole=whole), Unsynced(tmp_path, whole=whole)
    first.write("mail", [b"committed"])
    first.sync()
    second.write("mail", [b"again"])
    assert (tmp_path / "mail").read_bytes() == b"committed"
    second.sync()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"mail": b"again"}


def test_new_bytes_are_on_the_disk_before_they_get_the_name_and_then_the_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, seen = os.fsync, []

    def fsync(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        seen.append((name.partition("#")[0], (tmp_path / "mail").read_bytes()))
        system(descriptor)

    (tmp_path / "mail").write_bytes(b"committed")
    unsynced = Unsynced(tmp_path, whole=False)
    unsynced.write("mail", [b"again"])
    monkeypatch.setattr(os, "fsync", fsync)
    unsynced.sync()
    folder = tmp_path.name
    assert seen == [("mail", b"committed"), (folder, b"committed"), ("mail", b"again"), (folder, b"again")]


def test_a_file_system_without_links_does_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", link)
    unsynced = Unsynced(tmp_path, whole=False)
    unsynced.write("mail", [b"sealed"])
    unsynced.sync()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"mail": b"sealed"}
