"""The proof of convergence: one random history, played to its end; where it fails, the shortest part of it that does."""

import time
from dataclasses import fields

from tests.prove.proof import Figures
from tests.simulation.history import History, make_history, shorten
from tests.simulation.moving import moving_clock
from tests.simulation.stage import Disagrees, play

# Seconds for shortening a history that fails: what it was is said in any case.
PATIENCE = 120


def prove(seed: int) -> Figures:
    """Play the seed's history. Raises Disagrees with a short history that shows the same."""
    history = make_history(seed)
    with moving_clock():
        try:
            mails = play(history)
        except Disagrees as wrong:
            raise Disagrees(f"{wrong}\n{told(_shortened(history))}") from None
    return {"steps": len(history), "mails delivered": mails}


def told(history: History) -> str:
    """A history as the Python that makes it, without what is as always."""
    lines = []
    for step in history:
        values = ((one.name, getattr(step, one.name), one.default) for one in fields(step))
        lines.append(
            f"{type(step).__name__}({', '.join(f'{name}={value!r}' for name, value, usual in values if value != usual)}),"
        )
    return "\n".join(lines)


def _shortened(history: History) -> History:
    until = time.monotonic() + PATIENCE

    def fails(shorter: History) -> bool:
        if time.monotonic() > until:
            return False
        try:
            play(shorter)
        except Disagrees:
            return True
        return False

    return shorten(history, fails)
