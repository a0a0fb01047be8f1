"""Settings of the embedded PostgreSQL. Its stock values cost several times as much a mail (foundations, point 10)."""

import os
import shutil
from pathlib import Path

_MB = 1024 * 1024
_GB = 1024 * _MB
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def settings(memory: int, free_disk: int) -> dict[str, str]:
    """What goes into flowcrm.conf, for a machine with so many bytes of memory and of free disk."""
    return {
        # Memory: a quarter for PostgreSQL's own buffers, the planner may count on half as the system's cache.
        "shared_buffers": _mb(min(max(memory // 4, 128 * _MB), 8 * _GB)),
        "effective_cache_size": _mb(max(memory // 2, 256 * _MB)),
        "work_mem": "16MB",
        "maintenance_work_mem": _mb(min(max(memory // 16, 64 * _MB), _GB)),
        # An import writes for an hour: rare checkpoints, compressed full pages, a pending list that a page of mails fits in.
        "max_wal_size": _mb(min(max(free_disk // 4, _GB), 8 * _GB)),
        "min_wal_size": "256MB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        "gin_pending_list_limit": "16MB",
        "random_page_cost": "1.1",
        # Our statements are short: compiling one costs more than running it.
        "jit": "off",
        "max_connections": "200",
        "idle_in_transaction_session_timeout": "10min",
        # One Unix socket, no port (the folder is given on start).
        "listen_addresses": "''",
        "timezone": "'UTC'",
        # Logs must not hold what rows hold: no statements, no parameters, no DETAIL lines.
        "logging_collector": "on",
        "log_directory": "'log'",
        "log_filename": "'postgresql-%a.log'",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }


def settings_here(folder: Path) -> dict[str, str]:
    """`settings` for this machine and the disk that `folder` lies on."""
    return settings(machine_memory(), shutil.disk_usage(folder).free)


def machine_memory() -> int:
    """Bytes of memory that we may use: the machine's, or the container's limit if that is less."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if not _CGROUP_LIMIT.exists():
        return memory
    limit = _CGROUP_LIMIT.read_text().strip()
    return min(memory, int(limit)) if limit.isdigit() else memory


def as_file(values: dict[str, str]) -> str:
    """The lines of a PostgreSQL configuration file."""
    return "".join(f"{name} = {value}\n" for name, value in values.items())


def _mb(size: int) -> str:
    return f"{size // _MB}MB"
