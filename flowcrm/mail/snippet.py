"""One line of a mail's own words, for lists."""

import re
from collections.abc import Iterable

from flowcrm.mail import charsets, marks

LENGTH = 160
# Lines of signs only, link targets and pictures' names say nothing in a list. Preheaders are padded with unseen characters.
_NOTHING = re.compile(r"[\W_]+$|<?https?://\S+>?$|\[(?:cid|image):[^\]]*\]$")
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u200b-\u200f\u2060-\u2064\ufeff]+")


def snippet(text: str, own_lines: Iterable[str] | None = None) -> str:
    """About 160 characters of what its writer wrote; where that is nothing (a bare forward), of all that is there.

    own_lines: marks.own_lines(text), where the caller has them already.
    """
    return _from_lines(marks.own_lines(text) if own_lines is None else own_lines) or _from_lines(text.split("\n", 200)[:200])


def _from_lines(lines: Iterable[str]) -> str:
    gathered: list[str] = []
    length = 0
    for line in lines:
        words = charsets.clean_line(_UNSEEN.sub("", line[: 2 * LENGTH]))
        if words and not _NOTHING.match(words):
            gathered.append(words)
            length += len(words) + 1
            if length > LENGTH:
                break
    return _cut(" ".join(gathered))


def _cut(line: str) -> str:
    if len(line) <= LENGTH:
        return line
    head, _, _ = line[: LENGTH + 1].rpartition(" ")
    # A script without spaces has no better place to cut.
    return (head if len(head) > LENGTH // 2 else line[:LENGTH]) + "…"
