"""`bcls evaluate`: judge a trained model, or anybody's embeddings."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from bcls.cli.arguments import parse_words
from bcls.cli.evaluation import Evaluation
from bcls.cli.models import FoundModel, distinct_names, find_model
from bcls.cli.outputs import refuse_other
from bcls.cli.run_defaults import fill_defaults
from bcls.cli.yardstick import (
    add_yardstick,
    check_protocol,
    given_relevance,
    given_scorer,
    protocol_meaning,
    relevance_source,
    result_name,
    shown_metrics,
)
from bcls.errors import InputError
from bcls.progress import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsonargparse import ArgumentParser

DESCRIPTION = """Judge a run or a saved model on a split, or the embeddings or similarities of any other model. A run
knows its data; a model must be told. Rows of files lie in the order of the split, or are matched by ids.

example: bcls evaluate runs/flickr8k/bcls --split val --scorer cider

example: bcls evaluate runs/scan --first_stage runs/vse --top 100    # runs/scan ranks the first 100 of runs/vse anew

example: bcls evaluate runs/sgr --ensemble runs/saf    # the mean of both similarities, which is SGRAF

example: bcls evaluate --image-embeddings i.npy --caption-embeddings c.npy --data ../shared/data/flickr8k"""

WIDTH = 80


def run(words: list[str]) -> int:
    """Judge and print the table."""
    given = parse_words(_parser(), words)
    files = [given[name] for name in ("image_embeddings", "caption_embeddings", "similarity") if given[name]]
    if given["model"] is None and not files:
        raise InputError("name a model to judge, or --image_embeddings and --caption_embeddings, or --similarity")
    if given["model"] is not None and files:
        raise InputError(f"judge either the model {given['model']} or {files[0]}, not both")
    check_protocol(given)
    if files:
        from bcls.cli.evaluate_files import judge_files  # noqa: PLC0415

        fill_defaults(given, [])
        evaluation = judge_files(given)
    else:
        evaluation = _judge_model(given)
    return _report(given, evaluation)


def _report(given: dict[str, Any], evaluation: Evaluation) -> int:
    """Make the metrics, show them, and write them where nothing else stands."""
    from bcls.evaluation import text_table, write_result  # noqa: PLC0415

    about = {key: given[key] for key in ("split", "scene_truth", "protocol")}
    about |= {key: given[key] for key in ("relevance", "judgements") if given[key]}
    about |= {"scorer": relevance_source(given)}
    if given_scorer(given) is not None:
        about["fit_split"] = given["fit_split"]
    about |= evaluation.about
    output = Path(given["output"] or evaluation.output)
    ignored = evaluation.ignored if given["output"] is None else ()
    refuse_other(output, about, overwrite=given["overwrite"], ignored=ignored)
    metrics = evaluation.measure()
    print(text_table({evaluation.name: metrics}, shown_metrics(given["protocol"])))
    if given["protocol"] != "whole":
        print(fill(protocol_meaning(given["protocol"]), WIDTH))
    if about.get("pairs"):
        print(fill(f"pairs: {about['pairs']}", WIDTH))
    if metrics.get("left_out_captions"):
        print(f"left out: {counted(int(metrics['left_out_captions']), 'caption')} that nobody judged")
    write_result(output, metrics, about)
    print(f"all metrics: {output}")
    return 0


def _parser() -> ArgumentParser:
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls evaluate", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("model", type=str | None, nargs="?", help="a run's folder, a model's folder, or a hub id")
    parser.add_argument("--image_embeddings", type=str | None, help="a .npy or .safetensors file (images, dimensions)")
    parser.add_argument("--caption_embeddings", type=str | None, help="the same of the captions")
    parser.add_argument("--similarity", type=str | None, help="instead of both: a file (images, captions)")
    parser.add_argument("--image_ids", type=str | None, help="ids of the image rows: a .txt or .json file")
    parser.add_argument("--caption_ids", type=str | None, help="ids of the caption rows")
    parser.add_argument("--caption_image", type=str | None, help="instead of --data: each caption's image row, a file")
    add_yardstick(parser)
    parser.add_argument("--first_stage", type=str | None, help="a run or model that ranks everything first")
    parser.add_argument("--top", type=int, default=100, help="how many of its best the model ranks anew")
    parser.add_argument(
        "--ensemble", type=str, nargs="+", help="further models, judged as one by their mean similarity"
    )
    parser.add_argument(
        "--output", type=str | None, default=None, help="the JSON file; default: RUN/SPLIT.json and the like"
    )
    return parser


def _judge_model(given: dict[str, Any]) -> Evaluation:
    """What a run or a saved model comes to."""
    for option in ("image_ids", "caption_ids", "caption_image"):
        if given[option]:
            raise InputError(f"--{option} tells about rows of embeddings; the model {given['model']} makes its own")
    if given["similarity_function"] != "cosine":
        raise InputError("--similarity_function is for files of embeddings; a model has a similarity of its own")
    found = find_model(given["model"], given["data"], given["features"])
    fill_defaults(given, [found.run])
    given["scene_truth"] = relevance_source(given) == "scene_truth"  # not where the protocol has other judgements
    first = None if given["first_stage"] is None else find_model(given["first_stage"], found.data)
    others = [find_model(named, found.data) for named in given["ensemble"] or ()]
    folder = Path(given["model"])
    about: dict[str, Any] = {"model": given["model"], "data": found.data}
    parts, shown = [result_name(given)], folder.name
    if found.is_run and found.data != found.run.data:
        parts.append(f"on-{Path(found.data).name}")
    if found.is_run and found.features != found.run.features:
        parts.append(f"by-{found.features}")
    if found.features is not None:
        about["features"] = found.features
    if first is not None:
        about |= {"first_stage": given["first_stage"], "top": given["top"]}
        parts.append(f"first-{given['top']}-of-{Path(given['first_stage']).name}")
    if others:
        about |= {"ensemble": given["ensemble"]}
        names = distinct_names([given["model"], *given["ensemble"]])
        shown = " + ".join(names)
        parts.append(f"with-{'-'.join(names[1:]).replace('/', '-')}")
    name = ".".join(parts)
    output = folder / f"{name}.json" if found.is_run else Path(f"{folder.name}.{name}.json")
    ignored = ("model",) if found.is_run else ()  # the run that the folder belongs to, however its path is written
    return Evaluation(shown, about, output, lambda: _measure(given, found, first, others), ignored)


def _measure(
    given: dict[str, Any], found: FoundModel, first: FoundModel | None, others: Sequence[FoundModel]
) -> dict[str, float]:
    from bcls.assessment.evaluating import FirstStage, OtherModel, evaluate_model  # noqa: PLC0415
    from bcls.models import RetrievalModel  # noqa: PLC0415

    def loaded(one: FoundModel) -> RetrievalModel:
        return RetrievalModel.from_pretrained(one.model)

    return evaluate_model(
        loaded(found),
        found.data,
        given["split"],
        features=found.features,
        scorer=given_scorer(given),
        scene_truth=given["scene_truth"],
        labels_folder=Path(given["labels"]),
        fit_split=given["fit_split"],
        protocol=given["protocol"],
        relevance=given_relevance(given, found.data),
        files=[Path(file) for file in given["judgements"] or ()],
        first_stage=None if first is None else FirstStage(loaded(first), first.features, given["top"]),
        ensemble=[OtherModel(loaded(other), other.features) for other in others],
    )
