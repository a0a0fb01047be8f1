"""What is written down leads somewhere, and names no machine of ours."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
_SKIPPED = {".venv", ".git", "var", "node_modules", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "__pycache__"}


def files(*suffixes: str) -> Iterator[Path]:
    """The project's own files, by suffix; without suffixes, all."""
    for path in sorted(ROOT.rglob("*")):
        ours = not _SKIPPED & set(path.relative_to(ROOT).parts) and not any(part.endswith(".egg-info") for part in path.parts)
        if ours and path.is_file() and (not suffixes or path.suffix in suffixes):
            yield path


def test_every_link_in_a_document_leads_to_a_file() -> None:
    dead = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in files(".md")
        for target in _LINK.findall(document.read_text())
        if "://" not in target and not target.startswith("mailto:") and not (document.parent / target).exists()
    ]
    assert dead == []


def test_no_file_names_a_place_of_one_machine() -> None:
    # Split, so that this file does not find itself.
    places = re.compile("/" + r"work/(main|shared)\b|" + "/" + r"root/|" + "/" + r"home/\w+/")
    found = [
        f"{path.relative_to(ROOT)}: {place[0]}"
        for path in files(".py", ".md", ".toml", ".sh", ".lock", ".sql", ".html", ".css", ".js", "")
        if (place := places.search(path.read_text(errors="ignore")))
    ]
    assert found == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_no_host_and_every_package_has_a_hash(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    packages = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in package for package in packages)


def test_the_tests_lock_holds_all_of_the_product_s_with_the_same_versions() -> None:
    product, tests = ((ROOT / lock).read_text() for lock in ("requirements.lock", "requirements-dev.lock"))
    pin = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.+-]+)", re.MULTILINE)
    assert set(pin.findall(product)) <= set(pin.findall(tests))
