"""What must hold in style sheets and templates. `python -m tools.css` checks the tree.

Colours stand in tokens.css alone, or dark mode misses some. Nothing is inline, or the Content-Security-Policy drops it.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = Path("flowcrm/pages")
TOKENS = "tokens.css"

_COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|oklch|oklab|lab|lch)\(", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_IN_TEMPLATES = {
    "a style attribute: make a class": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "an inline handler: use htmx or a file in static/js": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "an inline style sheet": re.compile(r"<style\b", re.IGNORECASE),
    "an inline script": re.compile(r"<script\b(?![^>]*\ssrc\s*=)(?![^>]*type=\"application/json\")", re.IGNORECASE),
}


def in_style_sheet(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Lines of a style sheet that break a rule."""
    # Comments are blanked, not cut: the lines keep their numbers.
    plain = _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), text)
    for number, line in enumerate(plain.splitlines(), 1):
        if name != TOKENS and _COLOUR.search(line):
            yield number, f"a colour outside {TOKENS}: make it a token"


def in_template(text: str) -> Iterator[tuple[int, str]]:
    """Lines of a template that a browser would refuse."""
    for number, line in enumerate(text.splitlines(), 1):
        for what, pattern in _IN_TEMPLATES.items():
            if pattern.search(line):
                yield number, what


def violations() -> Iterator[str]:
    """Everything in the tree, as `file:line: text`. Files of others (vendor) keep their ways."""
    for file in sorted((ROOT / PAGES / "static").rglob("*.css")):
        if "vendor" not in file.parts:
            yield from _named(file, in_style_sheet(file.name, file.read_text()))
    for file in sorted((ROOT / PAGES / "templates").rglob("*.html")):
        yield from _named(file, in_template(file.read_text()))


def _named(file: Path, found: Iterator[tuple[int, str]]) -> Iterator[str]:
    yield from (f"{file.relative_to(ROOT)}:{line}: {text}" for line, text in found)


def main() -> None:
    """Print what is wrong; end with 1 if there is anything."""
    found = list(violations())
    for line in found:
        sys.stdout.write(f"{line}\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
