"""Log lines are JSON, and hold neither values of libraries nor texts of foreign exceptions."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from flowcrm.mail.errors import Transient
from flowcrm.ops import logs

SECRET = "anna@acme.ch wrote: quince jelly"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Everything that the product's handler writes, parsed."""
    config = logs.logging_config("INFO")
    logs.configure(config)
    handler = next(
        one for one in logging.getLogger().handlers if isinstance(one.formatter, structlog.stdlib.ProcessorFormatter)
    )
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    before = handler.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    handler.setStream(before)


def test_our_lines_are_json_with_name_level_time_and_values(lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger("flowcrm.sync").info("page done", mailbox=7, kept=25)
    [line] = lines()
    assert line.pop("at").endswith("+00:00")
    assert line == {"event": "page done", "mailbox": 7, "kept": 25, "logger": "flowcrm.sync", "level": "info"}


def test_a_library_s_line_keeps_its_template_without_the_values(lines: Callable[[], list[dict[str, Any]]]) -> None:
    logging.getLogger("somelib.http").warning("GET %s failed", f"https://api/?q={SECRET}")
    assert lines()[0]["event"] == "GET %s failed"


def test_a_library_is_heard_from_warnings_on(lines: Callable[[], list[dict[str, Any]]]) -> None:
    logging.getLogger("somelib.http").info("request %s", SECRET)
    assert lines() == []


def test_a_foreign_exception_is_named_without_its_text(lines: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        structlog.get_logger("flowcrm.ingest").exception("mail quarantined", work=9)
    [line] = lines()
    [error] = line["error"]
    assert error["type"] == "builtins.ValueError"
    assert "test_logs.py" in error["at"][-1]
    assert SECRET not in json.dumps(line)


def test_our_own_exception_keeps_its_text_and_its_cause_loses_it(lines: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise Transient("the provider is busy") from error
    except Transient:
        logging.getLogger("flowcrm.sync").exception("slice failed")
    [line] = lines()
    assert [error["type"] for error in line["error"]] == ["flowcrm.mail.errors.Transient", "builtins.ValueError"]
    assert line["error"][0]["text"] == "the provider is busy"
    assert SECRET not in json.dumps(line)
