"""Several mailboxes and one worker: none holds up another, and Gmail's own allowance is used."""

import pytest

from flowcrm.lib import clock
from flowcrm.store.db import run, workspace_scope
from flowcrm.sync.engine import run_due
from flowcrm.sync.shift import work_due
from standins.google.client import GoogleStandin
from tests.flow.acme import Team, letter

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock", "only_these_are_due")]


def test_a_mailbox_in_which_our_own_code_fails_does_not_hold_up_the_others(team: Team) -> None:
    broken, sound = team.mailbox("all"), team.mailbox("all")
    mail = sound.deliver(letter("mail"))
    with workspace_scope(team.workspace_id):
        # Something no code of ours would write, and none can read.
        run("UPDATE cursor SET value = 'nonsense' WHERE mailbox_id = %s", [broken.mailbox_id])
        run("UPDATE mailbox SET selection = 'labels' WHERE id = %s", [broken.mailbox_id])

    for _ in range(10):
        if not run_due("worker"):
            break

    assert sound.kept() == {mail}
    assert broken.state()[0] == "on"
    due = broken.due()
    assert due is not None
    assert due > clock.now()


def test_a_server_that_sends_nonsense_backs_off_and_the_others_go_on(team: Team, standin: GoogleStandin) -> None:
    strange, sound = team.mailbox("all"), team.mailbox("all")
    mail = sound.deliver(letter("mail"))
    standin.fault("gmail.messages.list", "wrong_json", account=strange.address, count=0)

    for _ in range(10):
        if not run_due("worker"):
            break

    assert sound.kept() == {mail}
    assert strange.state()[0] == "on"


def test_a_refused_token_after_an_outage_is_renewed_and_asks_nobody(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    mail = box.deliver(letter("mail"))
    standin.fault("gmail.messages.list", "status", status=503, count=1)
    box.slice()
    assert box.state() == ("on", "unreachable")

    standin.control("expire_access_tokens")
    clock.advance(700)
    box.slice()
    clock.advance(700)
    box.rest()

    assert box.state() == ("on", "")
    assert box.kept() == {mail}


def test_a_shift_ends_when_nothing_is_due_soon_and_stops_when_told(team: Team) -> None:
    box = team.mailbox("all")
    mail = box.deliver(letter("mail"))

    assert work_due("worker", stop=lambda: False) is False
    assert box.kept() == {mail}
    assert work_due("worker", stop=lambda: True) is False
