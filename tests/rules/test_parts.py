"""A real part that is missing is said, and fails where it is required (.ci/run)."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def outcome(folder: Path, *, required: bool) -> str:
    """The summary of a run with one test that needs a part, on a machine without it."""
    (folder / "test_it.py").write_text("import pytest\n\n@pytest.mark.needs_chromium\ndef test_it(): pass\n")
    nowhere = {"PATH": str(folder), "PLAYWRIGHT_BROWSERS_PATH": str(folder), "FLOWCRM_REQUIRE_PARTS": "1" if required else "0"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        f"-c{ROOT}/pyproject.toml",
        "-rs",
    ]
    done = subprocess.run(
        [*command, str(folder / "test_it.py")], cwd=ROOT, env=os.environ | nowhere, capture_output=True, text=True, check=False
    )
    return done.stdout


def test_without_chromium_the_test_is_skipped_and_says_what_to_do(tmp_path: Path) -> None:
    said = outcome(tmp_path, required=False)
    assert "1 skipped" in said
    assert "make setup" in said


def test_where_parts_are_required_that_is_a_failure(tmp_path: Path) -> None:
    assert "1 error" in outcome(tmp_path, required=True)
