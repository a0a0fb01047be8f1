"""What the sync engine tells a mailbox's owner: from the provider's answer to the line under the bell."""

from dataclasses import replace

import pytest

from flowcrm.lib import clock
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.plans import PLANS
from standins.google.client import GoogleStandin
from tests.flow.acme import Box, Team, connect, letter

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


def told(box: Box) -> list[tuple[str, str, bool]]:
    """(kind, detail, over) of the owner's notices, in order of time."""
    with workspace_scope(box.team.workspace_id):
        found = rows(
            "SELECT kind, detail, ended_at IS NOT NULL FROM notice WHERE member_id = %s ORDER BY at, id", [box.member_id]
        )
    return [(kind, detail, over) for kind, detail, over in found]


def test_a_withdrawn_consent_is_told_once_and_is_over_when_it_is_given_again(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    box.deliver(letter("first"))
    box.rest()
    assert told(box) == [("imported", "", False)]
    standin.revoke(box.address)
    clock.advance(3700)
    box.slice()
    box.slice()
    assert told(box)[1:] == [("trouble", "reauthorize", False)]
    connect(team, box.member_id, box.address, box.mailbox_id)
    assert told(box)[1:] == [("trouble", "reauthorize", True)]


def test_a_full_day_is_told_on_each_day_on_which_emails_wait_and_the_end_of_the_import_after_it(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PLANS, "enterprise", replace(PLANS["enterprise"], sync_per_day=10))
    box = team.mailbox("")
    for n in range(20):
        box.deliver(letter(f"old {n}"))
    box.choose("all")
    for _ in range(3):
        box.rest()
        clock.advance(301)
    assert told(box) == [("day_full", "", False)]
    for _ in range(3):
        clock.advance(24 * 3600)
        box.rest()
    assert box.work() == {}
    assert told(box) == [("day_full", "", False)] * 2 + [("imported", "", False)]


def test_a_deleted_label_that_brought_emails_is_told(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    box.choose("labels", labels=[label])
    box.rest()
    standin.control("delete_label", account=box.address, label=label)
    clock.advance(24 * 3600)
    box.rest()
    assert ("label_gone", "", False) in told(box)
