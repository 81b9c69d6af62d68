"""A server in a process of its own, as `bcls serve` starts it, so that it can be killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Running:
    """A server that listens on `port`."""

    process: subprocess.Popen[str]
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> int:
        """The most bytes that it has had resident so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)


def command(model: Path, index: str | Path, pictures: Path, *options: str | Path, before: str = "") -> list[str]:
    """The words that start a server."""
    start = f"import sys\nfrom bcls.cli import main\n{before}\nsys.exit(main(sys.argv[1:]))"
    given = ["serve", model, index, "--port", "0", "--pictures", pictures, *options]
    return [sys.executable, "-c", start, *map(str, given)]


@contextmanager
def running(
    model: Path, index: str | Path, pictures: Path, *options: str | Path, before: str = "", **environment: str
) -> Iterator[Running]:
    """Start it; `before` is code that its process runs first."""
    words = command(model, index, pictures, *options, before=before)
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | environment
    ) as process:
        try:
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            assert found, f"no address: {line!r}"
            yield Running(process, int(found[1]))
        finally:
            process.kill()
