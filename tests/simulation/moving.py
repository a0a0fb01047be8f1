"""A clock of its own for each run: proofs have no fixtures."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch


@contextmanager
def moving_clock() -> Iterator[None]:
    """Inside, flowcrm.lib.clock.advance moves the time of this process and of those that it starts."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, FLOWCRM_CLOCK_FILE=str(Path(folder) / "clock")):
        yield
