"""When to try again: bounded exponential back-off with full jitter. Says when; never waits, never tries.

Full jitter (any moment up to the bound) keeps many that failed together from coming back together:
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random, SystemRandom


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """first: the longest wait after the first failure; it doubles with each further one, up to most."""

    first: timedelta
    most: timedelta

    def __post_init__(self) -> None:
        if not timedelta(0) < self.first <= self.most:
            raise ValueError("a retry policy needs 0 < first <= most")

    def bound(self, attempt: int) -> timedelta:
        """The longest wait after `attempt` earlier failures (0: after the first)."""
        if attempt < 0:
            raise ValueError("attempts are counted from 0")
        growth = 2 ** min(attempt, 64)  # more changes nothing: 2**64 of the shortest timedelta is half a million years
        return self.first * growth if growth <= self.most // self.first else self.most

    def next_delay(self, attempt: int, rng: Random) -> timedelta:
        """The wait after `attempt` earlier failures: anything from nothing to the bound, as `rng` says."""
        return self.bound(attempt) * rng.random()

    def next_try(self, attempt: int, rng: Random, *, now: datetime, retry_at: datetime | None = None) -> datetime:
        """The moment of the next try. Where the other side named one, it is never earlier, and later by less than `first`."""
        if retry_at is None or retry_at <= now:
            return now + self.next_delay(attempt, rng)
        return retry_at + self.first * rng.random()

    def delay(self, attempt: int) -> timedelta:
        """`next_delay` by the system's own randomness."""
        return self.next_delay(attempt, SystemRandom())
