"""Every loss on Flickr8k, several seeds each, judged on val: the table of docs/results.md.

    python benchmarks/flickr8k_losses.py                      # 8 losses x 3 seeds, about 90 s a run on 2 idle cores
    python benchmarks/flickr8k_losses.py --only triplet_sn boundary --seeds 0

A run that is finished is not done again, one that was interrupted is resumed. Each run is its own process.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = ROOT / "configs" / "flickr8k"
BASE = CONFIGS / "bcls.yaml"
LOSSES = {
    "triplet_hn": "Triplet-HN",
    "infonce": "InfoNCE",
    "triplet_sn": "Triplet-SN",
    "kendall_all": "Triplet-SN + Kendall (all pairs)",
    "window": "BCLS, SW-HS `window`",
    "stride": "BCLS, SW-HS `stride`",
    "first": "BCLS, SW-HS `first`",
    "boundary": "BCLS, SW-HS `boundary` (default)",
}
COLUMNS = {
    "image_to_text/recall@1": ("i2t R@1", 1),
    "text_to_image/recall@1": ("t2i R@1", 1),
    "rsum": ("rsum", 1),
    "ndcg@10": ("NDCG@10", 3),
    "tau_b": ("tau-b", 3),
}
BEGIN, END = "<!-- begin flickr8k_losses -->", "<!-- end flickr8k_losses -->"


def run_once(name: str, seed: int, output: Path, words: list[str], threads: int) -> None:
    """Train and judge one loss with one seed in a process of its own, unless its result is there."""
    folder = output / name / f"seed-{seed}"
    if (folder / "result.json").exists():
        return
    command = [sys.executable, "-m", "bcls", "train", "--config", str(BASE)]
    command += ["--config", str(CONFIGS / "losses" / f"{name}.yaml")]
    command += ["--output", str(folder), "--seed", str(seed), "--labels.folder", str(output / "labels"), *words]
    if (folder / "config.yaml").exists():
        command += ["--resume", "true"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "TQDM_DISABLE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    print(f"{name} seed {seed}: {done.stdout.splitlines()[-2]}", flush=True)


def read_run(folder: Path) -> dict[str, float]:
    """Metrics of a finished run, and the seconds that its epochs took."""
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    with (folder / "history.csv").open(encoding="utf-8") as rows:
        seconds = sum(float(row["seconds"]) for row in csv.DictReader(rows))
    return {**result["metrics"], "seconds": seconds}


def markdown(runs: dict[str, list[dict[str, float]]]) -> str:
    """The table: mean ± standard deviation over the seeds."""
    head = ["loss", "seeds", *(title for title, _ in COLUMNS.values()), "seconds"]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    for name, title in LOSSES.items():
        if name not in runs:
            continue
        cells = [title, str(len(runs[name]))]
        for key, (_, digits) in COLUMNS.items():
            values = [run[key] for run in runs[name]]
            spread = statistics.stdev(values) if len(values) > 1 else float("nan")
            cells.append(f"{statistics.mean(values):.{digits}f} ± {spread:.{digits}f}")
        cells.append(f"{statistics.mean(run['seconds'] for run in runs[name]):.0f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=LOSSES, default=list(LOSSES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time; the cores are shared among them")
    parser.add_argument("--output", type=Path, default=ROOT / "runs" / "flickr8k" / "losses")
    parser.add_argument("words", nargs="*", help="further words for `bcls train`, after --")
    arguments = parser.parse_args()
    threads = max(1, (os.cpu_count() or 1) // arguments.jobs)
    tasks = [(name, seed) for seed in arguments.seeds for name in arguments.only]
    # The first run makes the labels that the others share.
    run_once(*tasks[0], arguments.output, arguments.words, threads)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(lambda task: run_once(*task, arguments.output, arguments.words, threads), tasks))
    runs = {
        name: [read_run(folder.parent) for folder in sorted((arguments.output / name).glob("seed-*/result.json"))]
        for name in LOSSES
        if any((arguments.output / name).glob("seed-*/result.json"))
    }
    table = markdown(runs)
    print(table)
    page = ROOT / "docs" / "results.md"
    text = page.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
