"""`flowcrm import` and `export`: mail from files comes in once, and leaves as it came."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.flow.acme import letter
from tests.flow.command import flowcrm

pytestmark = [pytest.mark.needs_postgres, pytest.mark.slow]


def test_mail_from_files_comes_in_once_and_leaves_byte_for_byte(installation: Mapping[str, str], tmp_path: Path) -> None:
    first = letter("Angebot für Halle 7", sender="Carla Groß <carla@nordlicht.example>", message_id="<a@x.example>")
    answer = letter(
        "Re: Angebot für Halle 7", answers="<a@x.example>", message_id="<b@x.example>", files={"plan.pdf": b"%PDF-1"}
    )
    mails = tmp_path / "mails"
    mails.mkdir()
    (mails / "1.eml").write_bytes(first)
    (mails / "2.eml").write_bytes(answer)
    report, out, originals = tmp_path / "report.json", tmp_path / "mail.jsonl", tmp_path / "originals"

    flowcrm(installation, "import", mails, "--report", report)
    assert json.loads(report.read_text())["kept"] == 2
    flowcrm(installation, "import", mails, "--report", report)
    again = json.loads(report.read_text())
    assert (again["kept"], again["known"], again["ok"]) == (0, 2, True)

    flowcrm(installation, "export", out, "--eml", originals)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["message_id"] for line in lines] == ["a@x.example", "b@x.example"]
    assert lines[0]["conversation"] == lines[1]["conversation"]
    assert lines[0]["from"] == [{"name": "Carla Groß", "email": "carla@nordlicht.example"}]
    assert lines[0]["subject"] == "Angebot für Halle 7"
    assert lines[1]["attachments"] == [{"name": "plan.pdf", "type": "application/octet-stream", "size": 6}]
    assert {path.read_bytes() for path in originals.iterdir()} == {first, answer}

    missing = flowcrm(installation, "import", tmp_path / "absent.mbox", fails=True)
    assert "does not exist" in missing.stderr
