"""What goes wrong at the provider, on the way, or in our own cellar: it is said, it passes, and nothing is lost."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from flowcrm.lib import clock
from flowcrm.mailboxes.connect import do_disconnect
from flowcrm.store import vaults
from flowcrm.store.db import row, workspace_scope
from flowcrm.store.plans import PLANS
from flowcrm.store.writes.instance import do_instance_setting
from flowcrm.store.writes.lease import take
from flowcrm.sync.engine import run_slice
from flowcrm.sync.outcome import FAULTS, TRIES
from standins.google.client import GoogleStandin
from tests.flow.acme import Team, connect, letter

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


@pytest.mark.parametrize(
    "fault",
    [
        {"match": "gmail.messages.get*", "kind": "status", "status": 503},
        {"match": "gmail.messages.get*", "kind": "cut"},
        {"match": "gmail.messages.get*", "kind": "drop"},
        {"match": "gmail.messages.get*", "kind": "wrong_json"},
        {"match": "gmail.messages.get*", "kind": "status", "status": 429, "reason": "rateLimitExceeded"},
        {"match": "gmail.messages.get*", "kind": "status", "status": 403, "reason": "userRateLimitExceeded"},
        {"match": "gmail.messages.list", "kind": "status", "status": 500},
        {"match": "gmail.messages.list", "kind": "duplicate_page"},
        {"match": "gmail.messages.list", "kind": "out_of_order"},
        {"match": "gmail.messages.list", "kind": "empty_page"},
        {"match": "gmail.history.list", "kind": "status", "status": 503},
        {"match": "gmail.history.list", "kind": "cut"},
        {"match": "gmail.labels.list", "kind": "drop"},
        {"match": "oauth.token", "kind": "status", "status": 503},
        {"match": "oauth.token", "kind": "status", "status": 429},
    ],
    ids=lambda fault: f"{fault['match']}-{fault['kind']}-{fault.get('status', '')}",
)
def test_a_passing_fault_costs_time_and_nothing_else(team: Team, standin: GoogleStandin, fault: dict[str, object]) -> None:
    box = team.mailbox("")
    ids = {box.deliver(letter(f"mail {n}")) for n in range(30)}
    box.choose("all")
    if str(fault["match"]).startswith("oauth"):
        clock.advance(3700)
    standin.fault(**fault, count=2)

    for _ in range(12):
        box.slice()
        clock.advance(700)

    assert box.kept() == ids
    assert box.work() == {}
    assert box.state() == ("on", "")
    with workspace_scope(team.workspace_id):
        assert row("SELECT stored FROM usage_total") == (len(ids),)


def test_an_outage_never_asks_for_a_new_sign_in(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    clock.advance(3700)
    standin.fault("/", "status", status=503, count=0)

    for _ in range(20):
        box.slice()
        assert box.state() == ("on", "unreachable")
        clock.advance(3700)


def test_disconnect_and_connect_keep_mail_settings_and_cursor(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    first = box.deliver(letter("first"))
    box.rest()
    do_disconnect(workspace_id=team.workspace_id, member_id=box.member_id, mailbox_id=box.mailbox_id)
    assert box.state()[0] == "disconnected"
    assert box.kept() == {first}
    second = box.deliver(letter("second"))
    standin.clear_log()

    connect(team, box.member_id, box.address, box.mailbox_id)
    box.rest()

    assert box.kept() == {first, second}
    # From the cursor on, not from the beginning.
    assert "gmail.messages.list" not in standin.operations()


def test_a_wrong_client_secret_is_the_administrators_business(team: Team) -> None:
    box = team.mailbox("all")
    do_instance_setting(key="google_app", value={"client_id": "nobody", "client_secret": "wrong"})

    clock.advance(3700)
    box.slice()

    assert box.state()[0] == "admin_must_act"


def test_a_mail_that_vanishes_between_list_and_fetch_is_settled(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    ids = {box.deliver(letter(f"mail {n}")) for n in range(5)}
    box.choose("all")
    standin.fault("gmail.messages.get:raw", "vanish", count=1)

    box.rest()

    assert len(box.kept()) == 4
    assert box.kept() < ids
    assert box.work() == {}


def test_one_mail_that_the_provider_cannot_give_is_set_apart_and_the_others_come_in(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    ids = [box.deliver(letter(f"mail {n}")) for n in range(5)]
    box.choose("all")
    standin.fault(f"/gmail/v1/users/me/messages/{ids[2]}", "status", status=400, reason="invalid", count=0)

    for _ in range(12):
        box.slice()
        clock.advance(3600)

    assert box.kept() == set(ids) - {ids[2]}
    assert box.work() == {ids[2]: "quarantined"}
    assert box.state() == ("on", "")


def test_outages_on_the_way_do_not_count_as_the_mails_own_faults(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    (one, other) = [box.deliver(letter(f"mail {n}")) for n in range(2)]
    box.choose("all")
    match = f"/gmail/v1/users/me/messages/{one}"
    standin.fault(match, "status", status=503, count=8)
    standin.fault(match, "status", status=400, reason="invalid", count=FAULTS - 1)

    for _ in range(20):
        box.slice()
        clock.advance(3601)

    assert box.kept() == {one, other}


def test_a_mail_that_never_comes_holds_up_neither_the_import_nor_the_work_list(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    (one, other) = [box.deliver(letter(f"mail {n}")) for n in range(2)]
    box.choose("all")
    standin.fault(f"/gmail/v1/users/me/messages/{one}", "status", status=503, count=0)

    box.rest()
    assert box.imported()
    assert (box.kept(), box.work()) == ({other}, {one: "ready"})

    # Others come through all the while.
    for n in range(TRIES):
        box.deliver(letter(f"later {n}"))
        clock.advance(3601)
        box.rest()
    assert box.work() == {one: "quarantined"}
    assert box.state() == ("on", "")


def test_an_outage_of_mails_alone_sets_none_of_them_apart(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    box.rest()
    ids = {box.deliver(letter(f"mail {n}")) for n in range(6)}
    standin.fault("gmail.messages.get*", "status", status=503, count=0)
    for _ in range(2 * TRIES):
        box.slice()
        clock.advance(3601)
    assert set(box.work().values()) == {"ready"}

    standin.control("clear_faults")
    for _ in range(3):
        box.slice()
        clock.advance(3601)
    assert (box.kept(), box.work()) == (ids, {})


def test_a_worker_that_lost_its_lease_has_no_say_about_the_mailbox(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    box.rest()
    first = take(team.workspace_id, box.mailbox_id, "sync", "first")
    assert first is not None
    clock.advance(3700)
    second = take(team.workspace_id, box.mailbox_id, "sync", "second")
    assert second is not None

    # The access token is over and the grant is dead: the first worker finds out, and may not say so.
    standin.revoke(box.address)
    run_slice(first)
    assert box.state() == ("on", "")
    run_slice(second)
    assert box.state()[0] == "reauthorize"


def test_too_fast_is_said_and_the_sync_waits_as_long_as_it_was_told(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    ids = {box.deliver(letter(f"mail {n}")) for n in range(5)}
    box.choose("all")
    standin.fault("gmail.messages.list", "status", status=429, retry_after="120", count=1)

    box.slice()
    assert box.state() == ("on", "slowed")
    due = box.due()
    assert due is not None
    assert timedelta(seconds=100) < due - clock.now() <= timedelta(seconds=125)

    clock.advance(125)
    box.rest()
    assert box.kept() == ids


def test_a_full_day_stops_import_keeps_the_reserve_and_goes_on_tomorrow(
    team: Team, standin: GoogleStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PLANS, "enterprise", replace(PLANS["enterprise"], sync_per_day=10))
    box = team.mailbox("")
    old = {box.deliver(letter(f"old {n}")) for n in range(20)}
    box.choose("all")
    box.rest()
    assert len(box.kept()) == 8
    standin.clear_log()

    new = {box.deliver(letter(f"new {n}")) for n in range(4)}
    clock.advance(301)
    box.rest()
    assert len(box.kept() & new) == 2
    # What has no room is not even fetched.
    assert standin.operations().count("gmail.messages.get:raw") == 2

    for _ in range(4):
        clock.advance(24 * 3600)
        box.rest()
    assert box.kept() == old | new
    assert box.work() == {}


def test_without_the_key_store_the_sync_waits_and_loses_nothing(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = team.mailbox("all")
    first = box.deliver(letter("first"))
    box.rest()
    second = box.deliver(letter("second"))
    away = vaults.KeyStore(str(tmp_path / "nowhere"))
    with monkeypatch.context() as without:
        without.setattr("flowcrm.store.vaults.key_store", lambda: away)
        clock.advance(301)
        box.slice()
        assert box.state() == ("on", "keys")

    clock.advance(301)
    box.rest()
    assert box.kept() == {first, second}


def test_without_the_object_store_the_sync_waits(team: Team, tmp_path: Path) -> None:
    box = team.mailbox("")
    large = box.deliver(letter("large", text="".join(f"{n} {hash(str(n))}\n" for n in range(9000))))
    box.choose("all")
    folder = Path(settings.BLOBS_URL.removeprefix("file://"))
    folder.mkdir(parents=True, exist_ok=True)
    aside = tmp_path / "aside"
    shutil.move(folder, aside)
    folder.write_text("a file where the folder should be")
    try:
        box.slice()
        assert box.state() == ("on", "store")
        assert box.kept() == set()
    finally:
        folder.unlink()
        shutil.move(aside, folder)

    clock.advance(301)
    box.rest()
    assert box.kept() == {large}


def test_an_ended_access_token_is_renewed_without_asking_anybody(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    first = box.deliver(letter("first"))
    standin.control("expire_access_tokens")

    box.slice()
    assert box.state()[0] == "on"
    box.rest()

    assert box.kept() == {first}
    assert box.state() == ("on", "")
