"""The room is cheap to enter."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_room_imports_nothing_heavy():
    code = "import sys, bcls.evaluation; print({'torch', 'scipy', 'sklearn', 'lightning', 'numba'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
