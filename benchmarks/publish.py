"""Put the rows of benchmarks/results/*.json into docs/performance.md, between the marks of each part.

python benchmarks/publish.py
"""

from __future__ import annotations

import json
import shutil
from typing import Any

from measure import RESULTS

PAGE = RESULTS.parent.parent / "docs" / "performance.md"


def table(content: dict[str, Any]) -> str:
    """Markdown rows: what, beside what, times, ratio, memory, target."""
    lines = [
        "| what | baseline | time | baseline's time | extra memory | baseline's | target | met |",
        "|---|---|--:|--:|--:|--:|---|---|",
    ]
    for row in content["rows"]:
        cells = [
            row["name"],
            row["baseline"],
            _time(row["ours_seconds"]),
            _time(row["baseline_seconds"]),
            _memory(row["ours_extra_mb"]),
            _memory(row["baseline_extra_mb"]),
            _target(row["target"]),
            {True: "yes", False: "**no**", None: "-"}[row["met"]],
        ]
        lines.append("| " + " | ".join(cells) + " |")
    about = content.get("about", {})
    said = f"{about['load']}; torch {about['torch']}" if about else "The load of each row stands in the JSON file"
    if "exponent" in content:
        said += f"; all pairs grow as B^{content['exponent']:.2f} from 1,024 to 8,192"
    return "\n".join([*lines, "", said + "."])


def _target(target: str | float | None) -> str:
    """A number is the least that the baseline's time may be, over ours."""
    if target is None:
        return "-"
    return target if isinstance(target, str) else f"baseline / ours >= {target:.3g}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _memory(megabytes: float | None) -> str:
    return "-" if megabytes is None else f"{megabytes:,.0f} MB"


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for file in sorted(RESULTS.glob("*.json")):
        begin, end = f"<!-- begin {file.stem} -->", f"<!-- end {file.stem} -->"
        if begin in text:
            before, rest = text.split(begin)
            after = rest.split(end)[1]
            text = f"{before}{begin}\n\n{table(json.loads(file.read_text(encoding='utf-8')))}\n\n{end}{after}"
    PAGE.write_text(text, encoding="utf-8")
    picture = RESULTS / "kendall_growth.png"
    if picture.exists():
        (PAGE.parent / "images").mkdir(exist_ok=True)
        shutil.copy(picture, PAGE.parent / "images" / picture.name)


if __name__ == "__main__":
    main()
