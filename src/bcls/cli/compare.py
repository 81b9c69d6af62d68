"""`bcls compare`: which of several models is better, how surely, and for which queries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcls.cli.arguments import parse_words, scorer_from
from bcls.cli.models import distinct_names, find_model
from bcls.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsonargparse import ArgumentParser

    from bcls.evaluation import Difference
    from bcls.training.comparing import JudgedModels

DESCRIPTION = """Compare runs or saved models with the first of them: differences with intervals and p-values, and a
page that shows query by query what changes.

example: bcls compare runs/triplet runs/bcls --split val --output runs/comparison"""


def run(words: list[str]) -> int:
    """Judge all, print the differences, write the JSON file and the pages."""
    given = parse_words(_parser(), words)
    if len(given["models"]) < 2:
        raise InputError("name two models or more to compare")
    names = distinct_names(given["models"])
    for option in ("samples", "queries"):
        if given[option] < 1:
            raise InputError(f"--{option} {given[option]}: it must be at least 1")
    from bcls.evaluation import compare, difference_table  # noqa: PLC0415
    from bcls.training.comparing import ModelOnData, judge_models  # noqa: PLC0415

    found = [find_model(named, given["data"], given["features"]) for named in given["models"]]
    judged = judge_models(
        {name: ModelOnData(one.model, one.data, one.features) for name, one in zip(names, found, strict=True)},
        given["split"],
        scorer=None if given["scorer"] == "none" else scorer_from(given["scorer"]),
        scene_truth=given["scene_truth"],
        labels_folder=Path(given["labels"]),
        fit_split=given["fit_split"],
        protocol=given["protocol"],
    )
    differences = compare(judged.results, judged.truth, samples=given["samples"], seed=given["seed"])
    print(difference_table(names[0], differences))
    asked = ("split", "scorer", "scene_truth", "protocol", "samples", "seed")
    models = dict(zip(names, map(str, given["models"]), strict=True))
    about = {"models": models, "data": found[0].data} | {name: given[name] for name in asked}
    for file in _write(Path(given["output"]), judged, differences, about, given):
        print(file)
    return 0


def _parser() -> ArgumentParser:
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls compare", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("models", type=str, nargs="+", help="runs, models or hub ids; the first is the base")
    parser.add_argument("--data", type=str | None, default=None, help="the data set; default: each run's")
    parser.add_argument("--features", type=str | None, default=None, help="the features; default: each run's")
    parser.add_argument("--split", type=str, default="val", help="which split")
    parser.add_argument("--scorer", type=str, default="cider", help="judges graded order: cider, tfidf, sentence, none")
    parser.add_argument("--scene_truth", type=bool, default=False, help="judge by the truth of made scenes")
    parser.add_argument("--labels", type=str, default="runs/labels", help="folder of the scorer's encodings")
    parser.add_argument("--fit_split", type=str, default="train", help="where its document frequencies come from")
    parser.add_argument("--protocol", type=str, default="whole", help="whole, flickr8k, flickr30k, coco-5k, coco-1k")
    parser.add_argument("--samples", type=int, default=10_000, help="draws of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    parser.add_argument("--queries", type=int, default=160, help="about how many to show on a page")
    parser.add_argument("--near_miss", type=float, default=0.1, help="relevance from which on a wrong answer is near")
    parser.add_argument("--output", type=str, default="runs/comparison", help="folder of the results")
    return parser


def _write(
    folder: Path,
    judged: JudgedModels,
    differences: Sequence[Difference],
    about: dict[str, Any],
    given: dict[str, Any],
) -> list[Path]:
    """Write `comparison.json` and a page for each model but the first; the files."""
    from bcls.evaluation import summarise, write_comparison  # noqa: PLC0415
    from bcls.evaluation.report import write_report  # noqa: PLC0415
    from bcls.training.comparison_report import comparison_report  # noqa: PLC0415

    metrics = {name: summarise(results, judged.truth, judged.protocol) for name, results in judged.results.items()}
    files = [folder / "comparison.json"]
    write_comparison(files[0], metrics, differences, about)
    base, *others = judged.results
    for place, other in enumerate(others, start=1):
        report = comparison_report(
            judged,
            (base, other),
            differences,
            queries=given["queries"],
            near_miss=given["near_miss"],
            provenance={name.replace("_", " "): str(value) for name, value in about.items() if name != "models"}
            | {f"model {name}": path for name, path in about["models"].items() if name in {base, other}},
        )
        page = "comparison.html" if len(others) == 1 else f"comparison-{place}.html"
        files.append(write_report(folder / page, report))
    return files
