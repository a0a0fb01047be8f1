"""Logs: one JSON object a line on standard error; ids and reasons, never what stands in a mail.

Two leaks are closed here. A parser's or driver's exception quotes the value it choked on: a foreign exception is logged by its
type and the places it passed, without its text (our own keep theirs: flowcrm.mail.errors says what may stand in them). A
library's log line may name what it works on (an address in a URL): its template is logged without the values.
"""

import logging
import logging.config
import sys
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from flowcrm.lib import clock

# Loggers whose lines hold ids, counts and our own addresses only; every other library's values are left out.
_PLAIN = ("flowcrm", "procrastinate", "_granian", "django.request")


def configure(config: dict[str, Any]) -> None:
    """Django calls this once, in django.setup(), with settings.LOGGING."""
    logging.config.dictConfig(config)
    structlog.configure(
        processors=[*_steps(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def logging_config(level: str) -> dict[str, Any]:
    """The value of settings.LOGGING: our lines from `level` on, other libraries' from WARNING on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": "structlog.stdlib.ProcessorFormatter",
                "foreign_pre_chain": [drop_values, *_steps()],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"flowcrm": {"level": level}, "procrastinate": {"level": "WARNING"}},
    }


def drop_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """For lines of the standard library's logging: keep the template, drop what was filled in."""
    record: logging.LogRecord = event["_record"]
    if not record.name.startswith(_PLAIN):
        event["event"] = str(record.msg)
    return event


def describe_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by `error`: what was raised and its causes, latest first."""
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    if isinstance(found, BaseException):
        event["error"] = _chain(found)
    elif isinstance(found, tuple) and found[1] is not None:
        event["error"] = _chain(found[1])
    return event


def add_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["at"] = clock.now().isoformat(timespec="milliseconds")
    return event


def _steps() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(allow=["status_code", "job_id", "task_name"]),
        describe_exception,
        add_time,
    ]


def _chain(error: BaseException | None) -> list[dict[str, Any]]:
    described = []
    while error is not None:
        described.append(_describe(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return described


def _describe(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    described: dict[str, Any] = {
        "type": f"{kind.__module__}.{kind.__qualname__}",
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)],
    }
    if kind.__module__.split(".")[0] == "flowcrm":
        described["text"] = str(error)
    return described
