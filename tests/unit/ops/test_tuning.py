"""The embedded server's settings fit the machine."""

import pytest

from flowcrm.ops import tuning

GB = 1024**3


@pytest.mark.parametrize(
    ("memory", "buffers"),
    [(256 * 1024**2, "128MB"), (2 * GB, "512MB"), (16 * GB, "4096MB"), (256 * GB, "8192MB")],
)
def test_buffers_are_a_quarter_of_the_memory_within_reason(memory: int, buffers: str) -> None:
    assert tuning.settings(memory, 100 * GB)["shared_buffers"] == buffers


@pytest.mark.parametrize(("free", "wal"), [(GB, "1024MB"), (16 * GB, "4096MB"), (1000 * GB, "8192MB")])
def test_the_log_of_changes_leaves_room_on_a_small_disk(free: int, wal: str) -> None:
    assert tuning.settings(8 * GB, free)["max_wal_size"] == wal


def test_this_machine_has_memory() -> None:
    assert tuning.machine_memory() > 64 * 1024**2


def test_a_file_has_a_line_a_setting() -> None:
    assert tuning.as_file({"jit": "off", "work_mem": "16MB"}) == "jit = off\nwork_mem = 16MB\n"
