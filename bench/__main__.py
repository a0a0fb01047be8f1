"""Every measured claim, one after the other: `make bench`."""

import subprocess
import sys

# Each in a process of its own: memory and caches of one must not show in another.
BENCHES = ("bench.ingest", "bench.contact_page", "bench.preview")

sys.exit(max(subprocess.run([sys.executable, "-m", name], check=False).returncode for name in BENCHES))
