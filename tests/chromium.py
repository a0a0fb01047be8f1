"""Where this machine has a Chromium: the system's, or Playwright's own. `python -m tests.chromium` prints it."""

import os
import shutil
import sys
from pathlib import Path


def find() -> Path | None:
    """The browser's program, None where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return Path(found)
    brought = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return max(brought.glob("chromium-*/chrome-linux*/chrome"), default=None)


if __name__ == "__main__":
    program = find()
    if program is None:
        sys.exit(1)
    sys.stdout.write(f"{program}\n")
