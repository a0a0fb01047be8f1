"""The Date header (RFC 5322 sections 3.3 and 4.3), as people and programs write it."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz

from flowcrm.mail.headers import characters

# Outside of these a date comes from a clock that was never set.
_FIRST_YEAR = 1900
_LAST_YEAR = 2099
_COMMENT = re.compile(r"\([^()]*\)?")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,]\d+)?\s*(Z|[+-]\d{2}:?\d{2})?")
# 05-FEB-2021, as databases print it.
_DASHED = re.compile(r"\b(\d{1,2})-([A-Za-z]{3})-(\d{2,4})\b")
# US zones with daylight saving as POSIX writes them; everything else that is unknown counts as UTC (RFC 5322 section 4.3).
_POSIX_ZONES = {"EST5EDT": "EST", "CST6CDT": "CST", "MST7MDT": "MST", "PST8PDT": "PST"}
_WIDEST_ZONE = timedelta(hours=24)


def parse(value: bytes) -> datetime | None:
    """The moment in UTC, or None for what is no date or lies outside of 1900 to 2099. Never raises."""
    line = _DASHED.sub(r"\1 \2 \3", _COMMENT.sub(" ", characters(value[:200]))).strip()
    for posix, plain in _POSIX_ZONES.items():
        line = line.replace(posix, plain)
    return _iso(line) or _rfc(line)


def _rfc(line: str) -> datetime | None:
    try:
        found = parsedate_tz(line)
        if found is None:
            return None
        # Three digits are years since 1900, from programs that met the year 2000 unprepared (RFC 5322 section 4.3).
        year = found[0] + 1900 if 100 <= found[0] <= 999 else found[0]
        naive = datetime(year, found[1], found[2], found[3], found[4], min(found[5], 59), tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return _moment(naive, timedelta(seconds=found[9] or 0))


def _iso(line: str) -> datetime | None:
    match = _ISO.match(line)
    if not match:
        return None
    zone = match[3] or "Z"
    hours, minutes = (0, 0) if zone == "Z" else (int(zone[:3]), int(zone[0] + zone[-2:]))
    try:
        naive = datetime.fromisoformat(f"{match[1]} {match[2]}").replace(tzinfo=UTC)
    except ValueError:
        return None
    return _moment(naive, timedelta(hours=hours, minutes=minutes))


def _moment(local: datetime, offset: timedelta) -> datetime | None:
    if not _FIRST_YEAR <= local.year <= _LAST_YEAR:
        return None
    # An offset of more than a day is a slip of the keyboard: the rest of the date is still the best we have.
    return local - offset if abs(offset) < _WIDEST_ZONE else local
