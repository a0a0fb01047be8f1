"""Where tests find the material that lies beside the project (contracts, corpora) and is no part of it."""

from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1] / "../shared"


def shared(relative: str) -> Path:
    """A file or folder under ../shared. Skips the test, and says so, where it is absent; mark such tests `needs_shared`."""
    path = (_ROOT / relative).resolve()
    if not path.exists():
        pytest.skip(f"This test reads ../shared/{relative}, which is not on this machine")
    return path
