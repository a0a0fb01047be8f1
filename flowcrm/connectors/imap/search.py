"""Look for a few mails by what a person knows of them (SEARCH, RFC 9051 6.4.4)."""

from flowcrm.connectors.imap.errors import FolderAbsent
from flowcrm.connectors.imap.folders import Place
from flowcrm.connectors.imap.mails import Reader, arrived, look_at
from flowcrm.mail.types import Search

# A person looks through them.
MOST = 10


def search(reader: Reader, wanted: Search) -> tuple[str, ...]:
    """Ids, newest first, wherever they lie (drafts, spam and trash too)."""
    found = [one for place in reader.places().values() for one in _in_folder(reader, place, wanted)]
    newest_first = (provider_id for _, provider_id in sorted(found, reverse=True))
    return tuple(dict.fromkeys(newest_first))[:MOST]


def _in_folder(reader: Reader, place: Place, wanted: Search) -> list[tuple[float, str]]:
    criteria = ["HEADER", "Message-ID", wanted.message_id] if wanted.message_id else ["SUBJECT", wanted.subject]
    try:
        opened = reader.api.examine(place.name)
    except FolderAbsent:
        return []
    uids = reader.api.find(["UNDELETED", *criteria]).newest(MOST)
    found = arrived(reader.catalogue, look_at(reader, place, opened.validity, uids))
    return [(one.at.timestamp() if one.at else 0.0, one.provider_id) for one in found]
