"""`bcls compare`: which of several models is better, how surely, and for which queries."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from bcls.cli.arguments import parse_words
from bcls.cli.compare_files import FileModel, file_models, judge_without_data
from bcls.cli.models import distinct_names, find_model
from bcls.cli.outputs import refuse_other
from bcls.cli.run_defaults import fill_defaults
from bcls.cli.yardstick import (
    add_yardstick,
    check_protocol,
    given_relevance,
    given_scorer,
    protocol_meaning,
    relevance_source,
    shown_metrics,
)
from bcls.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsonargparse import ArgumentParser

    from bcls.assessment.comparing import EvaluatedModels
    from bcls.cli.models import FoundModel
    from bcls.evaluation import Difference

DESCRIPTION = """Compare runs, saved models, or files of embeddings or similarities with the first of them: differences
with intervals and p-values, and a page that shows query by query what changes.

example: bcls compare runs/triplet runs/bcls --output runs/comparison

example: bcls compare --image-embeddings a/i.npy b/i.npy --caption-embeddings a/c.npy b/c.npy --data DATA --split test

example: bcls compare runs/bcls --similarity clip.npy --base clip"""
WIDTH = 80


def run(words: list[str]) -> int:
    """Judge all, print the differences, write the JSON file and the pages."""
    given = parse_words(_parser(), words)
    files = file_models(given)
    models = list(given["models"] or ())
    if len(models) + len(files) < 2:
        raise InputError("name two models or more to compare")
    names = distinct_names([*models, *(one.path for one in files)])
    if given["base"] is not None and given["base"] not in names:
        raise InputError(f"--base {given['base']}: no model of this name; there are: {', '.join(names)}")
    for option in ("samples", "queries"):
        if given[option] < 1:
            raise InputError(f"--{option} {given[option]}: it must be at least 1")
    check_protocol(given)
    found = [find_model(named, given["data"], given["features"]) for named in models]
    fill_defaults(given, [one.run for one in found])
    given["scene_truth"] = relevance_source(given) == "scene_truth"
    order = sorted(names, key=lambda name: name != given["base"])  # a stable sort: the others stay as they are
    told = dict(zip(names, [*map(str, models), *(str(one) for one in files)], strict=True))
    about = _about(given, {name: told[name] for name in order}, found)
    output = Path(given["output"]) / "comparison.json"
    refuse_other(output, about, overwrite=given["overwrite"], what="comparison")
    judged = _judged(given, names, found, files, order)
    return _report(given, judged, about)


def _parser() -> ArgumentParser:
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls compare", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("models", type=str, nargs="*", help="runs, models or hub ids; the first is the base")
    parser.add_argument("--image_embeddings", type=str, nargs="+", help="files of further models, one a model")
    parser.add_argument("--caption_embeddings", type=str, nargs="+", help="the same of the captions, in the same order")
    parser.add_argument("--similarity", type=str, nargs="+", help="files (images, captions) of further models")
    parser.add_argument("--image_ids", type=str, nargs="+", help="ids of the image rows: one file for all, or for each")
    parser.add_argument("--caption_ids", type=str, nargs="+", help="ids of the caption rows, likewise")
    parser.add_argument("--caption_image", type=str | None, help="instead of --data: each caption's image row, a file")
    parser.add_argument("--base", type=str | None, default=None, help="name of the base, as the table writes it")
    add_yardstick(parser)
    parser.add_argument("--samples", type=int, default=10_000, help="draws of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    parser.add_argument("--queries", type=int, default=160, help="about how many to show on a page")
    parser.add_argument("--near_miss", type=float, default=0.1, help="relevance from which on a wrong answer is near")
    parser.add_argument("--output", type=str, default="runs/comparison", help="folder of the results")
    return parser


def _about(given: dict[str, Any], models: dict[str, str], found: Sequence[FoundModel]) -> dict[str, Any]:
    """What the comparison's file says of it."""
    data = found[0].data if found else given["data"]
    about: dict[str, Any] = {
        "models": models,
        "base": next(iter(models)),
        "data": data,
        "split": None if data is None else given["split"],
    }
    about |= {name: given[name] for name in ("scene_truth", "protocol", "samples", "seed")}
    about["scorer"] = "none" if data is None and not given["relevance"] else relevance_source(given)
    if data is not None and given_scorer(given) is not None:
        about["fit_split"] = given["fit_split"]
    optional = ("relevance", "judgements", "image_ids", "caption_ids", "caption_image")
    about |= {name: given[name] for name in optional if given[name]}
    if given["similarity_function"] != "cosine":
        about["similarity_function"] = given["similarity_function"]
    return about


def _judged(
    given: dict[str, Any], names: list[str], found: Sequence[FoundModel], files: Sequence[FileModel], order: list[str]
) -> EvaluatedModels:
    """All models' results, the base first."""
    from bcls.assessment.comparing import ModelOnData, evaluate_models  # noqa: PLC0415

    named_files = dict(zip(names[len(found) :], files, strict=True))
    data = found[0].data if found else given["data"]
    if data is None:
        return judge_without_data({name: named_files[name] for name in order}, given)
    source = f"the split {given['split']!r} of {data}"
    judged = evaluate_models(
        {name: ModelOnData(one.model, one.data, one.features) for name, one in zip(names, found, strict=False)},
        given["split"],
        scorer=given_scorer(given),
        scene_truth=given["scene_truth"],
        labels_folder=Path(given["labels"]),
        fit_split=given["fit_split"],
        protocol=given["protocol"],
        relevance=given_relevance(given, data),
        files=given["judgements"] or (),
        others={name: one.on_split(source) for name, one in named_files.items()},
        data=data,
    )
    for parts in (judged.similarities, judged.results, judged.metrics):
        _reorder(parts, order)
    return judged


def _reorder(parts: dict[str, Any], order: Sequence[str]) -> None:
    for name in order:
        if name in parts:
            parts[name] = parts.pop(name)


def _report(given: dict[str, Any], judged: EvaluatedModels, about: dict[str, Any]) -> int:
    """Print the table, and write the JSON file and the pages."""
    from bcls.evaluation import compare, difference_table, text_table, write_comparison  # noqa: PLC0415

    base, *others = judged.metrics
    folder = Path(given["output"])
    differences: list[Difference] = []
    if judged.results:
        differences = compare(judged.results, judged.truth, samples=given["samples"], seed=given["seed"])
        print(difference_table(base, differences))
    else:
        shown = shown_metrics(given["protocol"])
        less = {
            f"{other} - {base}": {
                name: value - judged.metrics[base][name]
                for name, value in judged.metrics[other].items()
                if name in judged.metrics[base]
            }
            for other in others
        }
        print(text_table(judged.metrics | less, shown))
        print(fill(f"no intervals: {given['protocol']} makes one number of all queries", WIDTH))
    if given["protocol"] != "whole":
        print(fill(protocol_meaning(given["protocol"]), WIDTH))
    write_comparison(folder / "comparison.json", judged.metrics, differences, about)
    print(folder / "comparison.json")
    if judged.results and judged.part is not None:
        for file in _pages(folder, judged, differences, about, given):
            print(file)
    elif judged.results:
        print("no page: it shows captions and images, so that it needs --data")
    return 0


def _pages(
    folder: Path,
    judged: EvaluatedModels,
    differences: Sequence[Difference],
    about: dict[str, Any],
    given: dict[str, Any],
) -> list[Path]:
    """Write a page for each model but the base; the files."""
    from bcls.assessment.comparison_report import comparison_report  # noqa: PLC0415
    from bcls.evaluation.report import write_report  # noqa: PLC0415

    files = []
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
