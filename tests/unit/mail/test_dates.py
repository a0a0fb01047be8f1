"""The Date header, as people and programs write it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail import dates


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (b"Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21T15:55:06"),
        (b"21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06"),
        (b"Thu,\r\n 13\r\n  Feb\r\n  2003\r\n 23:32\r\n   -0330 (Newfoundland Time)", "2003-02-14T03:02:00"),
        (b"05-FEB-2021 22:05:02", "2021-02-05T22:05:02"),
        (b"Mon, 1 Jan 101 00:00:00 +0000", "2001-01-01T00:00:00"),
        (b"Mon, 2 Sep 2002 10:00:00 EST5EDT", "2002-09-02T15:00:00"),
        (b"Mon, 2 Sep 2002 10:00:00 EDT", "2002-09-02T14:00:00"),
        ("Mon, 2 Sep 2002 10:00:00 +0200 (Mitteleuropäische Sommerzeit)".encode("latin-1"), "2002-09-02T08:00:00"),
        (b"2002-09-02T10:00:00+02:00", "2002-09-02T08:00:00"),
        (b"2002-09-02 10:00:00Z", "2002-09-02T10:00:00"),
        (b"Mon, 2 Sep 2002 10:00:60 +0000", "2002-09-02T10:00:59"),
        (b"Mon, 2 Sep 2002 10:00:00 -25530", "2002-09-02T10:00:00"),
        (b"Mon Sep  2 10:00:00 2002", "2002-09-02T10:00:00"),
        (b"Mon, 2 Sep 2002 10:00:00 -0000", "2002-09-02T10:00:00"),
    ],
)
def test_moments(value: bytes, moment: str) -> None:
    assert dates.parse(value) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "value", [b"", b"yesterday", b"Sat, 30 Feb 2002 10:00:00 +0000", b"1 Jan 3609 00:00:00 +0000", b"1030000000"]
)
def test_what_is_no_date_has_none(value: bytes) -> None:
    assert dates.parse(value) is None


@given(st.one_of(st.binary(max_size=60), st.text(alphabet="0123456789 :+-,JanFebMonTue()", max_size=40).map(str.encode)))
def test_any_value_is_a_moment_within_reason_or_none(value: bytes) -> None:
    moment = dates.parse(value)
    assert moment is None or (moment.tzinfo is UTC and 1899 <= moment.year <= 2100)
