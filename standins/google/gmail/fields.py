"""Partial answers: the `fields` parameter of all Google APIs, as "nextPageToken,messages(id,payload/headers)".

https://developers.google.com/workspace/gmail/api/guides/performance#partial-response
"""

import re
from typing import Any

from standins.google.errors import ApiError
from standins.web import Json

_TOKEN = re.compile(r"[A-Za-z0-9_*]+|[(),/]")
_Mask = dict[str, "_Mask"]


def keep_fields(answer: Json, wanted: str) -> Json:
    """Only the named parts; all of it without a mask. Raises the ApiError of a mask that cannot be read."""
    if not wanted or wanted == "*":
        return answer
    tokens = _TOKEN.findall(wanted)
    if "".join(tokens) != wanted.replace(" ", ""):
        raise _bad(wanted)
    mask, rest = _read(tokens)
    if rest:
        raise _bad(wanted)
    kept: Json = _apply(answer, mask)
    return kept


def _read(tokens: list[str]) -> tuple[_Mask, list[str]]:
    """A list of paths up to a closing bracket or the end, and what follows it."""
    mask: _Mask = {}
    while tokens and tokens[0] != ")":
        if tokens[0] == ",":
            tokens = tokens[1:]
            continue
        inside = mask.setdefault(tokens[0], {})
        tokens = tokens[1:]
        while len(tokens) > 1 and tokens[0] == "/":
            inside = inside.setdefault(tokens[1], {})
            tokens = tokens[2:]
        if tokens and tokens[0] == "(":
            nested, tokens = _read(tokens[1:])
            inside.update(nested)
            if not tokens:
                raise _bad("(")
            tokens = tokens[1:]
    return mask, tokens


def _apply(value: Any, mask: _Mask) -> Any:
    if not mask or "*" in mask:
        return value
    if isinstance(value, list):
        return [_apply(item, mask) for item in value]
    if isinstance(value, dict):
        return {name: _apply(inner, mask[name]) for name, inner in value.items() if name in mask}
    return value


def _bad(wanted: str) -> ApiError:
    return ApiError(400, "invalidParameter", f"Invalid field selection {wanted}", location="parameter:fields")
