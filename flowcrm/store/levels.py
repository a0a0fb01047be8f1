"""Levels: who else may see a mailbox's emails, and how much of them."""

from enum import StrEnum


class Level(StrEnum):
    """From the most closed to the most open. Pages have the words (pages/words.py)."""

    ONLY_ME = "only_me"
    PEOPLE = "people_and_times"
    SUBJECT = "subject"
    EVERYTHING = "everything"

    def shows(self, what: "Level") -> bool:
        """Is at least as much shown as at the level `what`?"""
        return _ORDER[self] >= _ORDER[what]


_ORDER = {level: place for place, level in enumerate(Level)}
