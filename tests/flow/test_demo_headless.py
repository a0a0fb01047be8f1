"""`flowcrm demo --headless`: every mail at the provider is accounted for, and the answer is checked by a second opinion."""

import json
from pathlib import Path

import pytest

from flowcrm.ops.demo import headless
from flowcrm.ops.demo.account import DemoMailbox
from flowcrm.ops.demo.people import load
from tests.flow.acme import Team, google, letter
from tests.flow.command import flowcrm

pytestmark = [pytest.mark.needs_postgres, pytest.mark.slow]


def test_every_mail_is_accounted_for_by_reason_and_a_missing_one_is_found() -> None:
    contact = load().contacts[0].address
    with google() as standin:
        team = Team(standin)
        team.contact(contact)
        box = team.mailbox("contacts")
        box.deliver(letter("Asked for", sender=contact, message_id="<1@x>"))
        box.deliver(letter("Not asked for", sender="x@strange.example", message_id="<2@x>"))
        box.deliver(letter("Draft", sender=contact, message_id="<3@x>"), labels=["DRAFT"])
        box.rest()
        demo = DemoMailbox(team.workspace_id, box.mailbox_id, box.address, "contacts")

        report = headless.report_of(demo, standin)
        assert (report["at_provider"], report["kept"], report["ok"]) == (3, 1, True)
        assert report["skipped"] == {"draft_spam_trash": 1, "not_asked_for": 1}

        box.deliver(letter("Not here yet", sender=contact, message_id="<4@x>"))
        report = headless.report_of(demo, standin)
        assert (report["missing"], report["unaccounted"], report["ok"]) == (1, 1, False)


def test_a_refused_demo_is_reported(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "mine").touch()
    report = tmp_path / "report.json"
    done = flowcrm({"FLOWCRM_HOME": str(tmp_path / "home")}, "demo", "--headless", "--report", report, fails=True)
    said = json.loads(report.read_text())
    assert (said["ok"], said["outcome"]) == (False, "refused")
    assert said["reason"] in done.stderr


def test_a_report_that_cannot_be_written_is_said_before_the_demo_begins(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = flowcrm({"FLOWCRM_HOME": str(home)}, "demo", "--headless", "--report", tmp_path / "no" / "report", fails=True)
    assert "cannot be written" in done.stderr
    assert not home.exists()
