"""`flowcrm import`: mail from files (mbox, Maildir, folders of .eml) into a member's archive."""

import json
import resource
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from flowcrm.lib import clock
from flowcrm.ops.archives import Owner, owner_or_local
from flowcrm.ops.errors import Refused
from flowcrm.ops.mailfiles import NoMail, read
from flowcrm.sync.archive import ArchiveCount, ArchiveMail, Busy, import_mails, open_archive

app = typer.Typer()


@app.callback(invoke_without_command=True)
def import_(
    paths: Annotated[
        list[Path], typer.Argument(help="mbox files (also .xz, .gz, .bz2), Maildirs, .eml files, or folders of them.")
    ],
    report: Annotated[Path | None, typer.Option(help="Write what happened to this file, as JSON.")] = None,
    member: Annotated[str, typer.Option(help="Whose archive, by sign-in; needed where there are several people.")] = "",
    account: Annotated[str, typer.Option(help="The account's name; needed where there are several.")] = "",
) -> None:
    """Bring mail from files in. Repeating it brings nothing twice; what cannot be read is named and left where it is."""
    owner, started = owner_or_local(member, account), clock.monotonic()
    mailbox_id = open_archive(owner.workspace_id, owner.member_id, owner.email)
    problems: list[str] = []
    with _progress() as shown:
        line = shown.add_task("reading", total=None)
        try:
            count = import_mails(
                owner.workspace_id,
                mailbox_id,
                _mails(paths, problems),
                lambda so_far: shown.update(line, description=_words(so_far)),
            )
        except Busy:
            raise Refused("Another import into this archive is running. Wait for it, or end it, and repeat.") from None
    result = _result(owner, count, problems, clock.monotonic() - started)
    if report is not None:
        report.write_text(json.dumps(result, indent=2) + "\n")
    _say(count, problems)
    if problems or count.unreadable or count.waiting:
        raise typer.Exit(1)


def _mails(paths: list[Path], problems: list[str]) -> Iterator[ArchiveMail]:
    """All mails of all paths; a path that cannot be read is noted, and the next one is read."""
    for path in paths:
        try:
            for mail in read(path):
                changed_at = datetime.fromtimestamp(mail.file.stat().st_mtime, tz=UTC)
                yield ArchiveMail(mail.where, mail.raw, mail.at, mail.unread, changed_at)
        except (NoMail, OSError) as problem:
            problems.append(str(problem))


def _progress() -> Progress:
    return Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), disable=not sys.stderr.isatty())


def _words(count: ArchiveCount) -> str:
    return f"{count.read:,} read, {count.kept:,} kept, {count.known:,} known"


def _result(owner: Owner, count: ArchiveCount, problems: list[str], seconds: float) -> dict[str, Any]:
    return {
        "account": owner.account,
        "member": owner.email,
        "read": count.read,
        "kept": count.kept,
        "known": count.known,
        "messages": count.messages,
        "waiting": count.waiting,
        "unreadable": list(count.unreadable),
        "problems": problems,
        "seconds": round(seconds, 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "ok": not (problems or count.unreadable or count.waiting),
    }


def _say(count: ArchiveCount, problems: list[str]) -> None:
    typer.echo(f"{count.read:,} mails read: {count.kept:,} kept, {count.known:,} were there already.")
    if count.waiting:
        typer.echo(f"{count.waiting:,} found no room in the plan and were left out. Repeat the import when there is room.")
    for where in count.unreadable:
        typer.echo(f"Could not be read, left out: {where}", err=True)
    for problem in problems:
        typer.echo(problem, err=True)
