"""Generated mails in one file on the disk, so that what makes them costs nothing while something else is measured."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.generate import generate


@dataclass(frozen=True)
class Corpus:
    """`places`: where each mail begins and ends in the file, and when the provider got it."""

    file: Path
    places: tuple[tuple[int, int, datetime], ...]

    def __iter__(self) -> Iterator[tuple[bytes, datetime]]:
        with self.file.open("rb") as stream:
            for start, end, at in self.places:
                stream.seek(start)
                yield stream.read(end - start), at

    @property
    def mean(self) -> float:
        """KB of a mail."""
        return self.places[-1][1] / len(self.places) / 1024


def write(file: Path, mails: int, seed: int) -> Corpus:
    """So many mails of bench/generate.py."""
    places = []
    with file.open("wb") as stream:
        for raw, at, *_ in generate(mails, seed):
            start = stream.tell()
            stream.write(raw)
            places.append((start, stream.tell(), at))
        # On the disk before anything is measured: else each commit would wait for these bytes too.
        stream.flush()
        os.fsync(stream.fileno())
    return Corpus(file, tuple(places))
