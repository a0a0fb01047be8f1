"""The embedded server under a container's root, who has no CAP_SYS_PTRACE: tested with the capability really dropped.

Not marked needs_postgres: what may be missing here is root or capsh (Debian: libcap2-bin), and then nothing is required.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from flowcrm.ops import postgres
from flowcrm.ops.home import APP_ROLE, Home

_CAPSH = shutil.which("capsh")

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or _CAPSH is None, reason="needs root, and capsh to drop a capability")

_AS_IN_A_CONTAINER = """
import sys
from pathlib import Path
from flowcrm.ops import home, postgres
here = home.Home(Path(sys.argv[1]))
data = here.data.resolve()
print(postgres.running_pid(data))
postgres.ensure_running(here)
print(postgres.running_pid(data))
postgres.stop(here)
print(postgres.running_pid(data))
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    own = Home(tmp_path / "home")
    postgres.ensure_running(own, {"shared_buffers": "16MB", "fsync": "off"})
    yield own
    postgres.stop(own)
    shutil.rmtree(own.data.resolve())
    shutil.rmtree(own.sockets)


def test_a_live_server_that_is_full_is_known_and_can_be_stopped(home: Home) -> None:
    """A second server beside it would be the end of the first, and maybe of the data."""
    live = postgres.running_pid(home.data.resolve())
    with psycopg.connect(postgres.maintenance_url(home), autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {APP_ROLE} CONNECTION LIMIT 0")
    assert not postgres.answers(home)

    command = [str(_CAPSH), "--drop=cap_sys_ptrace", "--", "-c", 'exec "$0" "$@"']
    command += [sys.executable, "-c", _AS_IN_A_CONTAINER, str(home.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.split() == [str(live), str(live), "None"]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres.maintenance_url(home))
