"""Numbers and lists as sentences have them."""

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """ "1 mail", "1,200 mails"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")
