"""One mail, one moment or one answer that could stop a mailbox for good: it does not, and what it was is said."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from struct import error as StructError
from typing import Any

import pytest

from flowcrm.connectors import oauth
from flowcrm.connectors.gmail.client import GmailConnector
from flowcrm.lib import clock
from flowcrm.mail.errors import NeedsLogin
from flowcrm.mail.prepared import Prepared
from flowcrm.mailboxes.connect import do_disconnect
from flowcrm.store.plans import PLANS
from flowcrm.store.writes.begun import MOST
from flowcrm.store.writes.lease import take
from flowcrm.sync import drain, engine
from standins.google.client import Delivery, GoogleStandin
from tests.flow.acme import OLD, Box, Team, connect, letter

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


def _rounds(box: Box, count: int) -> None:
    for _ in range(count):
        box.slice()
        clock.advance(3700)


def _two(team: Team) -> tuple[Box, str, str]:
    box = team.mailbox("")
    good, bad = box.deliver(letter("good")), box.deliver(letter("bad"))
    box.choose("all")
    return box, good, bad


def _wrap(patch: pytest.MonkeyPatch, spoil: Callable[[Prepared], Prepared], bad: str) -> None:
    """What no known mail does to us: a fault of a library or of ours, put into the one place where every mail passes."""
    real = drain.prepare

    def prepare(fetched: Any, context: Any) -> Prepared:
        done = real(fetched, context)
        return spoil(done) if fetched.provider_id == bad else done

    patch.setattr(drain, "prepare", prepare)


@pytest.mark.parametrize("error", [AssertionError, MemoryError, RuntimeError, StructError, KeyError])
def test_a_mail_that_our_code_cannot_take_is_set_apart(
    team: Team, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    box, good, bad = _two(team)

    def fail(_: Prepared) -> Prepared:
        raise error("spoilt")

    _wrap(monkeypatch, fail, bad)
    _rounds(box, 2)
    assert (box.kept(), box.work()) == ({good}, {bad: "quarantined"})
    assert box.state() == ("on", "")


def test_a_mail_whose_rows_the_database_refuses_is_set_apart(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    box, good, bad = _two(team)
    _wrap(monkeypatch, lambda done: replace(done, folder_ids=frozenset({"nul\x00"})), bad)
    _rounds(box, 2)
    assert (box.kept(), box.work()) == ({good}, {bad: "quarantined"})
    assert box.state() == ("on", "")


_DIES = """
import os, sys, django
django.setup()
from django.conf import settings
from flowcrm.store.writes.lease import take
from flowcrm.sync import drain
from flowcrm.sync.engine import run_slice

bad, workspace_id, mailbox_id, *pairs = sys.argv[1:]
for pair in pairs:
    name, _, value = pair.partition("=")
    setattr(settings, name, value if not value.isdigit() else int(value))
settings.ALLOW_LOOPBACK_PROVIDERS = True
real = drain.prepare

def prepare(fetched, context):
    if fetched.provider_id == bad:
        os._exit(9)
    return real(fetched, context)

