"""What becomes of the emails of an address that is taken off a contact's form: said before it is saved."""

from dataclasses import dataclass

from flowcrm.mail.addresses import normalise
from flowcrm.pages.emails.lists import who_looks
from flowcrm.pages.http import MemberRequest
from flowcrm.store.queries.contacts import ContactRecord
from flowcrm.store.queries.exclusion_reach import COUNT_AT_MOST, held_elsewhere, reach_of, wanted_people
from flowcrm.store.vaults import vault


@dataclass(frozen=True, slots=True)
class Leaving:
    """addresses: those that are not in the form any more. emails: how many of the member's own name them; more: or even more
    than that. held: how many more colleagues have."""

    addresses: tuple[str, ...]
    emails: int
    more: bool
    held: int


def leaving(request: MemberRequest, contact: ContactRecord) -> Leaving | None:
    """None where every address of the contact is still there."""
    typed = {normalise(one) for one in request.POST.getlist("addresses")}
    gone = tuple(one for one in contact.addresses if one not in typed)
    if not gone:
        return None
    looking, wanted = who_looks(request), wanted_people(vault(request.workspace.id), gone)
    mine = reach_of(looking, wanted, account=False)
    return Leaving(gone, min(mine.emails, COUNT_AT_MOST), mine.more, held_elsewhere(looking, wanted))
