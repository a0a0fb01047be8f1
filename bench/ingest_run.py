"""The measured part of bench/ingest.py: `flowcrm import` without reading files; PostgreSQL commits one page beside the next."""

import resource
import time
from collections.abc import Iterator
from uuid import uuid4

import psutil

from bench.corpus import Corpus
from flowcrm.ops import postgres
from flowcrm.ops.home import Home
from flowcrm.ops.interpreter import settle_interpreter
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.vaults import key_store
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.workspaces import NewWorkspace, do_make_workspace
from flowcrm.sync.archive import ArchiveCount, ArchiveMail, import_mails, open_archive
from flowcrm.sync.stages import measured

MIB = 2**20
MEMORY_EVERY = 2_000
_SHOWN_SETTINGS = ("shared_buffers", "max_wal_size", "synchronous_commit", "fsync", "gin_pending_list_limit")


def run(home: Home, corpus: Corpus) -> Iterator[str]:
    """Import the corpus; lines for the report. Memory is this process's, without what PostgreSQL shares."""
    settle_interpreter()
    workspace_id, mailbox_id = _archive()
    memory = list[float]()

    def source() -> Iterator[ArchiveMail]:
        for number, (raw, at) in enumerate(corpus):
            yield ArchiveMail(str(number), raw, at, unread=False, undated_at=at)

    def progress(count: ArchiveCount) -> None:
        if count.read >= MEMORY_EVERY * len(memory):
            memory.append(psutil.Process().memory_info().rss / MIB)

    own, server = time.process_time(), _server_cpu(home)
    started = time.perf_counter()
    with measured() as stages:
        count = import_mails(workspace_id, mailbox_id, source(), progress)
    seconds = time.perf_counter() - started
    own, server = time.process_time() - own, _server_cpu(home) - server
    each = 1000 / count.kept
    yield f"ingest: {count.kept:,} mails of {corpus.mean:.1f} KB in {seconds:.1f} s: {count.kept / seconds:.0f} mails/s"
    yield f"  processor a mail: {own * each:.2f} ms in the worker, {server * each:.2f} ms in PostgreSQL"
    yield f"  load of the machine: {psutil.getloadavg()[0]:.1f}"
    for stage, spent in stages.items():
        yield f"  {stage:8} {spent * each:6.3f} ms a mail by the clock"
    yield f"  memory every {MEMORY_EVERY:,} mails: " + ", ".join(f"{one:.0f}" for one in memory) + " MB"
    yield f"  peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    yield "  PostgreSQL: " + ", ".join(f"{name} {_setting(name)}" for name in _SHOWN_SETTINGS)


def _server_cpu(home: Home) -> float:
    """Seconds of a processor that the server has used, its ended processes included."""
    pid = postgres.running_pid(home.data.resolve())
    assert pid is not None
    server = psutil.Process(pid)
    times = [one.cpu_times() for one in (server, *server.children(recursive=True))]
    ended = server.cpu_times()
    return sum(one.user + one.system for one in times) + ended.children_user + ended.children_system


def _setting(name: str) -> str:
    return str(rows("SELECT current_setting(%s)", [name])[0][0])


def _archive() -> tuple[int, int]:
    key_store().create_instance()
    person = do_make_person(email=f"{uuid4().hex}@acme.example", name="Anna", password=uuid4().hex)
    new = NewWorkspace(title="Bench", slug=f"b{uuid4().hex[:12]}", plan="enterprise", time_zone="UTC")
    workspace_id = do_make_workspace(new)
    with workspace_scope(workspace_id):
        member_id = do_add_member(workspace_id=workspace_id, person_id=person.id, role="admin", name="Anna", time_zone="UTC")
    return workspace_id, open_archive(workspace_id, member_id, person.email)
