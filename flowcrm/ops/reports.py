"""What a command did, as a JSON file for programs: written however the command ends."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flowcrm.ops.errors import OpsError
from flowcrm.ops.outfiles import naming
from flowcrm.ops.stopping import ToldToStop
from flowcrm.vault.errors import VaultError


@contextmanager
def reported(path: Path | None, result: Callable[[], dict[str, Any]]) -> Iterator[None]:
    """Write `result()` when the block ends, with `outcome` (done, refused, stopped or failed) and `reason`.

    path: None for nowhere; whether it can be written is to be asked before the work begins (outfiles.check_can_write).
    """
    try:
        yield
    except BaseException as end:
        _write(path, {**result(), "ok": False, **_what_happened(end)})
        raise
    _write(path, {**result(), "outcome": "done", "reason": ""})


@contextmanager
def reported_where_it_fails(path: Path | None) -> Iterator[None]:
    """As `reported`, for a beginning without a result: a block that ends well writes nothing."""
    try:
        yield
    except BaseException:
        with reported(path, dict):
            raise


def report_asked_for(words: Sequence[str]) -> Path | None:
    """The path behind --report in a command's line, for what goes wrong before the command itself reads it."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--report", nargs="?", default="", const="")
    path = parser.parse_known_args(list(words))[0].report
    return Path(path) if path else None


def _what_happened(end: BaseException) -> dict[str, str]:
    match end:
        case ToldToStop():
            return {"outcome": "stopped", "reason": "It was told to stop."}
        case OpsError():
            return {"outcome": "refused", "reason": str(end)}
        case VaultError():
            return {"outcome": "failed", "reason": str(end)}
    # Other errors' texts may quote what stands in a mail.
    return {"outcome": "failed", "reason": type(end).__name__}


def _write(path: Path | None, result: dict[str, Any]) -> None:
    if path is not None:
        with naming(path):
            path.write_text(json.dumps(result, indent=2) + "\n")
