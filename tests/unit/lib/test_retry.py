"""lib.retry: waits grow, stay bounded, differ, and respect what the other side asked for."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.lib.retry import RetryPolicy

POLICY = RetryPolicy(first=timedelta(seconds=15), most=timedelta(minutes=10))
NOW = datetime(2025, 11, 3, 9, 0, tzinfo=UTC)
ATTEMPTS = st.integers(0, 10**6)
SEEDS = st.integers(0, 2**32)
SPANS = st.timedeltas(timedelta(microseconds=1), timedelta(days=400))


class Fixed(Random):
    """Dice that always show the same."""

    def __init__(self, shown: float) -> None:
        super().__init__()
        self.shown = shown

    def random(self) -> float:
        return self.shown


def test_the_bound_doubles_until_it_is_reached() -> None:
    assert [POLICY.bound(attempt).total_seconds() for attempt in range(8)] == [15, 30, 60, 120, 240, 480, 600, 600]


@given(attempt=ATTEMPTS, first=SPANS, more=SPANS)
def test_the_bound_never_shrinks_and_never_passes_the_most(attempt: int, first: timedelta, more: timedelta) -> None:
    policy = RetryPolicy(first=first, most=first + more)
    assert first <= policy.bound(attempt) <= policy.bound(attempt + 1) <= policy.most


@given(attempt=ATTEMPTS, seed=SEEDS)
def test_a_wait_lies_between_nothing_and_the_bound(attempt: int, seed: int) -> None:
    assert timedelta(0) <= POLICY.next_delay(attempt, Random(seed)) <= POLICY.bound(attempt)
    assert timedelta(0) <= POLICY.delay(attempt) <= POLICY.bound(attempt)


def test_waits_use_the_whole_range() -> None:
    assert POLICY.next_delay(1, Fixed(0.0)) == timedelta(0)
    assert POLICY.next_delay(1, Fixed(0.5)) == timedelta(seconds=15)
    assert POLICY.next_delay(1, Fixed(0.999)) > timedelta(seconds=29)


def test_the_same_dice_give_the_same_waits() -> None:
    assert [POLICY.next_delay(n, Random(7)) for n in range(5)] == [POLICY.next_delay(n, Random(7)) for n in range(5)]


def test_those_who_failed_together_do_not_come_back_together() -> None:
    rng = Random(7)
    assert len({POLICY.next_delay(3, rng) for _ in range(100)}) == 100


@given(attempt=ATTEMPTS, seed=SEEDS, ahead=st.timedeltas(timedelta(microseconds=1), timedelta(days=30)))
def test_a_moment_that_was_asked_for_is_respected_and_hardly_exceeded(attempt: int, seed: int, ahead: timedelta) -> None:
    at = POLICY.next_try(attempt, Random(seed), now=NOW, retry_at=NOW + ahead)
    assert NOW + ahead <= at <= NOW + ahead + POLICY.first


@pytest.mark.parametrize("retry_at", [None, NOW, NOW - timedelta(hours=1)])
def test_without_a_moment_ahead_the_back_off_counts(retry_at: datetime | None) -> None:
    assert POLICY.next_try(1, Fixed(0.5), now=NOW, retry_at=retry_at) == NOW + timedelta(seconds=15)


@pytest.mark.parametrize(("first", "most"), [(0, 10), (-1, 10), (11, 10)])
def test_a_policy_that_makes_no_sense_is_refused(first: int, most: int) -> None:
    with pytest.raises(ValueError, match="0 < first <= most"):
        RetryPolicy(first=timedelta(seconds=first), most=timedelta(seconds=most))


def test_attempts_are_not_negative() -> None:
    with pytest.raises(ValueError, match="counted from 0"):
        POLICY.bound(-1)
