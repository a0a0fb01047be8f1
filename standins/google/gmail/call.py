"""One API call on its way to its handler: the parameters as Google's front end checks them, and the paging that lists share."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from standins.google.errors import ApiError, bad_value, invalid
from standins.google.world import Account, World
from standins.mailbox import Mailbox
from standins.web import Json, Request

_TRUE = {"true": True, "1": True, "false": False, "0": False, "": False}
MAX_RESULTS = 500


@dataclass(frozen=True, slots=True)
class Call:
    """`path`: the variables of the route. `scopes`: of the access token. `media`: an uploaded mail, where one came that way."""

    request: Request
    world: World
    account: Account
    scopes: frozenset[str]
    path: dict[str, str]
    body: Json = field(default_factory=dict)
    media: bytes | None = field(default=None, repr=False)

    @property
    def mailbox(self) -> Mailbox:
        return self.account.mailbox

    def text(self, name: str) -> str:
        return self.request.first(name)

    def many(self, name: str) -> list[str]:
        """A repeated parameter. Commas mean nothing: Google does not split at them."""
        return [value for value in self.request.query.get(name, []) if value]

    def flag(self, name: str) -> bool:
        value = self.text(name).lower()
        if value not in _TRUE:
            raise bad_value(name, "TYPE_BOOL", value)
        return _TRUE[value]

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit():
            raise bad_value(_snake(name), "TYPE_UINT64" if name == "startHistoryId" else "TYPE_UINT32", value)
        return int(value)

    def max_results(self) -> int:
        return min(self.number("maxResults", 100) or 100, MAX_RESULTS)

    def page_token(self) -> tuple[int, int] | None:
        """The place in the order of time after which the page begins."""
        token = self.text("pageToken")
        if not token:
            return None
        if not (token.isascii() and token.isdigit()) or len(token) > 30:
            raise invalid("Invalid pageToken")
        return int(token) >> 32, int(token) & 0xFFFFFFFF

    def strings(self, name: str) -> list[str]:
        """A list of strings of the body. Raises the ApiError of anything else."""
        given: Any = self.body.get(name, [])
        if not isinstance(given, list) or not all(isinstance(value, str) for value in given):
            raise invalid(f"Invalid JSON payload received. Unknown value at '{name}'")
        return given


def json_object(data: bytes) -> Json:
    """A request's body; nothing at all is an empty object, as at Google."""
    if not data.strip():
        return {}
    try:
        body = json.loads(data)
    except ValueError:
        raise ApiError(400, "parseError", "Invalid JSON payload received. Unexpected token.") from None
    if not isinstance(body, dict):
        raise ApiError(400, "invalid", "Invalid JSON payload received. The root must be an object.")
    return body


def token_for(place: tuple[int, int]) -> str:
    """The opaque token of a page that begins after this place: digits only, as Gmail's are."""
    at_ms, arrival = place
    return str((at_ms << 32) | arrival)


@dataclass(frozen=True, slots=True)
class Page:
    """items with their places, and whether more follow."""

    items: Sequence[Any]
    next_token: str | None


def take_page(found: Iterator[tuple[tuple[int, int], Any]], limit: int) -> Page:
    """The first `limit` of an iterator of (place, item)."""
    items: list[Any] = []
    last = (0, 0)
    for place, item in found:
        if len(items) == limit:
            return Page(items, token_for(last))
        items.append(item)
        last = place
    return Page(items, None)


def wrong_estimate(shown: int, more: bool) -> int:
    """resultSizeEstimate: right only where it does not matter. Gmail's is off by multiples on anything longer than a page."""
    return 201 if more else shown


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
