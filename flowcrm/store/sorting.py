"""How names are ordered and found: without case and accents, so that "Émile" stands with "Emil" and "emi" finds both."""

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a list ended: the next one begins after it (keyset paging)."""

    sort_key: str
    id: int


def sort_key(name: str) -> str:
    """The name as lists order it: decomposed (NFKD), without marks, case-folded, blanks made single."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return " ".join(bare.casefold().split())
