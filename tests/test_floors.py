"""The floors of the house: who imports whom."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def test_every_room_imports_only_from_floors_below():
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert program is not None
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([program, "--no-cache"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
