"""What was asked of a stand-in, for tests to read."""

import threading
from collections import deque
from dataclasses import asdict, dataclass

from standins.web import Json


@dataclass(frozen=True, slots=True)
class LogLine:
    """One request, or one part of a batch. operation: "gmail.messages.get". variant: the asked format, "" without one.
    fault: the kind of fault it met. at: epoch seconds by the product's clock."""

    method: str
    path: str
    query: dict[str, list[str]]
    operation: str
    variant: str
    account: str
    status: int
    units: int
    in_batch: bool
    fault: str
    at: float


class RequestLog:
    """The newest 100,000 lines, oldest first."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=100_000)
        self._lock = threading.Lock()

    def add(self, line: LogLine) -> None:
        with self._lock:
            self._lines.append(line)

    def lines(self) -> list[LogLine]:
        with self._lock:
            return list(self._lines)

    def clear(self) -> None:
        with self._lock:
            self._lines.clear()

    def to_json(self) -> list[Json]:
        return [asdict(line) for line in self.lines()]
