"""What the long run has done so far: a line a seed in var/prove, appended once it held, so that a stop loses one seed."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flowcrm.lib import clock
from tests.prove.proof import Figures, Proof

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "var" / "prove"


@dataclass(frozen=True)
class Entry:
    """One seed that held. at: the day, UTC."""

    seed: int
    commit: str
    at: str
    figures: Mapping[str, float]


@cache
def commit() -> str:
    """What is being proved: the commit, with a plus where the tree differs from it."""
    named = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True, text=True, check=False)
    return named.stdout.strip() or "uncommitted"


def entries(proof: Proof, folder: Path = FOLDER) -> list[Entry]:
    """All that held, oldest first."""
    file = folder / f"{proof.name}.jsonl"
    if not file.exists():
        return []
    return [Entry(**found) for line in file.read_text().splitlines() if (found := _whole(line))]


def missing(proof: Proof, folder: Path = FOLDER) -> list[int]:
    """The seeds that have not held yet at this commit."""
    done = {entry.seed for entry in entries(proof, folder) if entry.commit == commit()}
    return [seed for seed in range(proof.seeds) if seed not in done]


def held(proof: Proof, seed: int, figures: Figures, folder: Path = FOLDER) -> None:
    """Note one seed. One write of one line: several processes may append to the file."""
    folder.mkdir(parents=True, exist_ok=True)
    entry = Entry(seed, commit(), clock.now().date().isoformat(), dict(figures))
    with (folder / f"{proof.name}.jsonl").open("a") as file:
        # The line's end comes first: it parts this line from one that a kill had cut.
        file.write("\n" + json.dumps(asdict(entry)))


def _whole(line: str) -> dict[str, Any]:
    """What a line says; empty for one that a kill cut."""
    try:
        found: dict[str, Any] = json.loads(line or "{}")
    except json.JSONDecodeError:
        return {}
    return found
