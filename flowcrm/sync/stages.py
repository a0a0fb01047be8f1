"""Where the time goes: seconds by stage, for reports and benches. Costs nothing where nobody measures."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from flowcrm.lib import clock

_measured: ContextVar[dict[str, float] | None] = ContextVar("stages", default=None)


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Collect what the stages inside cost: stage -> seconds."""
    seconds: dict[str, float] = {}
    token = _measured.set(seconds)
    try:
        yield seconds
    finally:
        _measured.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """This is `name`: list, headers, fetch, prepare, bodies, commit."""
    seconds = _measured.get()
    if seconds is None:
        yield
        return
    started = clock.monotonic()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + clock.monotonic() - started
