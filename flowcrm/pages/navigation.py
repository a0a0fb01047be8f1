"""The rooms of the product and what stands in the side navigation."""

from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from flowcrm.store.queries.members import Counts

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Room:
    """url_name: where it is; its address begins the addresses of everything in it."""

    url_name: str
    label: Text
    icon: str = ""
    inner: tuple["Room", ...] = ()
    for_admins: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A line of the navigation. here: "" elsewhere, "true" inside the room, "page" on the very page (aria-current)."""

    url: str
    label: Text
    icon: str
    here: str
    count: int | None = None
    inner: tuple["Link", ...] = field(default=())


ROOMS = (
    Room("emails", _("Emails"), "emails"),
    Room("contacts", _("Contacts"), "contact"),
    Room("companies", _("Companies"), "company"),
    Room(
        "settings",
        _("Settings"),
        "settings",
        (
            Room("integrations", _("Integrations")),
            Room("kept_out", _("Kept out")),
            Room("team", _("Team")),
            Room("plan", _("Plan")),
            Room("audit", _("Audit"), for_admins=True),
            Room("sending", _("Outgoing email"), for_admins=True),
            Room("profile", _("Profile")),
        ),
    ),
    Room("help", _("Help"), "help"),
)


def links(path: str, counts: Counts, *, admin: bool = False) -> tuple[Link, ...]:
    """The navigation as somebody at `path` sees it: the inner rooms only of the room he is in."""
    figures = {"contacts": counts.contacts, "companies": counts.companies}
    return tuple(_link(room, path, figures, admin=admin) for room in ROOMS)


def _link(room: Room, path: str, figures: dict[str, int], *, admin: bool) -> Link:
    url = reverse(room.url_name)
    here = "page" if path == url else "true" if path.startswith(f"{url}/") else ""
    open_rooms = [one for one in room.inner if admin or not one.for_admins] if here else []
    inner = tuple(_link(one, path, figures, admin=admin) for one in open_rooms)
    return Link(url, room.label, room.icon, here, figures.get(room.url_name), inner)
