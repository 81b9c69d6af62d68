"""`bcls study`: many runs of one question, and one table."""

from __future__ import annotations

import sys
from pathlib import Path

from bcls.cli.arguments import require_training, underscored
from bcls.cli.terminal import visible

DESCRIPTION = """Train every variant of a study with every seed, each run in a process of its own, and write one table:
mean, spread over seeds, and paired bootstrap tests against the baseline. A finished run is not done again, an
interrupted one is resumed. Any field of the study can be overridden by its name.

example: bcls study configs/studies/flickr8k.yaml --only triplet_sn boundary --seeds '[0]'"""


def run(words: list[str]) -> int:
    """Do the study, print its table; 1 where a run failed."""
    require_training("bcls study")
    from bcls.study import conduct_study, parse_study, study_markdown, study_parser, study_table  # noqa: PLC0415
    from bcls.study.publishing import publish, require_place  # noqa: PLC0415

    if words and not words[0].startswith("-"):
        words = ["--config", *words]
    parser = study_parser("bcls study", DESCRIPTION)
    parser.add_argument("--only", type=str, nargs="+", default=[], help="variants to do and to show")
    parser.add_argument("--publish", type=str | None, default=None, help="page with the study's markers to write into")
    study, rest = parse_study(parser, underscored(words), extra=["only", "publish"])
    marker = study.name or Path(study.output).name
    page = None if rest["publish"] is None else Path(rest["publish"])
    if page is not None:
        require_place(page, marker)
    result = conduct_study(study, rest["only"])
    if result.findings:
        print(study_table(result.findings, study.metrics, result.differences))
        if page is not None:
            table = study_markdown(result.findings, study.metrics, result.differences)
            publish(page, marker, table, result.pictures)
    for file in [*result.files, *result.pictures]:
        print(file)
    for name, reason in result.failures.items():
        print(visible(f"bcls: failed: {name}: {reason}"), file=sys.stderr)
    return 1 if result.failures else 0
