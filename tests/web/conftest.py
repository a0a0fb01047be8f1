"""What tests of pages share: the three people, Django's test environment, and a counter of statements."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
import pytest

from tests.people import colleague, member, stranger

__all__ = ["colleague", "member", "stranger"]


@pytest.fixture(scope="session", autouse=True)
def _django(pages: None) -> None:
    """All of these look at pages."""


Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """Counts what reaches PostgreSQL: `with statements() as seen: …`. Below Django, since half of our SQL passes it by."""
    seen: list[str] = []
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(str(query))
        return execute(self, query, *args, **kwargs)

    @contextmanager
    def watch() -> Iterator[list[str]]:
        seen.clear()
        monkeypatch.setattr(psycopg.Cursor, "execute", counted)
        yield seen
        monkeypatch.setattr(psycopg.Cursor, "execute", execute)

    return watch
