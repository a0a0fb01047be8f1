"""Sets of UIDs behave like sets, whatever ranges they are made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.connectors.imap.uids import Uids

_uids = st.sets(st.integers(1, 60)) | st.sets(st.integers(2**32 - 40, 2**32 - 1))


@given(_uids, _uids)
def test_they_are_sets(one: set[int], two: set[int]) -> None:
    left, right = Uids.of(one), Uids.of(two)
    assert set(left | right) == one | two
    assert set(left & right) == one & two
    assert set(left - right) == one - two
    assert set(left ^ right) == one ^ two
    assert len(left) == len(one)
    assert all((uid in left) == (uid in one) for uid in one | two)


@given(_uids)
def test_what_is_written_is_read(uids: set[int]) -> None:
    assert Uids.parse(Uids.of(uids).dump()) == Uids.of(uids)


@given(_uids, st.integers(0, 70))
def test_the_newest_and_the_oldest(uids: set[int], count: int) -> None:
    assert list(Uids.of(uids).newest(count)) == sorted(uids, reverse=True)[:count]
    assert list(Uids.of(uids).oldest(count)) == sorted(uids)[:count]


@given(_uids, st.integers(1, 70))
def test_below(uids: set[int], uid: int) -> None:
    assert set(Uids.of(uids).below(uid)) == {one for one in uids if one < uid}


def test_servers_may_write_ranges_in_any_order() -> None:
    assert Uids.parse("9:7,1,3:2,8").dump() == "1:3,7:9"


@pytest.mark.parametrize("text", ["1:*", "a", "1,", ",1", "1::2", "-1", "1 2", "99999999999"])
def test_what_is_no_set_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a set"):
        Uids.parse(text)
