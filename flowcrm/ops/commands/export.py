"""`flowcrm export`: messages as JSON lines, and their originals as .eml files."""

import json
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from flowcrm.ops.accounts import account_id
from flowcrm.ops.archives import owner_of
from flowcrm.ops.errors import Refused
from flowcrm.store import access
from flowcrm.store.db import workspace_scope
from flowcrm.store.models import Member
from flowcrm.store.reveal import ExportedMessage, reveal_export, reveal_original

app = typer.Typer()


@app.callback(invoke_without_command=True)
def export(
    file: Annotated[Path, typer.Argument(help="Where to write: one JSON object a message, a line each.")],
    eml: Annotated[Path | None, typer.Option(help="Also write each original to this folder.")] = None,
    as_: Annotated[str, typer.Option("--as", help="Only what this member may read, by sign-in; without it, everything.")] = "",
    account: Annotated[str, typer.Option(help="The account's name; needed where there are several.")] = "",
) -> None:
    """Write out mail. Every message that leaves stands in the audit log."""
    actor = _actor(as_, account)
    if eml is not None:
        eml.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(file.name + ".part")
    try:
        with (
            beside.open("w", encoding="utf-8") as out,
            Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), transient=True) as shown,
        ):
            line, written = shown.add_task("writing", total=None), 0
            for page in reveal_export(actor, "command_line"):
                _write(page, out)
                for message in page if eml is not None else ():
                    _write_original(actor, message.id, eml)
                written += len(page)
                shown.update(line, description=f"{written:,} written")
        # A cut export must not be taken for a whole one.
        beside.rename(file)
    except OSError as error:
        raise Refused(f"{error.filename or file} cannot be written: {error.strerror}.") from error
    typer.echo(f"{written:,} emails written to {file}.")


def _actor(sign_in: str, account: str) -> access.Actor:
    if not sign_in:
        workspace_id = account_id(account)
        with workspace_scope(workspace_id):
            return access.operator(workspace_id)
    owner = owner_of(sign_in, account)
    with workspace_scope(owner.workspace_id):
        return access.actor(Member.objects.get(workspace_id=owner.workspace_id, id=owner.member_id))


def _write(page: list[ExportedMessage], out: TextIO) -> None:
    for message in page:
        out.write(json.dumps(exported(message), ensure_ascii=False) + "\n")


def exported(message: ExportedMessage) -> dict[str, Any]:
    """One line of the export."""
    head = message.head
    return {
        "id": message.id,
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
        "copies": [
            {
                "id": copy.id,
                "mailbox": copy.mailbox,
                "provider_id": copy.provider_id,
                "at": copy.at.isoformat(),
                "unread": copy.unread,
                "gone_at": copy.gone_at.isoformat() if copy.gone_at else None,
            }
            for copy in message.copies
        ],
    }


def _people(people: list[list[str]]) -> list[dict[str, str]]:
    return [{"name": name, "email": email} for name, email in people]


def _write_original(actor: access.Actor, message_id: int, folder: Path | None) -> None:
    if folder is not None:
        with workspace_scope(actor.workspace_id):
            original = reveal_original(actor, message_id, "command_line")
        with (folder / f"{message_id}.eml").open("wb") as out:
            out.writelines(original.pieces)
