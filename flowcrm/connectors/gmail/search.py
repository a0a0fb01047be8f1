"""Look for a few mails by what a person knows of them (search operators: https://support.google.com/mail/answer/7190)."""

import re

from flowcrm.connectors.gmail.api import Api
from flowcrm.mail.types import Search

# A person looks through them.
MOST = 10


def search(api: Api, wanted: Search) -> tuple[str, ...]:
    """Ids, newest first, wherever they lie (drafts, spam and trash too)."""
    query = f"rfc822msgid:{_term(wanted.message_id)}" if wanted.message_id else f"subject:({_phrase(wanted.subject)})"
    params = [("maxResults", str(MOST)), ("q", query), ("includeSpamTrash", "true")]
    answer = api.ask("messages.list", "messages", params)
    return tuple(str(message["id"]) for message in answer.get("messages") or ())


def _term(text: str) -> str:
    return re.sub(r"[\s(){}\"]", "", text)


def _phrase(text: str) -> str:
    """Quoted, so that nothing in a subject is taken for a word of the search."""
    return f'"{re.sub(chr(34), " ", text).strip()}"'
