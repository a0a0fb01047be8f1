"""The time zones that a person may choose."""

from functools import cache
from itertools import groupby
from zoneinfo import available_timezones

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")

Choices = list[tuple[str | Promise, list[tuple[str, str]]]]


@cache
def zone_choices() -> Choices:
    """Every place of the IANA database, by region, as a form's choices. UTC comes first."""
    names = sorted(name for name in available_timezones() if name.split("/")[0] in _REGIONS)
    regions: Choices = [(_("Everywhere"), [("UTC", "UTC")])]
    for region, places in groupby(names, key=lambda name: name.split("/")[0]):
        regions.append((region, [(name, name.replace("_", " ")) for name in places]))
    return regions
