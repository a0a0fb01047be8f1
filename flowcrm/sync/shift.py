"""One worker thread's shift: slices while mailboxes are due, short waits while one is about to be."""

import time
from collections.abc import Callable

from flowcrm import queue
from flowcrm.lib import clock
from flowcrm.store.writes.lease import claim_due, seconds_to_next_due
from flowcrm.sync.engine import run_slice

# An import that waits for its budget is due again within seconds: waiting for the next wake-up would cost it most of its time.
LINGER = 30.0
GLANCE = 1.0
# Then others of this worker's jobs have their turn.
SHIFT = 300.0


def work_due(owner: str, *, stop: Callable[[], bool]) -> bool:
    """Work until nothing is due soon, the shift is over, or `stop`. True: the shift is over and there is more to do."""
    ends_at = clock.monotonic() + SHIFT
    while not stop():
        if clock.monotonic() >= ends_at:
            return True
        lease = claim_due(owner)
        if lease is not None:
            # One slow mailbox must not hold up another while threads idle: whoever starts a slice calls the next one.
            another = seconds_to_next_due()
            if another is not None and another <= 0:
                queue.wake_sync()
            run_slice(lease)
            continue
        wait = seconds_to_next_due()
        if wait is None or wait > LINGER:
            return False
        # Somebody may press "Sync now" meanwhile: look again every second.
        time.sleep(min(max(wait, 0.05), GLANCE))
    return False
