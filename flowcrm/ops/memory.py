"""The collector of cyclic garbage, told what kind of process this is."""

import gc

# New objects between two looks, and how many looks of one kind bring a look of the next.
_BETWEEN, _YOUNG, _OLD = 50_000, 20, 50


def settle_collector() -> None:
    """For a process that prepares mails by the thousand, once everything is imported.

    What is there now stays until the end: it need not be looked through again and again. A mail makes thousands of short-lived
    objects and hardly any cycle. A sixth of the time of an import went into looking for them (bench/ingest.py).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_BETWEEN, _YOUNG, _OLD)
