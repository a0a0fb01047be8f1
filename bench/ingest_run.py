"""The measured part of bench/ingest.py: the stages of `flowcrm.sync.archive`, each with a stop-watch around it."""

import resource
import time
from collections.abc import Callable, Iterator
from typing import TypeVar
from uuid import uuid4

import psutil

from bench.generate import generate
from flowcrm.ingest import pipeline
from flowcrm.store.db import workspace_scope
from flowcrm.store.vaults import key_store
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.workspaces import NewWorkspace, do_make_workspace
from flowcrm.sync import archive
from flowcrm.sync.archive import ArchiveCount, ArchiveMail, import_mails, open_archive

Result = TypeVar("Result")
MIB = 2**20


class Stages:
    """Wall time by stage: wraps the functions that `archive` calls."""

    def __init__(self) -> None:
        self.seconds = {"prepare": 0.0, "bodies": 0.0, "commit": 0.0}

    def timed(self, stage: str, function: Callable[..., Result]) -> Callable[..., Result]:
        def call(*values: object, **named: object) -> Result:
            started = time.perf_counter()
            try:
                return function(*values, **named)
            finally:
                self.seconds[stage] += time.perf_counter() - started

        return call


def run(mails: int, seed: int) -> Iterator[str]:
    """Import `mails` generated mails; lines for the report."""
    workspace_id, mailbox_id = _archive()
    stages, sizes, memory = Stages(), [0], []
    archive.prepare = stages.timed("prepare", pipeline.prepare)  # type: ignore[assignment]
    archive.store_bodies = stages.timed("bodies", archive.store_bodies)  # type: ignore[assignment]
    archive.do_page = stages.timed("commit", archive.do_page)  # type: ignore[assignment]

    def source() -> Iterator[ArchiveMail]:
        for number, (raw, at, *_) in enumerate(generate(mails, seed)):
            sizes[0] += len(raw)
            yield ArchiveMail(str(number), raw, at, unread=False)

    def progress(count: ArchiveCount) -> None:
        if count.read % 2000 == 0:
            memory.append(psutil.Process().memory_info().rss / MIB)

    making = time.perf_counter()
    for _ in generate(mails, seed):
        pass
    making = time.perf_counter() - making
    started = time.perf_counter()
    count = import_mails(workspace_id, mailbox_id, source(), progress)
    # Making the mails is the bench's work, not the product's.
    seconds = time.perf_counter() - started - making
    yield f"{count.kept} mails of {sizes[0] / max(count.read, 1) / 1024:.1f} KB in {seconds:.1f} s: {count.kept / seconds:.0f} mails/s"
    for stage, spent in stages.seconds.items():
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
