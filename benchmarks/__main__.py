"""Every claim about speed and memory: `make bench`. Plan half an hour or more on two idle cores."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PARTS = (
    "kendall",
    "chunked_losses",
    "ranking_engine",
    "judged_recalls",
    "loader",
    "cross_attention",
    "mixed_precision",
)


def main() -> None:
    for part in PARTS:
        print(f"== {part}", flush=True)
        subprocess.run([sys.executable, str(HERE / f"{part}.py")], check=True)


if __name__ == "__main__":
    main()
