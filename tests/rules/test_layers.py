"""Imports point down, and every package stands in the picture."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The entry points and the single files beside the packages: they see everything and nobody imports them from below.
BESIDE = {"settings", "urls", "asgi", "__main__", "queue"}


def test_imports_point_down() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_package_stands_in_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    drawn = {name.strip().removeprefix("flowcrm.") for layer in layers for name in layer.split("|")}
    packages = {folder.name for folder in (ROOT / "flowcrm").iterdir() if (folder / "__init__.py").exists()}
    assert packages <= drawn
    modules = {file.stem for file in (ROOT / "flowcrm").glob("*.py")} - {"__init__"}
    assert modules <= BESIDE | drawn
