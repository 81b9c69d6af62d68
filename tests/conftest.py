"""What every test may use."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from skip_rules import SkipGuard

# Hypothesis draws by each test's own name, so that what passed passes again; `make test-random` draws anew.
settings.register_profile("same", derandomize=True)
settings.register_profile("random", print_blob=True)
settings.load_profile("same")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """An option for environments that lack some extras."""
    parser.addoption("--allow-skips", action="store_true", help="let tests be skipped for any reason")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse skips for reasons that are not on the list."""
    if not config.getoption("allow_skips", default=False):
        config.pluginmanager.register(SkipGuard(), "skip-guard")


@pytest.fixture(scope="session")
def flickr8k() -> Path:
    """The folder of the real Flickr8k data; skips where it is absent."""
    folder = SHARED / "flickr8k"
    if not folder.is_dir():
        pytest.skip("the Flickr8k data is not at ../shared/data/flickr8k")
    return folder


@pytest.fixture(scope="session")
def human_ratings() -> Path:
    """The CSV of human caption-similarity ratings; skips where it is absent."""
    file = SHARED / "cxc" / "sts_human.csv"
    if not file.is_file():
        pytest.skip("the human ratings are not at ../shared/data/cxc/sts_human.csv")
    return file


PROCESS = """
import json, os, sys, torch, torch.distributed as dist
rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
dist.init_process_group("gloo", init_method=f"file://{sys.argv[1]}", rank=rank, world_size=world)
CODE
with open(f"{sys.argv[1]}.{rank}", "w") as file:
    json.dump(result, file)
dist.barrier()  # nobody leaves before all are done
os._exit(0)  # the threads of gloo do not always end in peace
"""


@pytest.fixture
def in_processes(tmp_path: Path) -> Callable[..., list[Any]]:
    """Runs code in real gloo processes on this machine; what each calls `result` comes back, in order of the ranks."""

    def run(code: str, world: int = 2) -> list[Any]:
        meeting = tmp_path / "meeting"
        words = [sys.executable, "-c", PROCESS.replace("CODE", textwrap.dedent(code)), str(meeting)]
        environment = {**os.environ, "WORLD_SIZE": str(world), "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
        processes = [
            subprocess.Popen(words, env={**environment, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
            for rank in range(world)
        ]
        try:
            faults = [process.communicate(timeout=120)[1] for process in processes]
        finally:
            for process in processes:
                process.kill()
        assert all(process.returncode == 0 for process in processes), "\n".join(faults)
        return [json.loads(Path(f"{meeting}.{rank}").read_text()) for rank in range(world)]

    return run


@pytest.fixture
def on_small_disk(tmp_path: Path) -> Callable[[str], str]:
    """Runs code in a process of its own whose folder `sys.argv[1]` is a disk of 4 MB, and returns what it printed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = 'mount -t tmpfs -o size=4m,nr_inodes=2000 tmpfs "$0" && exec "$@"'
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(disk)]
    if shutil.which("unshare") is None:
        pytest.skip("there is no `unshare` on this machine")
    tried = subprocess.run([*words, "true"], check=False, capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {tried.stderr.strip()}")

    def run(code: str) -> str:
        process = [*words, sys.executable, "-c", textwrap.dedent(code), str(disk)]
        root = Path(__file__).parents[1]
        done = subprocess.run(process, check=False, capture_output=True, text=True, timeout=300, cwd=root)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def find_chromium(default: str) -> str | None:
    """The Chromium of the system, or the one that `playwright install chromium` has put at `default`."""
    names = ("chromium", "chromium-browser", "google-chrome")
    places = [path for name in names if (path := shutil.which(name))]
    return next(iter([*places, *[default] * Path(default).is_file()]), None)


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as tool:
        chromium = find_chromium(tool.chromium.executable_path)
        if chromium is None:
            pytest.skip("Chromium is not installed")
        words = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
        opened = tool.chromium.launch(executable_path=chromium, args=words)
        yield opened
        opened.close()
