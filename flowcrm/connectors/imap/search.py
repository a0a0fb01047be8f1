"""Look for a few mails by what a person knows of them (SEARCH, RFC 9051 6.4.4)."""

from flowcrm.connectors.imap.errors import FolderAbsent
from flowcrm.connectors.imap.folders import Place
from flowcrm.connectors.imap.mails import Reader, date_of, mail_id
from flowcrm.mail.types import Search

# A person looks through them.
MOST = 10


def search(reader: Reader, wanted: Search) -> tuple[str, ...]:
    """Ids, newest first, wherever they lie (drafts, spam and trash too)."""
    found = [one for place in reader.places().values() for one in _in_folder(reader, place, wanted)]
    found.sort(reverse=True)
    return tuple(provider_id for _, provider_id in found[:MOST])


def _in_folder(reader: Reader, place: Place, wanted: Search) -> list[tuple[float, str]]:
    criteria = ["HEADER", "Message-ID", wanted.message_id] if wanted.message_id else ["SUBJECT", wanted.subject]
    try:
        opened = reader.api.examine(place.name)
    except FolderAbsent:
        return []
    uids = reader.api.find(["UNDELETED", *criteria]).newest(MOST)
    dates = reader.api.fetch(uids, ["INTERNALDATE"])
    return [(date_of(dates[uid]).timestamp(), mail_id(place.id, opened.validity, uid)) for uid in uids if uid in dates]
