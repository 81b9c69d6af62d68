"""The layers of the package: who imports whom."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

VIOLATIONS = {
    "evaluation/cosine.py": "import bcls.models",
    "assessment/inputs.py": "import lightning",
    "cli/evaluate.py": "import bcls.training",
    "errors.py": "import bcls.files",
}


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert program is not None
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    return subprocess.run(
        [program, "--no-cache"], cwd=root, capture_output=True, text=True, check=False, env=environment
    )


def test_every_package_imports_only_from_packages_below():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


def test_every_contract_can_fail(tmp_path):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("*.nb?", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, line in VIOLATIONS.items():
        with (tmp_path / "src" / "bcls" / file).open("a") as opened:
            opened.write(f"\n{line}\n")
    done = lint_imports(tmp_path)
    assert " 0 kept, 4 broken" in done.stdout, done.stdout
