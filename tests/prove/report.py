"""Writes docs/proof.md from what held: `python -m tests.prove.report`."""

import os
import statistics
from pathlib import Path

import django

from tests.prove.proof import Proof
from tests.prove.record import FOLDER, ROOT, Entry, entries

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowcrm.settings")
django.setup()

# The proofs import the product's tables, which are there only now.
from tests.prove.table import PROOFS  # noqa: E402

_HEAD = """# Proofs

Written by `make prove`, which runs every seed of every proof and goes on where it was stopped; `make test` runs the first few
seeds of each. Figures are the smallest, middle and largest value over the seeds.
"""


def report(folder: Path = FOLDER) -> str:
    """The page: each proof with its newest commit's seeds."""
    return "\n".join([_HEAD, *(_section(proof, _newest(entries(proof, folder))) for proof in PROOFS)])


def _newest(found: list[Entry]) -> list[Entry]:
    """The entries of the commit that was proved last, one a seed."""
    return list({entry.seed: entry for entry in found if entry.commit == found[-1].commit}.values())


def _section(proof: Proof, held: list[Entry]) -> str:
    lines = [f"## {proof.name}", "", proof.claim, ""]
    if not held:
        return "\n".join([*lines, f"Not run yet (0 of {proof.seeds} seeds).", ""])
    lines += [f"Held for {len(held)} of {proof.seeds} seeds, {held[-1].at}, commit `{held[-1].commit}`.", ""]
    lines += ["| figure | smallest | middle | largest |", "| --- | ---: | ---: | ---: |"]
    for name in held[0].figures:
        values = [entry.figures[name] for entry in held]
        # Counts in full; what was measured, to four digits.
        shown = (
            f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"
            for value in (min(values), statistics.median(values), max(values))
        )
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    (ROOT / "docs" / "proof.md").write_text(report())
