"""Mails that come as media instead of base64: POST /upload/gmail/v1/…?uploadType=media or multipart.

https://developers.google.com/workspace/gmail/api/guides/uploads
"""

from standins.google import multipart
from standins.google.errors import ApiError, invalid
from standins.google.gmail.call import json_object
from standins.web import Json, Request

MAX_BYTES = 150 * 1024 * 1024


def read(request: Request) -> tuple[Json, bytes | None]:
    """The JSON part and the media part of a request, whichever way it came."""
    if len(request.body) > MAX_BYTES:
        raise ApiError(413)
    if not request.raw_path.startswith("/upload"):
        return json_object(request.body), None
    kind = request.first("uploadType", "media")
    if kind == "media":
        return {}, request.body
    if kind == "multipart":
        return _related(request)
    raise invalid(f"The stand-in takes uploadType media and multipart, not {kind}")


def _related(request: Request) -> tuple[Json, bytes]:
    parts = multipart.split(request.body, request.headers.get("content-type", ""))
    if len(parts) != 2:
        raise invalid("Malformed multipart body.")
    return json_object(parts[0][1]), parts[1][1]
