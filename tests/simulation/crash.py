"""Kill a real worker at random moments of an import, with faults at the provider, then look at what is in the store."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg
from django.conf import settings

from flowcrm.lib import clock
from flowcrm.mail.mime import split_header
from flowcrm.queue import wake_sync
from flowcrm.store.db import row, rows, workspace_scope
from flowcrm.store.vaults import blob_store, vault
from flowcrm.vault.seal import open_packed
from standins.google.client import Delivery, GoogleStandin
from tests.flow.acme import OLD, Box, Team, google, letter
from tests.prove.proof import Figures
from tests.simulation.moving import moving_clock

KILLS = 10
# Ten times a hundred requests, and what is asked in the moment before the kill, are fewer than these need.
MAILS = 2400
# A batch is fifty mails: somewhere among these requests lies a commit, or two.
REQUESTS = 100


def prove(seed: int) -> Figures:
    """Import a mailbox with a worker that is killed ten times, let the last one finish, and compare."""
    chance = random.Random(seed)
    with moving_clock(), google() as standin:
        _nobody_else_is_due()
        box = Team(standin).mailbox("")
        raws, expected = _fill(standin, box, chance)
        _trouble(standin, seed)
        box.choose("all")
        found_by_kills = [_run_and_kill(standin, box, chance) for _ in range(KILLS)]
        standin.control("clear_faults")
        _finish(box)
        wrong = _what_is_wrong(box, raws, expected)
    assert wrong == []
    # A kill proves nothing where everything was done before it.
    assert found_by_kills[-1] < len(expected), "the import was over before the last kill"
    return {
        "kills": KILLS,
        "mails imported": len(expected),
        "of them before the last kill": found_by_kills[-1],
        "pages committed between kills": len(set(found_by_kills)) - 1,
    }


def _nobody_else_is_due() -> None:
    """A worker takes whatever is due; here only the mailbox of this test may be."""
    with psycopg.connect(os.environ["DATABASE_URL_OWNER"], autocommit=True) as connection:
        connection.execute("DELETE FROM mailbox_due")


def _fill(standin: GoogleStandin, box: Box, chance: random.Random) -> tuple[dict[str, bytes], set[str]]:
    """Mails of all sizes, some in threads, some that the rules leave out; id -> bytes, and the ids that must come in."""
    ids = [f"<{n}@nordlicht.example>" for n in range(MAILS)]
    mails = []
    for n in range(MAILS):
        text = "".join(f"{chance.random()}\n" for _ in range(chance.choice([3, 3, 40, 1000])))
        answers = ids[chance.randrange(n)] if n and chance.random() < 0.5 else ""
        raw = letter(f"mail {n}", text=text, message_id=ids[n], answers=answers)
        labels = chance.choice([("INBOX",), ("INBOX", "UNREAD"), ("SENT",), ("SPAM",), ("DRAFT",)])
        mails.append(Delivery(raw, labels, int(OLD.timestamp() * 1000) + n * 60_000))
    given = standin.deliver_many(box.address, mails)
    expected = {one for one, mail in zip(given, mails, strict=True) if mail.labels[0] in ("INBOX", "SENT")}
    return {one: mail.raw for one, mail in zip(given, mails, strict=True)}, expected


def _trouble(standin: GoogleStandin, seed: int) -> None:
    kinds = [
        ("gmail.messages.get*", "status"),
        ("gmail.messages.get*", "cut"),
        ("gmail.*", "drop"),
        ("gmail.messages.list", "duplicate_page"),
    ]
    for number, (match, kind) in enumerate(kinds):
        standin.fault(match, kind, probability=0.01, count=0, seed=seed + number)


def _run_and_kill(standin: GoogleStandin, box: Box, chance: random.Random) -> int:
    """Start a worker, let it ask some requests, and kill it a moment later; how many mails are there then."""
    standin.clear_log()
    worker = _start_worker()
    try:
        _wait_for(standin, worker, chance.randrange(1, REQUESTS))
        time.sleep(chance.random() * 0.05)
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    # Time passes before the next start: the killed one's lease may have run out or not, but what it put off is due.
    clock.advance(chance.choice([1, 30, 90, 700]))
    due = box.due()
    assert due is not None
    clock.advance(max((due - clock.now()).total_seconds(), 0))
    return len(box.kept())


def _wait_for(standin: GoogleStandin, worker: "subprocess.Popen[bytes]", requests: int) -> None:
    """Until so many requests have come, or none any more (what is left is not due yet)."""
    patience, seen = time.monotonic() + 20, 0
    while seen < requests and worker.poll() is None and time.monotonic() < patience:
        now = len(standin.log())
        if now != seen:
            patience, seen = time.monotonic() + 1, now
        time.sleep(0.005)


def _start_worker() -> "subprocess.Popen[bytes]":
    wake_sync()
    urls = {
        name: getattr(settings, name) for name in ("GOOGLE_AUTH_URL", "GOOGLE_TOKEN_URL", "GOOGLE_REVOKE_URL", "GMAIL_API_URL")
    }
    allowed = {"FLOWCRM_ALLOW_LOOPBACK_PROVIDERS": "1", "GMAIL_UNITS_PER_MINUTE": str(settings.GMAIL_UNITS_PER_MINUTE)}
    return subprocess.Popen(
        [sys.executable, "-m", "flowcrm", "worker", "--threads=2"],
        env=os.environ | urls | allowed,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )


def _finish(box: Box) -> None:
    """The last worker may live: in this process, so that its errors are seen."""
    # The killed ones' leases end by themselves.
    clock.advance(61)
    for _ in range(60):
        box.slice()
        due = box.due()
        if due is not None and due > clock.now() and not box.work():
            return
        clock.advance(700)


def _what_is_wrong(box: Box, raws: Mapping[str, bytes], expected: set[str]) -> list[str]:
    wrong = []
    if box.kept() != expected:
        wrong.append(f"{len(expected - box.kept())} mails missing, {len(box.kept() - expected)} too many")
    if box.work():
        wrong.append(f"{len(box.work())} rows are left on the work-list")
    with workspace_scope(box.team.workspace_id):
        counts = row(
            """SELECT (SELECT count(*) FROM copy), (SELECT count(DISTINCT provider_id) FROM copy),
                      (SELECT count(*) FROM message), (SELECT stored FROM usage_total),
                      (SELECT sum(used)::bigint FROM usage_day)"""
        )
    if counts != (len(expected),) * 5:
        wrong.append(f"copies, distinct copies, messages, stored, used are {counts}, not {len(expected)} each")
    return wrong + [f"{provider_id} is not byte for byte what the provider has" for provider_id in _changed(box, raws)]


def _changed(box: Box, raws: Mapping[str, bytes]) -> Sequence[str]:
    """Kept mails whose original cannot be given back byte for byte."""
    keys, changed = vault(box.team.workspace_id), []
    with workspace_scope(box.team.workspace_id):
        found = rows(
            """SELECT c.provider_id, c.id, c.s_headers, b.id, b.s_data, b.ref, b.h_content
               FROM copy c JOIN blob b ON b.workspace_id = c.workspace_id AND b.gen = c.gen AND b.h_content = c.h_body"""
        )
    if len(found) != len(box.kept()):
        changed.append("a copy without a body")
    for provider_id, copy_id, s_headers, body_id, s_data, ref, content_id in found:
        headers, body = split_header(raws[provider_id])
        stored = (
            open_packed(keys, "blob", body_id, bytes(s_data))
            if s_data is not None
            else blob_store().open(keys, bytes(content_id), ref)
        )
        if open_packed(keys, "headers", copy_id, bytes(s_headers)) != headers or stored != body:
            changed.append(provider_id)
    return changed
