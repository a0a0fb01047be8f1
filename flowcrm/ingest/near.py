"""Are two texts of one id key the same mail, of which a gateway or a list has added something that `core` does not know?

Yes, where the own words of the shorter one stand in the longer one from end to end, and all that the longer one has more are
whole lines above or below them, few enough. Nothing may be added in between, and no line may be longer: there a forger would
write, and there the numbers of two notifications differ. A mail that is missed stands there twice; a mail that is joined
wrongly hides another (docs/why/identity.md).

Linear, and no pattern: a search over hostile texts takes a few comparisons of strings, however they are made.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, islice

from flowcrm.ingest.core import MOST_TEXT, core_lines
from flowcrm.mail import marks

# In characters without white space. Banners are short; the disclaimers of companies below a mail are not.
MOST_ABOVE = 600
MOST_BELOW = 1_500
_MOST_LINES_ABOVE = 30
# Of a shorter text too little is left to say that it is the same.
LEAST = 80
# What is added may be so many times the text. Two texts that both stand in a third then have at least half of their words in
# common: no forger can lead from a mail to another one over a text that holds both.
MOST_ADDED = 0.5


def outline(text: str) -> tuple[str, ...] | None:
    """What of a text is compared: its core, by lines. None where it is too long to be compared."""
    return core_lines(marks.own_lines(text), text) if len(text) <= MOST_TEXT else None


def near(one: Sequence[str], other: Sequence[str]) -> bool:
    """Does the shorter outline stand whole in the longer one, with only a few whole lines above and below?"""
    shorter, longer = sorted(("".join(one), "".join(other)), key=len)
    added = len(longer) - len(shorter)
    if not added:
        return shorter == longer
    if len(shorter) < LEAST or added > len(shorter) * MOST_ADDED:
        return False
    lines = max(one, other, key=lambda lines: sum(map(len, lines)))
    return any(longer.startswith(shorter, at) for at in places(lines, len(shorter)))


def places(lines: Sequence[str], length: int) -> Iterator[int]:
    """Where in the joined lines a text of this length may stand: from the start of a line to the end of one."""
    ends = list(accumulate(map(len, lines), initial=0))
    within = {end for end in ends if end >= ends[-1] - MOST_BELOW}
    for at in islice(ends, _MOST_LINES_ABOVE + 1):
        if at <= MOST_ABOVE and at + length in within:
            yield at
