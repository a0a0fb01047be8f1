"""Numbers and lists as sentences have them."""

import os
from collections.abc import Sequence
from pathlib import Path


def counted(number: int, noun: str) -> str:
    """ "1 mail", "1,200 mails"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def shown_path(path: Path) -> str:
    """A path that can be printed: file names are bytes, and some are not UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
