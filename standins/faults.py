"""Faults on demand: what a provider or the network may do to an answer, chosen by a test and repeatable by its seed."""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from fnmatch import fnmatchcase


class FaultKind(StrEnum):
    """STATUS: an error answer.
    TIMEOUT: no answer for `seconds`, then the connection closes. DROP: it closes at once, without a byte.
    CUT: it closes in the middle of the body. SLOW: the answer comes `seconds` late. WRONG_JSON: a 200 that is no JSON.
    DUPLICATE_PAGE: the page token leads to the same page again. OUT_OF_ORDER: the items of the page are shuffled.
    EMPTY_PAGE: a page without items, with a token for the items it should have held.
    VANISH: the mail that was asked for, or the last one listed, is deleted for good at this moment.
    """

    STATUS = "status"
    TIMEOUT = "timeout"
    DROP = "drop"
    CUT = "cut"
    SLOW = "slow"
    WRONG_JSON = "wrong_json"
    DUPLICATE_PAGE = "duplicate_page"
    OUT_OF_ORDER = "out_of_order"
    EMPTY_PAGE = "empty_page"
    VANISH = "vanish"


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule.

    match: a path prefix ("/gmail/v1/users/me/labels"), or an operation, also with * ("gmail.messages.*", "oauth.token"),
        with its format where it has one ("gmail.messages.get:raw").
    account: only for this address; "" for all.
    status, reason, message, retry_after: of a STATUS fault; empty ones get the provider's usual words.
    seconds: of TIMEOUT and SLOW.
    applied: the operation is carried out before the fault (a lost answer) instead of refused; CUT always is.
    skip, every, count: spare the first matches, then hit every n-th, at most `count` times (0: for ever).
    probability, seed: hit by chance, the same chances for the same seed.
    """

    match: str
    kind: FaultKind
    account: str = ""
    status: int = 503
    reason: str = ""
    message: str = ""
    retry_after: str = ""
    seconds: float = 1.0
    applied: bool = False
    skip: int = 0
    every: int = 1
    count: int = 1
    probability: float = 1.0
    seed: int = 0

    @classmethod
    def from_json(cls, given: Mapping[str, object]) -> "Fault":
        """Raises ValueError for an unknown field or kind."""
        unknown = set(given) - {known.name for known in fields(cls)}
        if unknown:
            raise ValueError(f"A fault has no {', '.join(sorted(unknown))}")
        return cls(**{**given, "kind": FaultKind(str(given.get("kind")))})  # type: ignore[arg-type]

    def fits(self, path: str, operation: str, variant: str, account: str) -> bool:
        if self.account and self.account != account:
            return False
        if self.match.startswith("/"):
            return path.startswith(self.match)
        return fnmatchcase(operation, self.match) or fnmatchcase(f"{operation}:{variant}", self.match)


@dataclass(slots=True)
class _Armed:
    fault: Fault
    chance: random.Random
    seen: int = 0
    hits: int = 0


@dataclass(slots=True)
class FaultBook:
    """The faults in force. The first one that is due takes the request."""

    _armed: list[_Armed] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._armed.append(_Armed(fault, random.Random(fault.seed)))

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def hits(self) -> list[tuple[Fault, int]]:
        """Each fault with how often it has struck."""
        with self._lock:
            return [(armed.fault, armed.hits) for armed in self._armed]

    def strike(self, path: str, operation: str, variant: str, account: str) -> Fault | None:
        """The fault that this request meets, if any; counts as a hit."""
        if not self._armed:
            return None
        with self._lock:
            for armed in self._armed:
                if armed.fault.fits(path, operation, variant, account) and _is_due(armed):
                    armed.hits += 1
                    return armed.fault
        return None


def _is_due(armed: _Armed) -> bool:
    fault = armed.fault
    if fault.count and armed.hits >= fault.count:
        return False
    armed.seen += 1
    if armed.seen <= fault.skip or (armed.seen - fault.skip) % fault.every:
        return False
    return fault.probability >= 1 or armed.chance.random() < fault.probability
