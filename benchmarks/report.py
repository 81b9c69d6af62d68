"""Benchmark rows as a table, a JSON file, and a plot of growth."""

from __future__ import annotations

import json
import math
import platform
from pathlib import Path
from typing import Any

from measure import RESULTS, load


def print_rows(rows: list[dict[str, Any]]) -> None:
    """A table within 120 columns."""
    for row in rows:
        ratio = row["ratio"]
        shown = "-" if math.isnan(ratio) else f"{ratio:.3g} x" if ratio >= 0.1 else f"1/{1 / ratio:.0f}"
        memory = f"{row['ours_extra_mb']:.0f} MB" + _beside(row.get("baseline_extra_mb"), " MB")
        time = f"{row['ours_seconds']:.4g} s" + _beside(row.get("baseline_seconds"), " s")
        print(f"{'ok  ' if row['met'] else 'MISS'} {row['name']}: {shown} of {row['baseline']}  [{row['target']}]")
        print(f"       {time}; extra memory {memory}")


def _beside(value: float | None, unit: str) -> str:
    return "" if value is None else f" (baseline {value:.4g}{unit})"


def write_rows(name: str, rows: list[dict[str, Any]], more: dict[str, Any] | None = None) -> Path:
    """`results/NAME.json`, with the machine and its load."""
    import torch

    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    about = {
        "machine": platform.machine(),
        "load": load(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
    file.write_text(json.dumps({"about": about, "rows": rows, **(more or {})}, indent=2) + "\n", encoding="utf-8")
    return file


def plot_growth(curves: dict[str, list[tuple[int, float, float]]], file: Path) -> None:
    """Time and memory against the batch size, both axes logarithmic."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
    for name, curve in curves.items():
        sizes = [size for size, _, _ in curve]
        left.plot(sizes, [seconds for _, seconds, _ in curve], marker="o", label=name)
        right.plot(sizes, [max(extra, 0.1) for _, _, extra in curve], marker="o", label=name)
    for axes, title in ((left, "seconds, forward + backward"), (right, "extra memory, MB")):
        axes.set(xscale="log", yscale="log", xlabel="batch size B", title=title)
        axes.set_xticks([128, 512, 2048, 8192], labels=["128", "512", "2048", "8192"])
        axes.grid(alpha=0.3)
    left.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    plt.close(figure)
