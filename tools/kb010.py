"""Writes docs/kb-010.md: each claim of the users' article with its tests and whether it is true, from the tests themselves."""

import ast
import re
import sys
from pathlib import Path

from tests.kb010.claims import CLAIMS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "kb-010.md"
HEAD = """# What the users' article promises, and what is true of it

Written by `python -m tools.kb010` from the tests in `tests/kb010/`; do not edit. A claim without a test is not yet true.

| id | claim | test | |
| --- | --- | --- | --- |
"""


def tests_by_claim() -> dict[str, list[str]]:
    """Claim id -> names of the tests that show it."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests" / "kb010").glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            named = re.match(r"test_(K\d\d)_", node.name) if isinstance(node, ast.FunctionDef) else None
            if named and isinstance(node, ast.FunctionDef):
                found.setdefault(named[1], []).append(node.name)
    return found


def page() -> str:
    """The whole page."""
    tests = tests_by_claim()
    unknown = set(tests) - set(CLAIMS)
    if unknown:
        raise SystemExit(f"no such claim: {', '.join(sorted(unknown))}")
    lines = []
    for claim, (words, condition) in CLAIMS.items():
        shown = "<br>".join(f"`{name}`" for name in sorted(tests.get(claim, [])))
        truth = "not yet" if claim not in tests else (f"true when {condition}" if condition else "true")
        lines.append(f"| {claim} | {words} | {shown} | {truth} |\n")
    return HEAD + "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE.name}: {page().count('| true')} of {len(CLAIMS)} claims are true\n")
