"""Our files for the browser: small, and what is not ours is what VENDOR.md says it is."""

import hashlib
import re
from pathlib import Path

import pytest

from flowcrm import pages
from tests.people import Someone

STATIC = Path(pages.__file__).parent / "static"
BUDGET = 150 * 1024


def test_vendored_files_are_those_that_vendor_md_names() -> None:
    vendor = STATIC / "vendor"
    named = dict(re.findall(r"^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$", (vendor / "VENDOR.md").read_text(), re.MULTILINE))
    found = {
        str(file.relative_to(vendor)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in vendor.rglob("*")
        if file.is_file() and file.suffix not in {".md", ".txt"}
    }
    assert found == named


def test_every_vendored_folder_has_its_licence() -> None:
    for folder in (STATIC / "vendor").iterdir():
        if folder.is_dir():
            assert (folder / "LICENSE.txt").read_text().strip(), folder.name


@pytest.mark.needs_postgres
def test_a_page_with_every_font_stays_within_its_budget(member: Someone) -> None:
    page = member.get("/help/kb-010").content.decode()
    files = {STATIC / path for path in re.findall(r'(?:href|src)="/static/[^/]+/([^"]+)"', page) if not path.endswith(".svg")}
    files |= set(STATIC.rglob("*.woff2"))
    assert sum(file.stat().st_size for file in files) < BUDGET


def test_no_file_of_ours_names_another_host() -> None:
    for file in (*STATIC.rglob("*.css"), *(STATIC / "js").rglob("*.js")):
        assert "//" not in re.sub(r"//[^\n]*|/\*.*?\*/", "", file.read_text(), flags=re.DOTALL), file.name
