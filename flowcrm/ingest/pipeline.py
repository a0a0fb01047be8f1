"""From a fetched mail to one that is ready to be written. Pure: no database, no network; any bytes are taken."""

from flowcrm.ingest.draft import Draft
from flowcrm.ingest.steps.conversation import find_ties
from flowcrm.ingest.steps.files import Files, take_files
from flowcrm.ingest.steps.identity import identify
from flowcrm.ingest.steps.people import find_domains, find_people, is_sent
from flowcrm.ingest.steps.seal import seal_body, seal_head, seal_headers
from flowcrm.ingest.steps.tokens import make_tokens
from flowcrm.ingest.types import Context
from flowcrm.mail import marks, mime, signs
from flowcrm.mail.prepared import MessageFlag, Prepared
from flowcrm.mail.types import Fetched, ParsedMail


def prepare(fetched: Fetched, context: Context) -> Prepared:
    """The steps, in order."""
    parsed = mime.parse(fetched.raw)
    draft = Draft(fetched, context, parsed, tuple(marks.own_lines(parsed.text)))
    copy_id, variant_id, body_id = context.next_id(), context.next_id(), context.next_id()
    identity = identify(draft)
    files = take_files(draft)
    return Prepared(
        provider_id=fetched.provider_id,
        thread_id=fetched.thread_id,
        folder_ids=fetched.folder_ids,
        at=fetched.at,
        unread=fetched.unread,
        sent=is_sent(draft),
        flags=_flags(parsed, files),
        copy_id=copy_id,
        variant_id=variant_id,
        body_id=body_id,
        gen=context.vault.generation,
        h_candidate=identity.candidate,
        h_keys=identity.keys,
        h_content=identity.content,
        h_core=identity.core,
        h_files=identity.files,
        h_mids=find_ties(draft),
        people=find_people(draft),
        files=files.listed,
        tokens=make_tokens(draft),
        s_head=seal_head(draft, copy_id),
        s_headers=seal_headers(draft, copy_id),
        s_body=seal_body(draft, variant_id),
        h_body=context.vault.lookup_bytes("blob", files.body),
        body=files.body,
        body_whole=files.whole,
        h_domains=find_domains(draft),
    )


def _flags(parsed: ParsedMail, files: Files) -> MessageFlag:
    flags = MessageFlag(0)
    for name in parsed.flags:
        flags |= MessageFlag[name.upper()]
    if signs.has_files(parsed):
        flags |= MessageFlag.HAS_FILES
    if not files.whole:
        flags |= MessageFlag.AT_PROVIDER
    return flags
