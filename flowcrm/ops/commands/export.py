"""`flowcrm export`: messages as JSON lines, and their originals as .eml files."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from flowcrm.ops.accounts import account_id
from flowcrm.ops.archives import owner_of
from flowcrm.ops.outfiles import is_standard_output, make_private_folder, write_private, writing
from flowcrm.ops.stopping import stoppable
from flowcrm.ops.words import counted
from flowcrm.store import access
from flowcrm.store.db import workspace_scope
from flowcrm.store.models import Member
from flowcrm.store.reveal import ExportedCopy, ExportedMessage, reveal_copies, reveal_export

app = typer.Typer()


@app.callback(invoke_without_command=True)
def export(
    file: Annotated[
        Path,
        typer.Argument(readable=False, help='Where to write, one JSON object a line; "-": standard output.'),
    ],
    eml: Annotated[Path | None, typer.Option(help="Also write the original of each copy to this folder.")] = None,
    as_: Annotated[str, typer.Option("--as", help="Only what this member may read, by sign-in; without it, everything.")] = "",
    account: Annotated[str, typer.Option(help="The account's name; needed where there are several.")] = "",
) -> None:
    """Write out mail. Every message that leaves stands in the audit log."""
    actor = _actor(as_, account)
    with stoppable("Stopped; no export was written."):
        if eml is not None:
            make_private_folder(eml)
        with writing(file) as out, _progress() as shown:
            line, written = shown.add_task("writing", total=None), 0
            for page in reveal_export(actor, "command_line"):
                _write(actor, page, out, eml)
                written += len(page)
                shown.update(line, description=f"{written:,} written")
    to_output = is_standard_output(file)
    typer.echo(f"{counted(written, 'email')} written to {'standard output' if to_output else file}.", err=to_output)


def _progress() -> Progress:
    shown = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    return Progress(*shown, transient=True, disable=not sys.stderr.isatty(), console=Console(stderr=True))


def _actor(sign_in: str, account: str) -> access.Actor:
    if not sign_in:
        workspace_id = account_id(account)
        with workspace_scope(workspace_id):
            return access.operator(workspace_id)
    owner = owner_of(sign_in, account)
    with workspace_scope(owner.workspace_id):
        return access.actor(Member.objects.get(workspace_id=owner.workspace_id, id=owner.member_id))


def _write(actor: access.Actor, page: list[ExportedMessage], out: TextIO, eml: Path | None) -> None:
    for message in page:
        if eml is not None and message.copies:
            _write_originals(actor, message, eml)
        out.write(json.dumps(exported(message, with_originals=eml is not None), ensure_ascii=False) + "\n")


def exported(message: ExportedMessage, *, with_originals: bool) -> dict[str, Any]:
    """One line of the export: docs/how-to/mail-in-files.md has its fields."""
    head = message.head
    return {
        "conversation": message.conversation_id,
        "message_id": head["message_id"],
        "from": _people(head["from"]),
        "to": _people(head["to"]),
        "cc": _people(head["cc"]),
        "date": head["date"] or message.at.isoformat(),
        "subject": head["subject"],
        "text": message.text,
        "attachments": [{"name": name, "type": kind, "size": size} for name, kind, size in message.attachments],
        "flags": list(message.flags),
        "copies": [_copy(copy, with_originals=with_originals) for copy in message.copies],
    }


def _copy(copy: ExportedCopy, *, with_originals: bool) -> dict[str, Any]:
    return {
        "id": copy.id,
        "mailbox": copy.mailbox,
        "provider_id": copy.provider_id,
        "at": copy.at.isoformat(),
        "unread": copy.unread,
        "gone_at": copy.gone_at.isoformat() if copy.gone_at else None,
        "eml": _eml_name(copy.id) if with_originals else None,
    }


def _eml_name(copy_id: int) -> str:
    return f"{copy_id}.eml"


def _people(people: list[list[str]]) -> list[dict[str, str]]:
    return [{"name": name, "email": email} for name, email in people]


def _write_originals(actor: access.Actor, message: ExportedMessage, folder: Path) -> None:
    for copy_id, pieces in reveal_copies(actor, message.id, "command_line"):
        write_private(folder / _eml_name(copy_id), pieces)
