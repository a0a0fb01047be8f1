"""The measured part of bench/ingest.py: `flowcrm import` without reading files; PostgreSQL commits one page beside the next."""

import resource
import time
from collections.abc import Iterator
from uuid import uuid4

import psutil

from bench.generate import generate
from flowcrm.store.db import workspace_scope
from flowcrm.store.vaults import key_store
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.workspaces import NewWorkspace, do_make_workspace
from flowcrm.sync.archive import ArchiveCount, ArchiveMail, import_mails, open_archive
from flowcrm.sync.stages import measured

MIB = 2**20


def run(mails: int, seed: int) -> Iterator[str]:
    """Import `mails` generated mails; lines for the report."""
    workspace_id, mailbox_id = _archive()
    sizes, memory = [0], list[float]()

    def source() -> Iterator[ArchiveMail]:
        for number, (raw, at, *_) in enumerate(generate(mails, seed)):
            sizes[0] += len(raw)
            yield ArchiveMail(str(number), raw, at, unread=False, undated_at=at)

    def progress(count: ArchiveCount) -> None:
        if count.read % 2000 == 0:
            memory.append(psutil.Process().memory_info().rss / MIB)

    making = time.perf_counter()
    for _ in generate(mails, seed):
        pass
    making = time.perf_counter() - making
    started = time.perf_counter()
    with measured() as stages:
        count = import_mails(workspace_id, mailbox_id, source(), progress)
    # Making the mails is the bench's work, not the product's.
    seconds = time.perf_counter() - started - making
    mean = sizes[0] / max(count.read, 1) / 1024
    yield f"{count.kept} mails of {mean:.1f} KB in {seconds:.1f} s: {count.kept / seconds:.0f} mails/s"
    for stage, spent in stages.items():
        yield f"  {stage:8} {1000 * spent / mails:6.3f} ms a mail, {100 * spent / seconds:3.0f} %"
    yield "  memory every 2,000 mails: " + ", ".join(f"{one:.0f}" for one in memory) + " MB"
    yield f"  peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"


def _archive() -> tuple[int, int]:
    key_store().create_instance()
    person = do_make_person(email=f"{uuid4().hex}@acme.example", name="Anna", password=uuid4().hex)
    new = NewWorkspace(title="Bench", slug=f"b{uuid4().hex[:12]}", plan="enterprise", time_zone="UTC")
    workspace_id = do_make_workspace(new)
    with workspace_scope(workspace_id):
        member_id = do_add_member(workspace_id=workspace_id, person_id=person.id, role="admin", name="Anna", time_zone="UTC")
    return workspace_id, open_archive(workspace_id, member_id, person.email)
