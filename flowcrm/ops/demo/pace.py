"""When people write: within office hours, after plausible pauses, more of late than months ago."""

import math
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SPAN = timedelta(days=270)

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

# Shortest and longest pause in seconds. Two days of "days" become four over a weekend.
_PAUSES = {
    "soon": (4 * _MINUTE, 50 * _MINUTE),
    "hours": (_HOUR, 6 * _HOUR),
    "day": (15 * _HOUR, 30 * _HOUR),
    "days": (2 * _DAY, 4 * _DAY),
    "week": (5 * _DAY, 9 * _DAY),
}

_OPENS = time(7, 40)
_CLOSES = time(18, 20)
_SATURDAY = 5
_HOLIDAYS = ((12, 24), (12, 25), (12, 26), (12, 31), (1, 1))


def start(now: datetime, rng: random.Random) -> datetime:
    """A moment within the last nine months, likelier the nearer it is to `now`; any hour of any day."""
    # An exponent above 1 packs the starts towards now: about 2.7 % of them fall into the last day.
    return now - SPAN * 0.99 * math.pow(rng.random(), 1.55)


def weekday_start(now: datetime, rng: random.Random) -> datetime:
    """The same within European office hours. Moving weekends to Monday would make every Monday twice as busy."""
    while True:
        moment = start(now, rng)
        if not quiet(moment.date()) and _OPENS <= moment.time() <= _CLOSES:
            return moment


def after(previous: datetime, pause: str, dates: Mapping[str, date], zone: ZoneInfo, rng: random.Random) -> datetime:
    """When the answer to something of `previous` is written. pause: a key of the table above or the name of a date."""
    if pause in dates:
        morning = datetime.combine(dates[pause] + timedelta(days=1), _OPENS, zone)
        return office(max(morning, previous + timedelta(minutes=5)) + timedelta(seconds=rng.randint(0, 4 * _HOUR)), zone, rng)
    shortest, longest = _PAUSES[pause]
    return office(previous + timedelta(seconds=rng.randint(shortest, longest)), zone, rng)


def office(moment: datetime, zone: ZoneInfo, rng: random.Random) -> datetime:
    """The moment itself if it lies in an office hour of the zone, else some time in the next opened morning. In UTC."""
    local = moment.astimezone(zone)
    if not quiet(local.date()) and _OPENS <= local.time() <= _CLOSES:
        return moment.astimezone(UTC)
    day = local.date() if local.time() < _OPENS else local.date() + timedelta(days=1)
    morning = datetime.combine(working(day), _OPENS, zone)
    return (morning + timedelta(seconds=rng.randint(0, 3 * _HOUR))).astimezone(UTC)


def working(day: date) -> date:
    """The day itself, or the next on which people work."""
    while quiet(day):
        day += timedelta(days=1)
    return day


def quiet(day: date) -> bool:
    """Weekends, and the days on which hardly an office in the demo's world is open."""
    return day.weekday() >= _SATURDAY or (day.month, day.day) in _HOLIDAYS
