"""`flowcrm import`: what it says and reports, however it ends; and that it can be repeated at once."""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.flow.acme import letter
from tests.flow.command import begun, flowcrm

pytestmark = [pytest.mark.needs_postgres, pytest.mark.slow]


def told(report: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def accounts(environment: Mapping[str, str]) -> int:
    with psycopg.connect(environment["DATABASE_URL_ROUTER"]) as connection:
        found = connection.execute("SELECT count(*) FROM account_name").fetchone()
    assert found is not None
    return int(found[0])


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "report.json"


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    """A folder with one mail."""
    folder = tmp_path / "mails"
    folder.mkdir()
    (folder / "1.eml").write_bytes(letter("One", message_id="<one@x.example>"))
    return folder


def test_what_is_no_mail_is_named_and_no_failure(installation: Mapping[str, str], mails: Path, report: Path) -> None:
    (mails / "notes.txt").write_text("Hello")

    done = flowcrm(installation, "import", mails, "--report", report)

    assert f"1 mail read: 1 kept, 0 there already. Passed over, as no mail: {mails / 'notes.txt'}." in done.stdout
    said = told(report)
    assert (said["not_mail"], said["problems"], said["ok"], said["outcome"]) == ([str(mails / "notes.txt")], [], True, "done")


def test_one_bad_path_keeps_no_other_from_coming_in(installation: Mapping[str, str], mails: Path, report: Path) -> None:
    name = os.fsdecode(b"not \xff utf-8.eml")
    (mails / "mem.eml").symlink_to("/proc/self/mem")
    (mails / name).write_bytes(b"")

    done = flowcrm(installation, "import", mails / "absent", mails / "mem.eml", mails, "--report", report, fails=True)

    said = told(report)
    assert (said["kept"], said["ok"], len(said["problems"])) == (1, False, 4)
    assert "is no mail: it is empty" in done.stderr


def test_a_report_that_cannot_be_written_is_said_before_anything_comes_in(installation: Mapping[str, str], mails: Path) -> None:
    done = flowcrm(installation, "import", mails, "--report", mails / "absent" / "report", fails=True)
    assert done.stderr == f"flowcrm: {mails / 'absent' / 'report'} cannot be written: No such file or directory.\n"
    assert accounts(installation) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["absent"], "absent does not exist."),
        (["mails", "--member", "nobody@acme.example"], "There is no account yet."),
        (["mails", "--account", "acme"], "There is no account acme."),
    ],
)
def test_a_refusal_is_reported_and_makes_no_account(
    installation: Mapping[str, str], mails: Path, report: Path, words: list[str], sentence: str
) -> None:
    flowcrm(installation, "import", *words, "--report", report, fails=True, cwd=mails.parent)
    said = told(report)
    assert (said["ok"], said["outcome"], said["kept"]) == (False, "refused", 0)
    assert sentence in said["reason"]
    assert accounts(installation) == 0


def test_a_refusal_before_the_command_begins_is_reported(installation: Mapping[str, str], mails: Path, report: Path) -> None:
    flowcrm({**installation, "FLOWCRM_HOME": "/dev/null/below"}, "import", mails, "--report", report, fails=True)
    said = told(report)
    assert (said["ok"], said["outcome"]) == (False, "refused")
    assert "Set FLOWCRM_HOME" in said["reason"]


def test_on_starter_it_says_which_plan_it_needs(installation: Mapping[str, str], mails: Path) -> None:
    flowcrm(installation, "workspace", "create", "acme", "--plan", "starter")
    flowcrm(installation, "member", "add", "anna@acme.example")
    done = flowcrm(installation, "import", mails, fails=True)
    assert "is on the plan Starter, which takes no email in. Importing needs Professional or Enterprise." in done.stderr


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """An mbox that is a pipe: nobody knows when it ends."""
    pipe = tmp_path / "endless.mbox"
    os.mkfifo(pipe)
    return pipe


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """An mbox of some pages; far more than a pipe holds, so whoever could write most of it into one has seen it read."""
    entry = b"From carla@x.example Tue Jan  4 09:12:00 2005\n"
    path = tmp_path / "long.mbox"
    path.write_bytes(
        b"".join(entry + letter(f"Mail {n}", message_id=f"<{n}@x.example>") + b"x" * 900 + b"\n\n" for n in range(400))
    )
    return path


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_told_to_stop_it_says_so_and_can_be_repeated_at_once(
    installation: Mapping[str, str], endless: Path, long: Path, report: Path, number: int, code: int
) -> None:
    running = begun(installation, "import", endless, "--report", report)
    with endless.open("wb") as writer:
        writer.write(long.read_bytes())
        writer.flush()
        running.send_signal(number)
        _, error = running.communicate()

    assert (running.returncode, error) == (code, "Stopped; repeat the import to go on.\n")
    said = told(report)
    assert (said["outcome"], said["ok"], said["kept"] > 0) == ("stopped", False, True)
    flowcrm(installation, "import", long, "--report", report)
    again = told(report)
    assert (again["ok"], again["known"], again["kept"] + again["known"]) == (True, said["kept"], 400)


def test_a_killed_import_can_be_repeated_at_once(
    installation: Mapping[str, str], endless: Path, long: Path, report: Path
) -> None:
    running = begun(installation, "import", endless)
    with endless.open("wb") as writer:
        writer.write(long.read_bytes())
        running.kill()
        running.communicate()

    flowcrm(installation, "import", long, "--report", report)
    assert told(report)["ok"]
