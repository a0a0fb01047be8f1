"""The audit chain: whatever somebody who can write every table does to closed batches, `flowcrm audit verify` says it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from typer.testing import CliRunner

from flowcrm.jobs.upkeep import close_audit_batches
from flowcrm.lib import clock
from flowcrm.ops import cli
from flowcrm.store.db import close_connections, rows, run, workspace_scope
from flowcrm.store.queries.members import account_name
from flowcrm.store.vaults import key_store
from flowcrm.store.writes.audit import do_audit
from flowcrm.store.writes.audit_chain import do_close_batches
from tests.mail_helper import connect, keep, raw
from tests.people import Someone, member
from tests.store.pages import new_workspace

__all__ = ["member"]

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]

RECORDS = 3


@pytest.fixture
def owner(database: dict[str, str]) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Somebody who may write every table."""
    with psycopg.connect(database["owner"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def chain() -> int:
    """An account with batches 1, 2 and 3."""
    return chained(3)


def chained(batches: int) -> int:
    workspace_id = new_workspace()
    for _ in range(batches):
        record(workspace_id, RECORDS)
        assert do_close_batches(workspace_id) == 1
    return workspace_id


def record(workspace_id: int, count: int = 1) -> None:
    with workspace_scope(workspace_id):
        for number in range(count):
            do_audit(workspace_id=workspace_id, actor_id=7, verb="read", surface="page", object_ids=[number, 2], ip="192.0.2.7")


def verify(workspace_id: int) -> tuple[int, list[str]]:
    """What `flowcrm audit verify` ends with and prints, without the account's name."""
    name = account_name(workspace_id)
    done = CliRunner().invoke(cli.application(["audit"]), ["audit", "verify", "--workspace", name])
    return done.exit_code, [line.removeprefix(f"{name}: ") for line in done.output.splitlines()]


def prune(workspace_id: int, days: int) -> "subprocess.CompletedProcess[str]":
    """As the operator types it: only the owner of the tables may drop records."""
    words = ["audit", "prune", "--older-than", str(days), "--account", account_name(workspace_id)]
    return subprocess.run([sys.executable, "-m", "flowcrm", *words], capture_output=True, text=True, check=False)


def head_file(workspace_id: int) -> Path:
    return Path(urlsplit(settings.KEYS_URL).path) / f"workspace-{workspace_id}.audit"


def numbers(workspace_id: int) -> list[int | None]:
    with workspace_scope(workspace_id):
        return [number for (number,) in rows("SELECT batch FROM audit ORDER BY id")]


def test_an_untouched_chain_holds_and_newer_records_wait_for_their_batch(chain: int) -> None:
    record(chain, 2)
    assert verify(chain) == (
        0,
        ["9 records in 3 batches hold, from the first record on. 2 newer records are not closed into a batch yet."],
    )


def test_an_account_where_nothing_happened_has_nothing_to_close() -> None:
    workspace_id = new_workspace()
    assert do_close_batches(workspace_id) == 0
    assert verify(workspace_id)[0] == 0
    assert not head_file(workspace_id).exists()


def test_upkeep_closes_what_every_account_has_open_and_passes_over_one_without_keys() -> None:
    lost, one, other = new_workspace(), new_workspace(), new_workspace()
    for workspace_id in (lost, one, other):
        record(workspace_id)
    key_store().destroy_workspace(lost)
    close_audit_batches()
    assert [numbers(each) for each in (lost, one, other)] == [[None], [1], [1]]
    assert verify(lost)[0] == 1
    assert verify(lost)[1][0].startswith("cannot be proved.")


def test_many_open_records_go_into_several_batches() -> None:
    workspace_id = new_workspace()
    record(workspace_id, 7)
    assert do_close_batches(workspace_id, at_most=3) == 3
    assert numbers(workspace_id) == [1, 1, 1, 2, 2, 2, 3]
    assert verify(workspace_id)[0] == 0


TAMPERED = {
    "an id": ("UPDATE audit SET object_ids = '{0,3}' WHERE {second}", ["Batch 2: a record in it was changed."]),
    "a null among ids": ("UPDATE audit SET object_ids = '{0,NULL}' WHERE {second}", ["Batch 2: a record in it was changed."]),
    "who": ("UPDATE audit SET actor_id = NULL WHERE {second}", ["Batch 2: a record in it was changed."]),
    "when": ("UPDATE audit SET at = at + interval '1 microsecond' WHERE {second}", ["Batch 2: a record in it was changed."]),
    "no time at all": ("UPDATE audit SET at = 'infinity' WHERE {second}", ["Batch 2: a record in it was changed."]),
    "where from": ("UPDATE audit SET ip = '192.0.2.7/24' WHERE {second}", ["Batch 2: a record in it was changed."]),
    "letters moved over a border": (
        "UPDATE audit SET verb = 'readp', surface = 'age' WHERE {second}",
        ["Batch 2: a record in it was changed."],
    ),
    "a record deleted": ("DELETE FROM audit WHERE {second}", ["Batch 2: 1 of its records are missing."]),
    "a record taken out of its batch": (
        "UPDATE audit SET batch = NULL WHERE {second}",
        ["Batch 2: 1 of its records are missing."],
    ),
    "a record put in": (
        """INSERT INTO audit SELECT workspace_id, nextval('flow_id'), at, actor_id, verb, surface, ip, object_ids, 2
           FROM audit WHERE {second}""",
        ["Batch 2: 1 records were added to it."],
    ),
    "a record moved to the next batch": (
        "UPDATE audit SET batch = 3 WHERE {second}",
        ["Batch 2: 1 of its records are missing.", "Batch 3: 1 records were added to it."],
    ),
    "a record for a batch that never was": (
        "UPDATE audit SET batch = 99 WHERE {second}",
        ["Batch 2: 1 of its records are missing.", "Batch 99: 1 records name it, but there is no such batch."],
    ),
    "the first batch deleted": ("DELETE FROM audit_batch WHERE {ws} AND number = 1", ["Batch 1 is missing."]),
    "the middle batch deleted": ("DELETE FROM audit_batch WHERE {ws} AND number = 2", ["Batch 2 is missing."]),
    "the last batch deleted": ("DELETE FROM audit_batch WHERE {ws} AND number = 3", ["Batch 3 is missing."]),
    "the first batch deleted with its records": (
        "DELETE FROM audit_batch WHERE {ws} AND number = 1; DELETE FROM audit WHERE {ws} AND batch = 1",
        ["Batch 1 is missing."],
    ),
    "the last batches deleted with their records": (
        "DELETE FROM audit_batch WHERE {ws} AND number >= 2; DELETE FROM audit WHERE {ws} AND batch >= 2",
        ["Batches 2 to 3 are missing."],
    ),
    "everything deleted": (
        "DELETE FROM audit_batch WHERE {ws}; DELETE FROM audit WHERE {ws}",
        ["Batches 1 to 3 are missing."],
    ),
    "the middle batch deleted and the next one renumbered": (
        """DELETE FROM audit_batch WHERE {ws} AND number = 2; DELETE FROM audit WHERE {ws} AND batch = 2;
           UPDATE audit_batch SET number = 2 WHERE {ws} AND number = 3; UPDATE audit SET batch = 2 WHERE {ws} AND batch = 3""",
        [
            "Batch 2 does not follow the batch before it: the chain is cut there.",
            "Batch 2: its own line was changed, so that its MAC does not fit.",
            "Batch 3 is missing.",
        ],
    ),
    "the MACs of two batches swapped": (
        """UPDATE audit_batch b SET mac = o.mac FROM audit_batch o
           WHERE b.{ws} AND o.{ws} AND (b.number, o.number) IN ((1, 2), (2, 1))""",
        [
            "Batch 1: its own line was changed, so that its MAC does not fit.",
            "Batch 2 does not follow the batch before it: the chain is cut there.",
            "Batch 2: its own line was changed, so that its MAC does not fit.",
            "Batch 3 does not follow the batch before it: the chain is cut there.",
        ],
    ),
    "a digest made to fit a changed record": (
        "UPDATE audit_batch SET digest = sha256('forged') WHERE {ws} AND number = 2",
        ["Batch 2: its own line was changed, so that its MAC does not fit."],
    ),
    "a count made to fit a missing record": (
        "UPDATE audit_batch SET records = 2 WHERE {ws} AND number = 2; DELETE FROM audit WHERE {second}",
        ["Batch 2: its own line was changed, so that its MAC does not fit."],
    ),
    "a time of closing that no calendar has": (
        "UPDATE audit_batch SET closed_at = 'infinity' WHERE {ws} AND number = 3",
        ["Batch 3: its own line was changed, so that its MAC does not fit."],
    ),
    "a checkpoint of one's own": (
        """INSERT INTO audit_checkpoint SELECT workspace_id, number, mac, closed_at, mac FROM audit_batch
           WHERE {ws} AND number = 1; DELETE FROM audit_batch WHERE {ws} AND number = 1""",
        ["The checkpoint after batch 1 is not signed by this account's key: it was forged.", "Batch 1 is missing."],
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_tampered_with_is_said(chain: int, owner: psycopg.Connection[tuple[object, ...]], what: str) -> None:
    statement, sentences = TAMPERED[what]
    ws = f"workspace_id = {chain}"
    second = f"{ws} AND id = (SELECT max(id) FROM audit WHERE {ws} AND batch = 2)"
    owner.execute(statement.replace("{second}", second).replace("{ws}", ws))
    assert verify(chain) == (1, sentences)


def test_a_chain_copied_from_another_account_does_not_hold(chain: int, owner: psycopg.Connection[tuple[object, ...]]) -> None:
    other = chained(3)
    owner.execute("DELETE FROM audit_batch WHERE workspace_id = %s", [chain])
    owner.execute("DELETE FROM audit WHERE workspace_id = %s", [chain])
    for table, columns in (
        ("audit", "id, at, actor_id, verb, surface, ip, object_ids, batch"),
        ("audit_batch", "number, records, digest, previous, mac, closed_at"),
    ):
        copied = f"INSERT INTO {table} (workspace_id, {columns}) SELECT %s, {columns} FROM {table} WHERE workspace_id = %s"
        owner.execute(copied, [chain, other])  # type: ignore[arg-type]
    code, lines = verify(chain)
    assert code == 1
    foreign = "was closed with another key than this account's: it comes from elsewhere, or the keys do."
    assert {f"Batch {number} {foreign}" for number in (1, 2, 3)} <= set(lines)
    assert verify(other)[0] == 0


def test_a_cut_end_is_not_healed_by_the_next_batch(chain: int, owner: psycopg.Connection[tuple[object, ...]]) -> None:
    """The end is cut off, and the product goes on: what grows there instead is not what was closed."""
    owner.execute("DELETE FROM audit_batch WHERE workspace_id = %s AND number = 3", [chain])
    owner.execute("DELETE FROM audit WHERE workspace_id = %s AND batch = 3", [chain])
    for _ in range(3):
        record(chain)
        do_close_batches(chain)
    replaced = "Batch 3 is not the one that the key store remembers: the chain was cut and grown anew."
    assert verify(chain) == (1, [replaced])
    # An operator who knows why (a restored backup) lets it go, as the reference says.
    head_file(chain).unlink()
    assert verify(chain)[0] == 0


def test_a_crash_before_the_end_is_written_beside_the_keys_harms_nothing(chain: int) -> None:
    before = head_file(chain).read_bytes()
    record(chain)
    do_close_batches(chain)
    head_file(chain).write_bytes(before)
    assert verify(chain)[0] == 0
    record(chain)
    do_close_batches(chain)
    assert head_file(chain).read_bytes() != before
    assert verify(chain)[0] == 0


def test_a_record_that_commits_late_goes_into_the_next_batch(database: dict[str, str]) -> None:
    """It took its id before the records of a closed batch, and appears after: ids ascend in no order of commits."""
    workspace_id = new_workspace()
    with psycopg.connect(database["app"]) as late:
        late.execute("SELECT set_config('app.workspace', %s, true)", [str(workspace_id)])
        late.execute(
            """INSERT INTO audit (workspace_id, id, at, verb, surface, object_ids)
               VALUES (%s, nextval('flow_id'), now(), 'read', 'page', '{1}')""",
            [workspace_id],
        )
        record(workspace_id)
        assert do_close_batches(workspace_id) == 1
        late.commit()
    assert numbers(workspace_id) == [None, 1]
    assert do_close_batches(workspace_id) == 1
    assert numbers(workspace_id) == [2, 1]
    assert verify(workspace_id)[0] == 0


def test_people_who_read_while_batches_are_closed_lose_no_record() -> None:
    workspace_id, readers, closers, each = new_workspace(), 4, 2, 25
    together = Barrier(readers + closers)

    def work(step: Callable[[], object]) -> None:
        try:
            together.wait()
            for _ in range(each):
                step()
        finally:
            close_connections()

    with ThreadPoolExecutor(readers + closers) as pool:
        reading = [pool.submit(work, lambda: record(workspace_id, 2)) for _ in range(readers)]
        closing = [pool.submit(work, lambda: do_close_batches(workspace_id, at_most=7)) for _ in range(closers)]
        for done in (*reading, *closing):
            done.result()
    do_close_batches(workspace_id)

    found = numbers(workspace_id)
    assert len(found) == readers * each * 2
    assert None not in found
    assert verify(workspace_id)[0] == 0


def test_old_batches_are_dropped_behind_a_signed_checkpoint_and_the_rest_still_holds(chain: int) -> None:
    until = f"{clock.now():%Y-%m-%d %H:}"
    clock.advance(40 * 86400)
    record(chain, 2)
    do_close_batches(chain)

    done = prune(chain, 30)
    assert (done.returncode, done.stderr) == (0, "")
    assert "9 records in 3 batches dropped." in done.stdout
    assert prune(chain, 30).stdout.endswith("0 records in 0 batches dropped.\n")

    code, (line,) = verify(chain)
    assert code == 0
    assert line.startswith(f"2 records in 1 batches hold, since {until}")
    # That it was pruned is itself on record, and the chain goes on.
    assert do_close_batches(chain) == 1
    with workspace_scope(chain):
        assert rows("SELECT actor_id, object_ids FROM audit WHERE verb = 'prune'") == [(None, [1, 3])]
    assert verify(chain)[0] == 0


def test_who_viewed_an_email_long_ago_is_forgotten_with_the_records(
    member: Someone, owner: psycopg.Connection[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["testserver"])
    box = connect(member)
    long_ago, lately = keep(member.workspace_id, box, raw("one"), raw("two"))
    for message in (long_ago, lately):
        member.get(f"/emails/message/{message}")
    do_close_batches(member.workspace_id)
    clock.advance(40 * 86400)
    member.get(f"/emails/message/{lately}")
    assert prune(member.workspace_id, 30).returncode == 0
    seen = owner.execute("SELECT message_id FROM viewing WHERE workspace_id = %s", [member.workspace_id]).fetchall()
    assert seen == [(lately,)]


def test_when_all_is_dropped_the_chain_goes_on_from_the_checkpoint(
    chain: int, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    clock.advance(40 * 86400)
    assert prune(chain, 30).returncode == 0
    assert do_close_batches(chain) == 1
    assert numbers(chain) == [4]
    assert verify(chain)[0] == 0
    owner.execute("DELETE FROM audit_checkpoint WHERE workspace_id = %s", [chain])
    assert "Batches 1 to 3 are missing." in verify(chain)[1]


def test_nothing_is_dropped_from_a_chain_that_does_not_hold(chain: int, owner: psycopg.Connection[tuple[object, ...]]) -> None:
    owner.execute("UPDATE audit SET actor_id = 1 WHERE workspace_id = %s AND batch = 1", [chain])
    clock.advance(40 * 86400)
    done = prune(chain, 30)
    assert done.returncode == 1
    assert "does not hold, so nothing was dropped. See: flowcrm audit verify" in done.stderr
    assert len(numbers(chain)) == 3 * RECORDS


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET verb = 'x'",
        "UPDATE audit SET batch = NULL",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "INSERT INTO audit (workspace_id, id, at, verb, surface, object_ids, batch) VALUES ({ws}, 1, now(), '', '', '{}', 1)",
        "UPDATE audit_batch SET records = 0",
        "DELETE FROM audit_batch",
        "INSERT INTO audit_batch VALUES ({ws}, 9, 0, '', '', '', now())",
        "UPDATE audit_checkpoint SET number = 0",
        "DELETE FROM audit_checkpoint",
        "INSERT INTO audit_checkpoint VALUES ({ws}, 9, '', now(), '')",
        "SET ROLE flowcrm_audit",
    ],
)
def test_the_application_may_change_nothing_of_it(chain: int, statement: str) -> None:
    with pytest.raises(Exception, match="permission denied"), workspace_scope(chain):
        run(statement.replace("{ws}", str(chain)))
    assert verify(chain)[0] == 0


@pytest.mark.parametrize(
    ("number", "which"),
    [(9, "batch IS NULL"), (3, "batch IS NULL"), (4, "batch = 2"), (4, "false")],
    ids=["not the next", "there already", "closed records", "no records"],
)
def test_the_application_closes_only_open_records_into_the_next_batch(chain: int, number: int, which: str) -> None:
    record(chain)
    with pytest.raises(Exception, match="audit batch"), workspace_scope(chain):
        run(
            f"SELECT close_audit_batch(%s, ARRAY(SELECT id FROM audit WHERE {which}), '', '', '', now())",
            [number],
        )


def test_records_of_another_account_are_out_of_reach(chain: int) -> None:
    other = new_workspace()
    record(other)
    with workspace_scope(other):
        ids = [number for (number,) in rows("SELECT id FROM audit")]
    with pytest.raises(Exception, match="0 of 1 records are open"), workspace_scope(chain):
        run("SELECT close_audit_batch(4, %s::bigint[], '', '', '', now())", [ids])


def test_verify_without_a_name_proves_every_account(installation: dict[str, str]) -> None:
    def flowcrm(*words: str) -> str:
        command = [sys.executable, "-m", "flowcrm", *words]
        return subprocess.run(command, env={**os.environ, **installation}, capture_output=True, text=True, check=True).stdout

    for name in ("acme", "other"):
        flowcrm("workspace", "create", name)
    assert [line.partition(":")[0] for line in flowcrm("audit", "verify").splitlines()] == ["acme", "other"]
