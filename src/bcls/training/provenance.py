"""Where a result comes from: versions, code, machine, data."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

import bcls

PACKAGES = ("torch", "numpy", "scipy", "lightning", "sentence-transformers", "scikit-learn")


def provenance(data: dict[str, str]) -> dict[str, object]:
    """Facts to keep beside a result.

    Args:
        data: content hashes of the data that went in, by name.

    Returns:
        JSON-able facts: the package's version, the commit of its checkout (with `+changes` where files differ
        from it; null outside a checkout), versions of libraries, the machine's kind, threads, and the data.
    """
    return {
        "bcls": bcls.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "data": data,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    folder = Path(bcls.__file__).parent

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    if git("ls-files", "--error-unmatch", str(folder / "__init__.py")) is None:
        return None
    commit = git("rev-parse", "HEAD")
    return f"{commit}+changes" if commit and git("status", "--porcelain", "--", str(folder)) else commit
