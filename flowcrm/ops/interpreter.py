"""Python itself, told what kind of process this is."""

import gc
import sys

# New objects between two looks for cyclic garbage, and how many looks of one kind bring a look of the next.
_BETWEEN, _YOUNG, _OLD = 50_000, 20, 50
# Seconds that a thread which computes may keep another one waiting.
_TURN = 0.0002


def settle_interpreter() -> None:
    """For a process that prepares mails by the thousand, once everything is imported. What it gains: bench/ingest.py.

    What is there now stays until the end: the collector need not look through it again and again. A mail makes thousands of
    short-lived objects and hardly any cycle; a sixth of an import's time went into looking for them.

    While one thread prepares, another writes what is ready: it computes little and waits for disk and database often. After
    each wait it would stand by for Python's usual turn of 5 ms, so that both processors were idle half the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_BETWEEN, _YOUNG, _OLD)
    sys.setswitchinterval(_TURN)
