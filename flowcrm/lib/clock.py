"""The one clock of the product and its stand-ins.

Everything that asks "what time is it?" asks here, so that a test or the demo can live a day of syncs in a second.
A clock that is shared by several processes is a file that holds an offset in seconds (`FLOWCRM_CLOCK_FILE`).
"""

import os
import time as _time
from datetime import UTC, datetime
from pathlib import Path

_CLOCK_FILE = "FLOWCRM_CLOCK_FILE"


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return datetime.fromtimestamp(_time.time() + offset(), tz=UTC)


def offset() -> float:
    """Seconds that the product's clock runs ahead of the machine's (0 without a clock file)."""
    path = os.environ.get(_CLOCK_FILE)
    if not path:
        return 0.0
    try:
        return float(Path(path).read_text() or 0)
    except FileNotFoundError:
        return 0.0


def advance(seconds: float) -> None:
    """Move the shared clock forward. Only where a clock file is set: a running product is never moved by accident."""
    path = os.environ.get(_CLOCK_FILE)
    if not path:
        raise RuntimeError(f"set {_CLOCK_FILE} to a file before moving the clock")
    # Written beside and renamed: another process must never read half a number.
    beside = Path(f"{path}.{os.getpid()}")
    beside.write_text(repr(offset() + seconds))
    beside.rename(path)


def monotonic() -> float:
    """Seconds for measuring how long something took; never for deciding what time it is."""
    return _time.monotonic()
