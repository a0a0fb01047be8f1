"""Sets of UIDs as IMAP writes them: ranges. A folder of a million mails is usually a handful of them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_SET = re.compile(r"\d{1,10}(:\d{1,10})?(,\d{1,10}(:\d{1,10})?)*")

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Uids:
    """A set of UIDs. ranges: (first, last), ascending, apart from each other by at least one."""

    ranges: tuple[Range, ...] = ()

    @classmethod
    def of(cls, uids: Iterable[int]) -> "Uids":
        return cls(_joined((uid, uid) for uid in sorted(set(uids))))

    @classmethod
    def parse(cls, text: str) -> "Uids":
        """A sequence-set (RFC 9051, 9) without "*"; "" is none. Raises ValueError for anything else."""
        if not text:
            return cls()
        if not _SET.fullmatch(text):
            raise ValueError("not a set of UIDs")
        pairs = (part.partition(":") for part in text.split(","))
        ends = ((int(first), int(last or first)) for first, _, last in pairs)
        return cls(_joined(sorted((min(pair), max(pair)) for pair in ends)))

    def dump(self) -> str:
        return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in self.ranges)

    def below(self, uid: int) -> "Uids":
        """Those that are smaller than `uid`."""
        return self & Uids(((1, uid - 1),)) if uid > 1 else Uids()

    def newest(self, count: int) -> tuple[int, ...]:
        """The largest `count`, descending."""
        found: list[int] = []
        for first, last in reversed(self.ranges):
            found += range(last, max(first, last - (count - len(found)) + 1) - 1, -1)
            if len(found) == count:
                break
        return tuple(found)

    def oldest(self, count: int) -> tuple[int, ...]:
        """The smallest `count`, ascending."""
        found: list[int] = []
        for first, last in self.ranges:
            found += range(first, min(last, first + count - len(found) - 1) + 1)
            if len(found) == count:
                break
        return tuple(found)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def __iter__(self) -> Iterator[int]:
        return (uid for first, last in self.ranges for uid in range(first, last + 1))

    def __contains__(self, uid: int) -> bool:
        return any(first <= uid <= last for first, last in self.ranges)

    def __or__(self, other: "Uids") -> "Uids":
        return Uids(_joined(sorted((*self.ranges, *other.ranges))))

    def __and__(self, other: "Uids") -> "Uids":
        found: list[Range] = []
        mine, theirs = iter(self.ranges), iter(other.ranges)
        one, two = next(mine, None), next(theirs, None)
        while one is not None and two is not None:
            if (low := max(one[0], two[0])) <= (high := min(one[1], two[1])):
                found.append((low, high))
            if one[1] < two[1]:
                one = next(mine, None)
            else:
                two = next(theirs, None)
        return Uids(tuple(found))

    def __sub__(self, other: "Uids") -> "Uids":
        return self & other._complement()

    def __xor__(self, other: "Uids") -> "Uids":
        return (self - other) | (other - self)

    def _complement(self) -> "Uids":
        found: list[Range] = []
        low = 1
        for first, last in self.ranges:
            if low < first:
                found.append((low, first - 1))
            low = last + 1
        # UIDs have 32 bits (RFC 9051, 2.3.1.1).
        return Uids((*found, (low, 2**32))) if low <= 2**32 else Uids(tuple(found))


NONE = Uids()


def _joined(ranges: Iterable[Range]) -> tuple[Range, ...]:
    found: list[Range] = []
    for first, last in ranges:
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)
