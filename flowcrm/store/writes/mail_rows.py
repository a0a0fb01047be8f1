"""The rows of a page's mails: array-parameter inserts, sorted by key (COPY does not go through row-level security)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flowcrm.mail.prepared import MessageFlag
from flowcrm.mail.types import Role
from flowcrm.store.db import run
from flowcrm.store.queries.addresses import member_hashes
from flowcrm.store.writes.identity import Placed, Resolved
from flowcrm.store.writes.merge import do_drop_messages
from flowcrm.store.writes.private import do_shut

SCHEME = 1  # how search tokens were made: folded words and CJK bigrams, no stemming


def do_write_mail(workspace_id: int, mailbox_id: int, resolved: Resolved, conversations: dict[int, int]) -> None:
    """Write messages, keys, variants, files, bodies, copies, people and search rows of one page; drop merged messages."""
    placed = resolved.placed
    if not placed:
        return
    _messages(workspace_id, placed, conversations)
    _keys(workspace_id, placed)
    _variants(workspace_id, placed)
    _files(workspace_id, placed)
    _bodies(workspace_id, placed)
    _copies(workspace_id, mailbox_id, placed)
    _copy_folders(workspace_id, placed)
    _people(workspace_id, mailbox_id, placed)
    _tell_of_files(workspace_id, placed)
    _search_rows(workspace_id, placed)
    do_drop_messages(workspace_id, resolved.merged_stored)
    do_shut(workspace_id, {one.message_id for one in placed})


def _insert(workspace_id: int, into: str, columns: str, types: str, values: Sequence[tuple[Any, ...]], conflict: str) -> None:
    """INSERT … SELECT unnest(…): one array a column, rows in the order given.

    Arrays travel in binary (%b): as text, sealed bytes would double in size and be parsed twice.
    """
    if not values:
        return
    arrays = ", ".join(f"%b::{kind}[]" for kind in types.split())
    run(
        f"INSERT INTO {into} (workspace_id, {columns}) SELECT %s, t.* FROM unnest({arrays}) AS t {conflict}",
        [workspace_id, *(list(column) for column in zip(*values, strict=True))],
    )


def _messages(workspace_id: int, placed: Sequence[Placed], conversations: dict[int, int]) -> None:
    found: dict[int, tuple[Any, ...]] = {}
    # Read under the commit lock: a member who is added meanwhile finds these mails, or they find him (ours.py).
    members = member_hashes(workspace_id)
    for one in placed:
        mail = one.kept.mail
        _, _, at, ours, flags = found.get(one.message_id, (0, 0, mail.at, False, 0))
        found[one.message_id] = (
            one.message_id,
            conversations[one.message_id],
            min(at, mail.at),
            ours or mail.sent or any(person.role is Role.FROM and person.h_address in members for person in mail.people),
            flags | int(mail.flags),
        )
    _insert(
        workspace_id,
        "message",
        "id, conversation_id, at, ours, flags",
        "bigint bigint timestamptz boolean integer",
        [found[message_id] for message_id in sorted(found)],
        """ON CONFLICT (workspace_id, id) DO UPDATE SET at = least(message.at, EXCLUDED.at),
           ours = message.ours OR EXCLUDED.ours, flags = message.flags | EXCLUDED.flags""",
    )


def _keys(workspace_id: int, placed: Sequence[Placed]) -> None:
    found = {key: (one.kept.mail.gen, key, one.message_id) for one in placed for key in one.kept.mail.h_keys}
    _insert(
        workspace_id,
        "message_key",
        "gen, h_key, message_id",
        "smallint bytea bigint",
        [found[key] for key in sorted(found)],
        "ON CONFLICT DO NOTHING",
    )


def _variants(workspace_id: int, placed: Sequence[Placed]) -> None:
    found = [
        (mail.variant_id, one.message_id, mail.gen, mail.h_candidate, mail.h_content, mail.h_core, mail.h_files, mail.s_body)
        for one in placed
        if (mail := one.kept.mail).variant_id == one.variant_id
    ]
    _insert(
        workspace_id,
        "variant",
        "id, message_id, gen, h_candidate, h_content, h_core, h_files, s_body",
        "bigint bigint smallint bytea bytea bytea bytea bytea",
        sorted(found, key=lambda values: (values[3], values[4])),
        "",
    )


def _files(workspace_id: int, placed: Sequence[Placed]) -> None:
    found = [
        (file.id, one.variant_id, file.part, file.size, file.inline, file.over_limit, file.s_meta)
        for one in placed
        if one.kept.mail.variant_id == one.variant_id
        for file in one.kept.mail.files
    ]
    _insert(
        workspace_id,
        "attachment",
        "id, variant_id, part, size, inline, over_limit, s_meta",
        "bigint bigint text bigint boolean boolean bytea",
        sorted(found, key=lambda values: values[0]),
        "",
    )


def _bodies(workspace_id: int, placed: Sequence[Placed]) -> None:
    found = {
        mail.h_body: (mail.gen, mail.h_body, mail.body_id, one.kept.body_size, one.kept.s_data, one.kept.blob_ref)
        for one in placed
        if (mail := one.kept.mail)
    }
    _insert(
        workspace_id,
        "blob",
        "gen, h_content, id, size, s_data, ref",
        "smallint bytea bigint bigint bytea text",
        [found[key] for key in sorted(found)],
        "ON CONFLICT DO NOTHING",
    )


def _copies(workspace_id: int, mailbox_id: int, placed: Sequence[Placed]) -> None:
    found = [
        (
            mail.copy_id,
            one.message_id,
            one.variant_id,
            mailbox_id,
            mail.provider_id,
            mail.thread_id,
            mail.at,
            mail.s_head,
            mail.s_headers,
            mail.gen,
            mail.h_body,
            mail.body_whole,
            mail.sent,
            mail.unread,
            one.kept.capped,
        )
        for one in placed
        if (mail := one.kept.mail)
    ]
    _insert(
        workspace_id,
        "copy",
        "id, message_id, variant_id, mailbox_id, provider_id, thread_id, at, s_head, s_headers, gen, h_body, body_whole, sent,"
        " unread, capped",
        "bigint bigint bigint bigint text text timestamptz bytea bytea smallint bytea boolean boolean boolean boolean",
        sorted(found, key=lambda values: values[0]),
        "",
    )


def _copy_folders(workspace_id: int, placed: Sequence[Placed]) -> None:
    found = [(one.kept.mail.copy_id, folder_id) for one in placed for folder_id in sorted(one.kept.mail.folder_ids)]
    _insert(workspace_id, "copy_folder", "copy_id, provider_id", "bigint text", sorted(found), "ON CONFLICT DO NOTHING")


def _people(workspace_id: int, mailbox_id: int, placed: Sequence[Placed]) -> None:
    found = {
        (mail.copy_id, mail.gen, person.h_address, person.role.value): (
            person.h_domain,
            mailbox_id,
            mail.at,
            mail.unread,
            MessageFlag.HAS_FILES in mail.flags,
        )
        for one in placed
        if (mail := one.kept.mail)
        for person in mail.people
    }
    _insert(
        workspace_id,
        "participant",
        "copy_id, gen, h_address, role, h_domain, mailbox_id, at, unread, files",
        "bigint smallint bytea text bytea bigint timestamptz boolean boolean",
        [(*key, *found[key]) for key in sorted(found)],
        "",
    )


def _tell_of_files(workspace_id: int, placed: Sequence[Placed]) -> None:
    """An email has files if one of its copies has: the others, stored earlier or merged now, may not know yet."""
    # By arrays of ids: after a large import statistics are old, and a join may be planned as a walk over everything.
    run(
        f"""UPDATE participant SET files = true
            WHERE workspace_id = %(ws)s AND NOT files AND copy_id = ANY(ARRAY(
                SELECT id FROM copy WHERE workspace_id = %(ws)s AND message_id = ANY(ARRAY(
                    SELECT id FROM message
                    WHERE workspace_id = %(ws)s AND id = ANY(%(messages)s) AND flags & {MessageFlag.HAS_FILES} <> 0))))""",
        {"ws": workspace_id, "messages": sorted({one.message_id for one in placed})},
    )


def _search_rows(workspace_id: int, placed: Sequence[Placed]) -> None:
    tokens: dict[int, set[int]] = {}
    at: dict[int, datetime] = {}
    for one in placed:
        tokens.setdefault(one.message_id, set()).update(one.kept.mail.tokens)
        at[one.message_id] = min(one.kept.mail.at, at.get(one.message_id, one.kept.mail.at))
    # A two-dimensional array does not unnest, so each row's tokens travel as an array literal in text. A list writes itself a
    # third faster than its items are joined (measured), and differs from such a literal in its brackets only.
    ids = sorted(tokens)
    literals = ["{" + str(list(tokens[message_id]))[1:-1] + "}" for message_id in ids]
    run(
        """INSERT INTO search_row (workspace_id, message_id, scheme, at, tok)
           SELECT %s, t.message_id, %s, t.at, t.tok::bigint[]
           FROM unnest(%s::bigint[], %s::timestamptz[], %b::text[]) AS t (message_id, at, tok)
           ON CONFLICT (workspace_id, message_id) DO UPDATE SET at = least(search_row.at, EXCLUDED.at),
           tok = (SELECT array_agg(DISTINCT token) FROM unnest(search_row.tok || EXCLUDED.tok) AS token)""",
        [workspace_id, SCHEME, ids, [at[message_id] for message_id in ids], literals],
    )
