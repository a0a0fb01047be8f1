"""`flowcrm import`: mail from files (mbox, Maildir, folders of .eml) into a member's archive."""

import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from flowcrm.lib import clock
from flowcrm.ops.archives import Owner, owner_or_local
from flowcrm.ops.errors import Refused
from flowcrm.ops.interpreter import settle_interpreter
from flowcrm.ops.mailfiles import MailFile, Problem, missing, read
from flowcrm.ops.outfiles import check_can_write
from flowcrm.ops.reports import reported
from flowcrm.ops.stopping import stoppable
from flowcrm.ops.words import counted, listed, shown_path
from flowcrm.store.plans import PLANS
from flowcrm.store.writes.lease import LeaseLost, free_leases_of_the_dead
from flowcrm.store.writes.page import SettingsChanged
from flowcrm.sync.archive import ArchiveCount, ArchiveMail, Busy, import_mails, open_archive

app = typer.Typer()


@dataclass(slots=True)
class _Run:
    """One import: what the report will say. not_mail: files in folders that were passed over."""

    paths: list[Path]
    started: float = field(default_factory=clock.monotonic)
    owner: Owner | None = None
    count: ArchiveCount = field(default_factory=ArchiveCount)
    problems: list[str] = field(default_factory=list)
    not_mail: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not (self.problems or self.count.unreadable or self.count.waiting)


@app.callback(invoke_without_command=True)
def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(readable=False, help="mbox files (also .xz, .gz, .bz2), Maildirs, .eml files, or folders of them."),
    ],
    report: Annotated[Path | None, typer.Option(readable=False, help="Write what happened to this file, as JSON.")] = None,
    member: Annotated[str, typer.Option(help="Whose archive, by sign-in; needed where there are several people.")] = "",
    account: Annotated[str, typer.Option(help="The account's name; needed where there are several.")] = "",
) -> None:
    """Bring mail from files in. Repeating it brings nothing twice; what cannot be read is named and left where it is."""
    check_can_write(report)
    run = _Run(paths)
    with stoppable("Stopped; repeat the import to go on."), reported(report, lambda: _result(run)):
        _check_paths(paths)
        run.owner = owner_or_local(member, account)
        _check_plan(run.owner)
        # A killed import of this machine must not hold up its repetition until its lease runs out.
        free_leases_of_the_dead()
        _import(run, run.owner)
    _say(run)
    if not run.ok:
        raise typer.Exit(1)


def _check_paths(paths: list[Path]) -> None:
    """Where none of them is there, somebody mistyped: nothing is to be made for that."""
    if all(missing(path) for path in paths):
        raise Refused(" ".join(f"{shown_path(path)} does not exist." for path in paths))


def _check_plan(owner: Owner) -> None:
    if not owner.plan.email_integration:
        able = [str(plan.label) for plan in PLANS.values() if plan.email_integration]
        raise Refused(
            f"{owner.account} is on the plan {owner.plan.label}, which takes no email in. Importing needs {' or '.join(able)}. "
            "Run: flowcrm workspace plan NAME professional"
        )


def _import(run: _Run, owner: Owner) -> None:
    mailbox_id = open_archive(owner.workspace_id, owner.member_id, owner.email)
    with _progress() as shown:
        line = shown.add_task("reading", total=None)

        def progress(so_far: ArchiveCount) -> None:
            run.count = so_far
            shown.update(line, description=_words(so_far))

        try:
            settle_interpreter()
            import_mails(owner.workspace_id, mailbox_id, _mails(run), progress)
        except Busy:
            raise Refused("Another import into this archive is running. Wait for it, or end it, and repeat.") from None
        except (LeaseLost, SettingsChanged):
            raise Refused("The archive was changed, or taken over, by somebody else meanwhile. Repeat the import.") from None


def _mails(run: _Run) -> Iterator[ArchiveMail]:
    """All mails of all paths; what cannot be read is noted, and the next one is read."""
    for path in run.paths:
        for found in read(path):
            match found:
                case MailFile():
                    yield ArchiveMail(found.where, found.raw, found.at, found.unread, found.changed_at)
                case Problem():
                    run.problems.append(found.text)
                case _:
                    run.not_mail.append(shown_path(found.path))


def _progress() -> Progress:
    shown = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    return Progress(*shown, disable=not sys.stderr.isatty(), console=Console(stderr=True))


def _words(count: ArchiveCount) -> str:
    return f"{count.read:,} read, {count.kept:,} kept, {count.known:,} known"


def _result(run: _Run) -> dict[str, Any]:
    count = run.count
    return {
        "account": run.owner.account if run.owner else "",
        "member": run.owner.email if run.owner else "",
        "read": count.read,
        "kept": count.kept,
        "known": count.known,
        "messages": count.messages,
        "waiting": count.waiting,
        "listed": count.listed,
        "unreadable": list(count.unreadable),
        "problems": run.problems,
        "not_mail": run.not_mail,
        "seconds": round(clock.monotonic() - run.started, 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "ok": run.ok,
    }


def _say(run: _Run) -> None:
    count = run.count
    passed = f" Passed over, as no mail: {listed(run.not_mail)}." if run.not_mail else ""
    typer.echo(f"{counted(count.read, 'mail')} read: {count.kept:,} kept, {count.known:,} there already.{passed}")
    if count.waiting:
        typer.echo(f"{counted(count.waiting, 'mail')} found no room in the plan. Repeat the import when there is room.")
    if count.listed:
        typer.echo(f"{counted(count.listed, 'mail')} left out: an exclusion list keeps out somebody in them.")
    for where in count.unreadable:
        typer.echo(f"Could not be read, left out: {where}", err=True)
    for problem in run.problems:
        typer.echo(problem, err=True)
