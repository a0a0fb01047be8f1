"""`flowcrm export`: everything that was kept leaves as it came, to where it was asked to go, and nothing else is touched."""

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.flow.acme import letter
from tests.flow.command import begun, flowcrm

pytestmark = [pytest.mark.needs_postgres, pytest.mark.slow]

ONE = letter("Offer", sender="carla@nordlicht.example", message_id="<one@x.example>").replace(b"\r\n", b"\n")
AGAIN = ONE.replace(b"\n", b"\r\n")
RELAYED = b"Received: from relay.example by acme.example\n" + ONE
OTHER = letter("Else", message_id="<two@x.example>")
KEYS = ["conversation", "message_id", "from", "to", "cc", "date", "subject", "text", "attachments", "flags", "copies"]


@pytest.fixture(scope="module")
def kept(new_installation: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """An installation with two messages, one of them in three copies."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "mails").mkdir()
    for number, mail in enumerate((ONE, AGAIN, RELAYED, OTHER)):
        (folder / "mails" / f"{number}.eml").write_bytes(mail)
    installation = new_installation(folder / "home")
    flowcrm(installation, "import", folder / "mails")
    return installation


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_copy_comes_back_byte_for_byte_under_the_name_that_its_line_says(kept: Mapping[str, str], tmp_path: Path) -> None:
    out, originals = tmp_path / "mail.jsonl", tmp_path / "originals"

    flowcrm(kept, "export", out, "--eml", originals)

    one, other = lines(out.read_text())
    assert list(one) == KEYS
    assert {(originals / copy["eml"]).read_bytes() for copy in one["copies"]} == {ONE, AGAIN, RELAYED}
    assert [(originals / copy["eml"]).read_bytes() for copy in other["copies"]] == [OTHER]
    assert len(list(originals.iterdir())) == 4


def test_what_is_written_is_for_its_owner_only(kept: Mapping[str, str], tmp_path: Path) -> None:
    out, originals = tmp_path / "mail.jsonl", tmp_path / "originals"
    out.write_text("older")
    out.chmod(0o644)

    flowcrm(kept, "export", out, "--eml", originals)

    assert {mode(path) for path in (out, *originals.iterdir())} == {0o600}
    assert mode(originals) == 0o700


def test_a_dash_is_standard_output(kept: Mapping[str, str], tmp_path: Path) -> None:
    done = flowcrm(kept, "export", "-", cwd=tmp_path)
    assert len(lines(done.stdout)) == 2
    assert "2 emails written" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_written_to_and_stays_a_pipe(kept: Mapping[str, str], tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()

    flowcrm(kept, "export", pipe)

    reader.join()
    assert len(lines(read[0])) == 2
    assert pipe.is_fifo()


def test_links_are_followed(kept: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link, real = tmp_path / "link", tmp_path / "elsewhere" / "real"
    link.symlink_to(real)

    flowcrm(kept, "export", link)

    assert link.is_symlink()
    assert len(lines(real.read_text())) == 2


def test_a_file_behind_standard_output_is_written_once(kept: Mapping[str, str], tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as out:
        subprocess.run([sys.executable, "-m", "flowcrm", "export", "/dev/stdout"], env=dict(kept), stdout=out, check=True)
    assert len(lines((tmp_path / "out").read_text())) == 2


@pytest.mark.parametrize("target", ["-", "/dev/stdout"])
def test_a_full_disk_behind_standard_output_gets_a_sentence(kept: Mapping[str, str], target: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "flowcrm", "export", target],
            env=dict(kept),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].endswith("cannot be written: No space left on device.")
    assert b"Traceback" not in done.stderr


def test_a_failed_export_leaves_no_opened_mail_behind(kept: Mapping[str, str], tmp_path: Path) -> None:
    out, originals = tmp_path / "mail.jsonl", tmp_path / "originals"
    flowcrm(kept, "export", out, "--eml", originals)
    name = lines(out.read_text())[1]["copies"][0]["eml"]
    out.unlink()
    # A folder where the last original should go: everything before it has been written by then.
    (originals / name).unlink()
    (originals / name).mkdir()

    done = flowcrm(kept, "export", out, "--eml", originals, fails=True)

    assert f"{originals / name} cannot be written: Is a directory." in done.stderr
    assert list(tmp_path.iterdir()) == [originals]


def test_a_stopped_export_leaves_no_opened_mail_behind(kept: Mapping[str, str], tmp_path: Path) -> None:
    out, originals = tmp_path / "mail.jsonl", tmp_path / "originals"
    flowcrm(kept, "export", out, "--eml", originals)
    written = lines(out.read_text())
    first, last = (originals / written[n]["copies"][0]["eml"] for n in (0, 1))
    for path in (out, first, last):
        path.unlink()
    # Nobody reads from this pipe, so the export comes no further.
    os.mkfifo(last)

    running = begun(kept, "export", out, "--eml", originals)
    while not first.exists():
        assert running.poll() is None
    running.terminate()
    _, error = running.communicate()

    assert (running.returncode, error) == (143, "Stopped; no export was written.\n")
    assert list(tmp_path.iterdir()) == [originals]


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/none"])
def test_an_impossible_folder_for_originals_is_said_before_anything_is_written(
    kept: Mapping[str, str], tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    done = flowcrm(kept, "export", tmp_path / "out", "--eml", tmp_path / place, fails=True)
    assert f"{tmp_path / place} cannot be written" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_unknown_reader_on_an_empty_database_makes_no_account(installation: Mapping[str, str], tmp_path: Path) -> None:
    done = flowcrm(installation, "export", tmp_path / "out", "--as", "nobody@acme.example", fails=True)
    assert "There is no account yet" in done.stderr
    assert "There is no account yet" in flowcrm(installation, "export", tmp_path / "out", fails=True).stderr
