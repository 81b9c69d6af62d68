"""The package's face: quick to import, lazy, and complete."""

from __future__ import annotations

import subprocess
import sys

import pytest

import bcls


@pytest.mark.parametrize("name", bcls.__all__)
def test_every_public_name_is_there(name):
    assert getattr(bcls, name) is not None
    assert name in dir(bcls)


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        bcls.nothing  # noqa: B018


def test_import_and_help_load_nothing_heavy():
    code = """
import sys
import bcls, bcls.cli
bcls.cli.main(["--help"])
heavy = {"torch", "numpy", "transformers", "lightning", "scipy", "jsonargparse"} & set(sys.modules)
sys.exit(", ".join(sorted(heavy)) or None)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
