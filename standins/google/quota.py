"""Gmail's allowance: quota units a user may spend within any sixty seconds, and calls under way at once.

https://developers.google.com/workspace/gmail/api/reference/quota (prices of projects made after 2026-05-01)
"""

import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field

from flowcrm.lib import clock
from standins.google.errors import ApiError

COSTS: dict[str, int] = {
    "drafts.create": 10,
    "drafts.delete": 10,
    "drafts.get": 20,
    "drafts.list": 5,
    "drafts.send": 100,
    "drafts.update": 15,
    "getProfile": 1,
    "history.list": 2,
    "labels.create": 5,
    "labels.delete": 5,
    "labels.get": 1,
    "labels.list": 1,
    "labels.patch": 5,
    "labels.update": 5,
    "messages.attachments.get": 20,
    "messages.batchDelete": 50,
    "messages.batchModify": 50,
    "messages.delete": 10,
    "messages.get": 20,
    "messages.import": 25,
    "messages.insert": 25,
    "messages.list": 5,
    "messages.modify": 5,
    "messages.send": 100,
    "messages.trash": 5,
    "messages.untrash": 5,
    "settings.sendAs.get": 1,
    "settings.sendAs.list": 1,
    "stop": 50,
    "threads.delete": 20,
    "threads.get": 40,
    "threads.list": 10,
    "threads.modify": 10,
    "threads.trash": 10,
    "threads.untrash": 10,
    "watch": 100,
}
_MINUTE = 60.0
_PER_MINUTE = (
    "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service 'gmail.googleapis.com' "
    "for consumer 'project_number:0'."
)


@dataclass(slots=True)
class _Minute:
    """What was spent within the last sixty seconds."""

    _calls: deque[tuple[float, int]] = field(default_factory=deque)
    _units: int = 0

    def units(self, now: float) -> int:
        while self._calls and self._calls[0][0] <= now - _MINUTE:
            self._units -= self._calls.popleft()[1]
        return self._units

    def add(self, now: float, units: int) -> None:
        self._calls.append((now, units))
        self._units += units


@dataclass(slots=True)
class Quota:
    """units_per_minute: 0 is unlimited. concurrency: calls at once per user, 0 is unlimited.
    over: the status when the minute is spent, 429 or 403 (Google uses both)."""

    units_per_minute: int = 6000
    concurrency: int = 0
    over: int = 403
    costs: dict[str, int] = field(default_factory=lambda: dict(COSTS))
    _spent: defaultdict[str, "_Minute"] = field(default_factory=lambda: defaultdict(_Minute))
    _running: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spend(self, address: str, method: str) -> int:
        """Charge one call (a method as in COSTS) and return its price. Raises the ApiError of an exceeded minute."""
        units = self.costs.get(method, 5)
        if not self.units_per_minute:
            return units
        now = clock.now().timestamp()
        with self._lock:
            spent = self._spent[address]
            if spent.units(now) + units > self.units_per_minute:
                raise ApiError(self.over, "userRateLimitExceeded" if self.over == 403 else "rateLimitExceeded", _PER_MINUTE)
            spent.add(now, units)
        return units

    def enter(self, address: str, calls: int) -> int:
        """Calls begin; how many of them are too many at once, and must be refused. `leave` when they are answered."""
        with self._lock:
            self._running[address] += calls
            over = self._running[address] - self.concurrency if self.concurrency else 0
        return min(max(over, 0), calls)

    def leave(self, address: str, calls: int) -> None:
        with self._lock:
            self._running[address] -= calls


def too_many_at_once() -> ApiError:
    return ApiError(429, "rateLimitExceeded", "Too many concurrent requests for user.")