drain.prepare = prepare
run_slice(take(int(workspace_id), int(mailbox_id), "sync", "doomed"))
"""


def test_a_mail_that_ends_every_process_is_set_apart_in_the_end(team: Team, standin: GoogleStandin) -> None:
    """As the kernel ends a process for its memory: nothing of ours runs afterwards."""
    box, good, bad = _two(team)
    others = [f"{name}={value}" for name, value in standin.settings().items()]
    words = [bad, str(team.workspace_id), str(box.mailbox_id), "GMAIL_UNITS_PER_MINUTE=10000000", *others]
    ends = []
    for _ in range(MOST + 2):
        done = subprocess.run(
            [sys.executable, "-c", _DIES, *words], env=os.environ, capture_output=True, text=True, check=False
        )
        ends.append(done.returncode)
        clock.advance(3700)
    assert ends == [9] * MOST + [0, 0], done.stderr
    assert (box.kept(), box.work()) == ({good}, {bad: "quarantined"})


def test_the_lease_is_kept_while_headers_are_read_slowly(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.contact("carla@nordlicht.example")
    box = team.mailbox("contacts")
    box.rest()
    ids = {box.deliver(letter(f"mail {n}")) for n in range(25)}
    clock.advance(301)
    real, thieves = GmailConnector.headers, []

    def slow(self: GmailConnector, provider_ids: list[str]) -> Any:
        # Rounds of parallel requests, each within its time-out.
        clock.advance(13 * -(-len(provider_ids) // 5))
        thieves.append(take(team.workspace_id, box.mailbox_id, "sync", "thief"))
        return real(self, provider_ids)

    monkeypatch.setattr(GmailConnector, "headers", slow)
    box.slice()
    assert set(thieves) == {None}
    assert box.kept() == ids


def test_filing_old_mail_leaves_the_reserve_of_the_day_to_new_mail(
    team: Team, standin: GoogleStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PLANS, "enterprise", replace(PLANS["enterprise"], sync_per_day=10))
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    old = [box.deliver(letter(f"old {n}")) for n in range(30)]
    box.choose("labels", labels=[label])
    box.rest()
    standin.label(box.address, old, add=[label])
    clock.advance(301)
    box.rest()

    new = box.deliver(letter("new"), labels=["INBOX", label])
    clock.advance(301)
    box.rest()
    assert new in box.kept()
    assert set(old) & box.kept()


def test_a_label_deleted_between_two_pages_of_its_listing_is_no_trouble(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    at = int(OLD.timestamp() * 1000)
    mails = [Delivery(letter(f"mail {n}"), labels=["INBOX", label], at_ms=at + n * 60_000) for n in range(620)]
    standin.deliver_many(box.address, mails)
    box.choose("labels", labels=[label])
    standin.fault("gmail.messages.list", "status", status=404, reason="notFound", skip=1, count=1)
    _rounds(box, 4)
    assert box.state() == ("on", "")
    assert len(box.kept()) == 620


@pytest.mark.parametrize("said", ["0", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_too_fast_with_a_moment_that_is_past_still_waits(team: Team, standin: GoogleStandin, said: str) -> None:
    box = team.mailbox("all")
    standin.fault("gmail.messages.list", "status", status=429, retry_after=said, count=0)
    for _ in range(3):
        box.slice()
        due = box.due()
        assert due is not None
        assert due > clock.now() + timedelta(seconds=1)
        clock.advance(1200)


def test_a_re_authorization_is_not_undone_by_older_news(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    box = team.mailbox("all")
    box.rest()
    clock.advance(3700)
    real = engine.settle_error

    def late(*news: Any) -> None:
        # Between the worker's refused refresh and its note, the member's re-authorization commits.
        do_disconnect(workspace_id=team.workspace_id, member_id=box.member_id, mailbox_id=box.mailbox_id)
        connect(team, box.member_id, box.address, box.mailbox_id)
        real(*news)

    def dead(*_: Any) -> None:
        raise NeedsLogin("dead", code="invalid_grant")

    with monkeypatch.context() as patch:
        patch.setattr(engine, "settle_error", late)
        patch.setattr(oauth, "refresh", dead)
        patch.setattr(oauth, "revoke", lambda *_: None)
        box.slice()
    assert box.state() == ("on", "")
    box.rest()


def test_fresh_tokens_that_are_refused_again_and_again_ask_for_a_person(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    standin.fault("gmail.*", "status", status=401, reason="authError", count=0)
    _rounds(box, 2)
    assert box.state() == ("on", "renewing")
    _rounds(box, 8)
    assert box.state()[0] == "reauthorize"


def test_what_an_admin_mended_goes_on_by_itself(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    one = box.deliver(letter("one"))
    standin.fault("gmail.*", "status", status=403, reason="accessNotConfigured", count=0)
    _rounds(box, 3)
    assert box.state() == ("admin_must_act", "accessNotConfigured")

    standin.control("clear_faults")
    _rounds(box, 3)
    assert box.state() == ("on", "")
    assert box.kept() == {one}


def test_a_listing_that_names_a_mail_takes_gone_back(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    one = box.deliver(letter("one"))
    box.rest()
    # A glitch of the provider while mails are asked about again.
    standin.expire_history(box.address)
    standin.fault("gmail.messages.get*", "status", status=404, reason="notFound", count=1)
    clock.advance(301)
    box.rest()
    assert box.kept(gone=True) == {one}

    standin.expire_history(box.address)
    clock.advance(301)
    box.rest()
    assert box.kept(gone=False) == {one}


def test_a_contact_added_in_the_last_moment_of_a_slice_does_not_wait_an_interval(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = team.mailbox("contacts")
    past = box.deliver(letter("past"))
    box.rest()
    clock.advance(301)
    real = engine.settle_well

    def late(*how: Any, finished: bool) -> None:
        team.contact("carla@nordlicht.example")
        real(*how, finished=finished)

    with monkeypatch.context() as patch:
        patch.setattr(engine, "settle_well", late)
        box.slice()
    due = box.due()
    assert due is not None
    assert due <= clock.now()
    box.rest()
    assert box.kept() == {past}
