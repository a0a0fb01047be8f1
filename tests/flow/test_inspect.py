"""`flowcrm inspect`: one object for each file, whatever is wrong with it, in any locale; and no database."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.flow.acme import letter
from tests.flow.command import begun, flowcrm

pytestmark = pytest.mark.slow

MAIL = letter("Größe", sender="carla@nordlicht.example")
LATIN = {"LC_ALL": "de_DE.ISO-8859-1", "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment without an installation; none is to come of it."""
    return {"PATH": "/usr/bin:/bin", "FLOWCRM_HOME": str(tmp_path / "nowhere")}


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.eml"
    path.write_bytes(MAIL)
    return path


def inspected(environment: dict[str, str], paths: bytes) -> list[dict[str, Any]]:
    """What --jsonl prints for these lines."""
    done = subprocess.run(
        [sys.executable, "-m", "flowcrm", "inspect", "--jsonl", "-"],
        input=paths,
        capture_output=True,
        check=True,
        env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]


def test_it_needs_no_database_and_names_what_cannot_be_read(bare: dict[str, str], good: Path, tmp_path: Path) -> None:
    shown, failed = inspected(bare, f"{good}\n{tmp_path / 'absent.eml'}\n".encode())
    assert shown["subject"] == "Größe"
    assert shown["from"] == [{"name": "", "email": "carla@nordlicht.example"}]
    assert "cannot be read" in failed["error"]
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("locale", [{}, LATIN, {"LC_ALL": "C"}])
def test_any_line_gives_one_object(bare: dict[str, str], good: Path, tmp_path: Path, locale: dict[str, str]) -> None:
    odd = os.fsencode(tmp_path) + b"/not \xff utf-8 \xc3\xa9.eml"
    Path(os.fsdecode(odd)).write_bytes(MAIL)
    found = inspected(bare | locale, b"\n".join([b"nul\0in it", odd, b"/", b"/proc/self/mem", os.fsencode(good)]))
    assert ["error" in one for one in found] == [True, False, True, True, False]
    assert "has a NUL in it" in found[0]["error"]
    assert [one["subject"] for one in found if "error" not in one] == ["Größe", "Größe"]


def test_one_unreadable_argument_keeps_no_other_from_being_shown(bare: dict[str, str], good: Path) -> None:
    done = flowcrm(bare, "inspect", "/proc/self/mem", good, "/", fails=True)
    assert done.stdout.count('"error"') == 2
    assert '"subject": "Größe"' in done.stdout


def test_a_mail_may_come_from_standard_input(bare: dict[str, str]) -> None:
    assert json.loads(flowcrm(bare, "inspect", "-", input=MAIL.decode()).stdout)["subject"] == "Größe"


def test_without_anything_to_inspect_it_says_how(bare: dict[str, str]) -> None:
    assert "Usage: flowcrm inspect" in flowcrm(bare, "inspect").stdout


def test_a_full_disk_behind_standard_output_gets_a_sentence(bare: dict[str, str], good: Path) -> None:
    with Path("/dev/full").open("w") as full:
        running = begun(bare, "inspect", good, stdout=full)
        _, error = running.communicate()
    assert (running.returncode, error) == (1, "flowcrm: Standard output cannot be written: No space left on device.\n")


def test_a_reader_that_went_away_gets_a_sentence(bare: dict[str, str], good: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    running = begun(bare, "inspect", good, stdout=write)
    os.close(write)
    _, error = running.communicate()
    assert (running.returncode, error) == (1, "flowcrm: Standard output cannot be written: Broken pipe.\n")
