"""Words of SEARCH (RFC 9051, 6.4.4)."""

from collections.abc import Sequence


def any_of(terms: Sequence[str]) -> str:
    """OR takes two."""
    return "OR " * (len(terms) - 1) + " ".join(terms)


def is_plain(text: str) -> bool:
    """Fit for a quoted string as it stands: nothing in it can end the string, or the line."""
    return text.isascii() and text.isprintable() and not set(text) & set('"\\')
