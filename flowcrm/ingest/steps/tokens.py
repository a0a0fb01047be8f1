"""Search tokens in their classes: people, subject, body, file names, Bcc (keyed with its mailbox), and filters."""

from collections.abc import Iterable

from flowcrm.ingest.draft import Draft
from flowcrm.mail.types import Address, Role
from flowcrm.mail.words import words

PEOPLE, SUBJECT, BODY, FILES, MAILBOX, FOLDER, HAS = "people", "subject", "body", "files", "mailbox", "folder", "has"


def bcc_class(mailbox_id: int) -> str:
    """The class of Bcc words: found only by who may read that mailbox."""
    return f"bcc/{mailbox_id}"


def make_tokens(draft: Draft) -> tuple[int, ...]:
    """All tokens of the mail, each once."""
    vault, parsed, mailbox_id = draft.context.vault, draft.parsed, draft.context.mailbox_id
    shown = [address for role, address in parsed.people if role is not Role.BCC]
    found = {
        *vault.tokens(PEOPLE, _of_people(shown)),
        *vault.tokens(SUBJECT, words(parsed.subject)),
        *vault.tokens(BODY, words(parsed.text)),
        *vault.tokens(FILES, words(" ".join(file.name for file in parsed.attachments))),
        *vault.tokens(bcc_class(mailbox_id), _of_people(parsed.of(Role.BCC))),
        *vault.tokens(FOLDER, [f"{mailbox_id}/{folder_id}" for folder_id in draft.fetched.folder_ids]),
        vault.token(MAILBOX, str(mailbox_id)),
    }
    if any(not file.inline for file in parsed.attachments):
        found.add(vault.token(HAS, "attachment"))
    return tuple(sorted(found))


def _of_people(people: Iterable[Address]) -> set[str]:
    return {word for one in people for word in _of_person(one.name, one.email)}


def _of_person(name: str, email: str) -> set[str]:
    """Words of name and address, and the whole address."""
    return {*words(name), *words(email.replace("@", " ")), email}
