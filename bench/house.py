"""A fresh installation in a temporary folder, with the embedded PostgreSQL as it is shipped (its tuned settings included)."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

from flowcrm.ops import postgres
from flowcrm.ops.home import Home


@contextmanager
def house() -> Iterator[Home]:
    """Start it, set Django up in this process as the application's role, and take everything away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="flowcrm-bench-"))
    # The server runs as a user of its own, who must be able to reach its folder.
    folder.chmod(0o711)
    home = Home(folder / "home")
    home.prepare()
    os.environ |= {"FLOWCRM_HOME": str(home.path), "DJANGO_SETTINGS_MODULE": "flowcrm.settings"}
    try:
        postgres.ensure_running(home)
        subprocess.run([sys.executable, "-m", "flowcrm", "migrate"], check=True, stdout=subprocess.DEVNULL)
        django.setup()
        yield home
    finally:
        django.db.connections.close_all()
        postgres.stop(home)
        shutil.rmtree(home.sockets, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
