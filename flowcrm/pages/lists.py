"""What all lists share: the filter in the address, and where the next page begins."""

from django.http import HttpRequest

from flowcrm.store.sorting import Place

# Longer than any name that somebody types to find it.
LONGEST_FILTER = 200


def typed_filter(request: HttpRequest) -> str:
    """What was typed into the filter box (`q`)."""
    return request.GET.get("q", "").replace("\x00", "")[:LONGEST_FILTER]


def place_after(request: HttpRequest) -> Place | None:
    """Where the page begins (`after`: id and sort key, joined by a colon). None for the first, or if we did not make it."""
    row_id, _, sort_key = request.GET.get("after", "").replace("\x00", "").partition(":")
    # Eighteen digits are less than a bigint holds, and more than any id has.
    return Place(sort_key, int(row_id)) if row_id.isascii() and row_id.isdigit() and len(row_id) <= 18 else None


def as_text(place: Place | None) -> str:
    """The value of `after` for the next page; empty on the last one."""
    return f"{place.id}:{place.sort_key}" if place else ""
