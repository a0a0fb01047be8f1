"""Search tokens in their classes: people, subject, body, file names, Bcc (keyed with its mailbox), and filters."""

from collections.abc import Iterable

from flowcrm.ingest.draft import Draft
from flowcrm.mail.signs import has_files
from flowcrm.mail.types import Address, Role
from flowcrm.mail.words import (
    ATTACHMENT,
    BODY,
    FILES,
    FOLDER,
    HAS,
    MAILBOX,
    PEOPLE,
    SUBJECT,
    bcc_class,
    folder_word,
    of_person,
    words,
)


def make_tokens(draft: Draft) -> tuple[int, ...]:
    """All tokens of the mail, each once, in no order."""
    vault, parsed, mailbox_id = draft.context.vault, draft.parsed, draft.context.mailbox_id
    shown = [address for role, address in parsed.people if role is not Role.BCC]
    found = {
        *vault.tokens(PEOPLE, _of_people(shown)),
        *vault.tokens(SUBJECT, words(parsed.subject)),
        *vault.tokens(BODY, words(parsed.text)),
        *vault.tokens(FILES, words(" ".join(file.name for file in parsed.attachments))),
        *vault.tokens(bcc_class(mailbox_id), _of_people(parsed.of(Role.BCC))),
        *vault.tokens(FOLDER, [folder_word(mailbox_id, folder_id) for folder_id in draft.fetched.folder_ids]),
        vault.token(MAILBOX, str(mailbox_id)),
    }
    if has_files(parsed):
        found.add(vault.token(HAS, ATTACHMENT))
    return tuple(found)


def _of_people(people: Iterable[Address]) -> set[str]:
    return {word for one in people for word in of_person(one.name, one.email)}
