"""Cells of the CSV files that we give out and take in: text, whatever a spreadsheet makes of it."""

import csv
import re
from collections.abc import Iterable
from io import StringIO

# Spreadsheets need it to see that a file is UTF-8.
MARK = "\ufeff".encode()

# A spreadsheet runs what begins so as a formula; an apostrophe before it makes it text. What has apostrophes there already gets
# one more, so that `plain` can tell ours from somebody's own.
_RUNS = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")  # the wide forms run too, in Japanese spreadsheets
_DEFANGED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


def safe(cell: str) -> str:
    """The cell as text, whatever it begins with."""
    return f"'{cell}" if _RUNS.match(cell) else cell


def plain(cell: str) -> str:
    """What `safe` was given; also of what a spreadsheet has written again."""
    return cell[1:] if _DEFANGED.match(cell) else cell


def lines(table: Iterable[Iterable[str]]) -> bytes:
    """The rows in UTF-8 as RFC 4180 has them, every cell safe."""
    out = StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([safe(cell) for cell in line] for line in table)
    return out.getvalue().encode("utf-8", "replace")
