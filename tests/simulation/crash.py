"""Kill a real worker at random moments of an import, with faults at the provider, then look at what is in the store."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.conf import settings
from flowcrm.mail.mime import split_header

from flowcrm.lib import clock
from flowcrm.queue import wake_sync
from flowcrm.store.db import row, rows, workspace_scope
from flowcrm.store.vaults import blob_store, vault
from flowcrm.vault.seal import open_packed
from standins.google.client import Delivery, GoogleStandin
from tests.flow.acme import OLD, Box, Team, google, letter

MAILS_A_KILL = 40


@dataclass(frozen=True)
class Outcome:
    """What the proof reports. wrong: what does not hold, in words; empty when all is well."""

    kills: int
    mails: int
    wrong: tuple[str, ...]


def crash_import(database: Mapping[str, str], *, seed: int, kills: int) -> Outcome:
    """Import a mailbox with a worker that is killed `kills` times, then let it finish."""
    chance = random.Random(seed)
    _nobody_else_is_due(database)
    with google() as standin:
        box = Team(standin).mailbox("")
        raws, expected = _fill(standin, box, chance, MAILS_A_KILL * max(kills, 5))
        _trouble(standin, seed)
        box.choose("all")
        for _ in range(kills):
            _run_and_kill(standin, chance)
            # Time passes between a crash and the next start, so that what was put off is due again.
            clock.advance(chance.choice([1, 30, 90, 700]))
        standin.control("clear_faults")
        _finish(box)
        wrong = _what_is_wrong(box, raws, expected)
    return Outcome(kills, len(raws), tuple(wrong))


def _nobody_else_is_due(database: Mapping[str, str]) -> None:
    """A worker takes whatever is due; here only the mailbox of this test may be."""
    with psycopg.connect(database["owner"], autocommit=True) as connection:
        connection.execute("DELETE FROM mailbox_due")


def _fill(standin: GoogleStandin, box: Box, chance: random.Random, count: int) -> tuple[dict[str, bytes], set[str]]:
    """Mails of all sizes, some in threads, some that the rules leave out; id -> bytes, and the ids that must come in."""
    raws, labels, ids = [], [], [f"<{n}@nordlicht.example>" for n in range(count)]
    for n in range(count):
        text = "".join(f"{chance.random()}\n" for _ in range(chance.choice([3, 40, 4000])))
        answers = ids[chance.randrange(n)] if n and chance.random() < 0.5 else ""
        raws.append(letter(f"mail {n}", text=text, message_id=ids[n], answers=answers))
        labels.append(chance.choice([["INBOX"], ["INBOX", "UNREAD"], ["SENT"], ["SPAM"], ["DRAFT"]]))
    mails = [
        Delivery(raw, tuple(where), int(OLD.timestamp() * 1000) + n * 60_000)
        for n, (raw, where) in enumerate(zip(raws, labels, strict=True))
    ]
    given = standin.deliver_many(box.address, mails)
    expected = {one for one, where in zip(given, labels, strict=True) if where[0] in ("INBOX", "SENT")}
    return dict(zip(given, raws, strict=True)), expected


def _trouble(standin: GoogleStandin, seed: int) -> None:
    for number, (match, kind) in enumerate(
        [
            ("gmail.messages.get*", "status"),
            ("gmail.messages.get*", "cut"),
            ("gmail.*", "drop"),
            ("gmail.messages.list", "duplicate_page"),
        ]
    ):
        standin.fault(match, kind, probability=0.02, count=0, seed=seed + number)


def _run_and_kill(standin: GoogleStandin, chance: random.Random) -> None:
    standin.clear_log()
    worker = _start_worker()
    try:
        deadline = time.monotonic() + 20
        while not standin.log() and worker.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(chance.random() * 0.5)
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def _start_worker() -> "subprocess.Popen[bytes]":
    wake_sync()
    environment = {
        **os.environ,
        **{
            name: str(getattr(settings, name))
            for name in ("GOOGLE_AUTH_URL", "GOOGLE_TOKEN_URL", "GOOGLE_REVOKE_URL", "GMAIL_API_URL")
        },
        "FLOWCRM_ALLOW_LOOPBACK_PROVIDERS": "1",
        "GMAIL_UNITS_PER_MINUTE": str(settings.GMAIL_UNITS_PER_MINUTE),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "flowcrm", "worker", "--threads=2"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )


def _finish(box: Box) -> None:
    """The last worker may live: in this process, so that its errors are seen."""
    # The killed ones' leases end by themselves.
    clock.advance(61)
    for _ in range(40):
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
                      (SELECT count(*) FROM message), (SELECT stored FROM usage_total), (SELECT sum(used)::bigint FROM usage_day)"""
        )
    if counts != (len(expected),) * 5:
        wrong.append(f"copies, distinct copies, messages, stored, used are {counts}, not {len(expected)} each")
    wrong += [f"{provider_id} is not byte for byte what the provider has" for provider_id in _changed(box, raws)]
    return wrong


def _changed(box: Box, raws: Mapping[str, bytes]) -> list[str]:
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
            else b"".join(blob_store().stream(keys, bytes(content_id), ref))
        )
        if open_packed(keys, "headers", copy_id, bytes(s_headers)) != headers or stored != body:
            changed.append(provider_id)
    return changed
