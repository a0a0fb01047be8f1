"""What a proof is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

# What one seed measured: numbers by name, for the table in docs/proof.md.
Figures = Mapping[str, float]


@dataclass(frozen=True)
class Proof:
    """One claim, tried under many seeds.

    name: for state files and test ids. claim: the sentence that docs/proof.md shows. run: tries one seed from scratch, raises
    AssertionError where the claim does not hold, and gives what it measured; the same seed does the same.
    seeds: how many `make prove` runs. slice: how many of them `make test` runs (0: a part of it is a test elsewhere).
    """

    name: str
    claim: str
    run: Callable[[int], Figures]
    seeds: int
    slice: int
