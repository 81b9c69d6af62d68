"""`bcls evaluate`: judge a trained model, or anybody's embeddings."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from bcls.cli.arguments import parse_words, require_training
from bcls.cli.models import distinct_names, find_model
from bcls.cli.yardstick import (
    check_protocol,
    given_relevance,
    given_scorer,
    protocol_meaning,
    protocol_names,
    relevance_source,
    result_name,
    shown_metrics,
)
from bcls.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

DESCRIPTION = """Judge a run or a saved model on a split, or the embeddings or similarities of any other model. A run
knows its data; a model must be told. Rows of files lie in the order of the split, or are matched by ids.

example: bcls evaluate runs/flickr8k/bcls --split val --scorer cider

example: bcls evaluate runs/scan --first_stage runs/vse --top 100    # runs/scan ranks the first 100 of runs/vse anew

example: bcls evaluate runs/sgr --ensemble runs/saf    # the mean of both similarities, which is SGRAF

example: bcls evaluate --image-embeddings i.npy --caption-embeddings c.npy --data ../shared/data/flickr8k"""

WIDTH = 80
SCORERS = "judges graded order: cider (default), tfidf, sentence, none"


def run(words: list[str]) -> int:
    """Judge and print the table."""
    given = parse_words(_parser(), words)
    check_protocol(given)
    files = [given[name] for name in ("image_embeddings", "caption_embeddings", "similarity") if given[name]]
    if given["model"] is None and not files:
        raise InputError("name a model to judge, or --image_embeddings and --caption_embeddings, or --similarity")
    if given["model"] is not None and files:
        raise InputError(f"judge either the model {given['model']} or {files[0]}, not both")
    if files:
        from bcls.cli.evaluate_files import judge_files  # noqa: PLC0415

        name, metrics, about, output = judge_files(given)
    else:
        name, metrics, about, output = _judge_model(given)
    from bcls.evaluation import text_table, write_result  # noqa: PLC0415

    asked = {key: given[key] for key in ("split", "scene_truth", "protocol")}
    asked |= {key: given[key] for key in ("relevance", "judgements") if given[key]}
    output = Path(given["output"] or output)
    print(text_table({name: metrics}, shown_metrics(given["protocol"])))
    if given["protocol"] != "whole":
        print(fill(protocol_meaning(given["protocol"]), WIDTH))
    if about.get("pairs"):
        print(f"pairs: {about['pairs']}")
    if metrics.get("left_out_captions"):
        print(f"left out: {metrics['left_out_captions']:.0f} captions that nobody judged")
    write_result(output, metrics, asked | {"scorer": relevance_source(given)} | about)
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
    parser.add_argument("--data", type=str | None, default=None, help="the data set; default: the run's")
    parser.add_argument("--features", type=str | None, default=None, help="the features; default: the run's")
    parser.add_argument("--first_stage", type=str | None, help="a run or model that ranks everything first")
    parser.add_argument("--top", type=int, default=100, help="how many of its best the model ranks anew")
    parser.add_argument(
        "--ensemble", type=str, nargs="+", help="further models, judged as one by their mean similarity"
    )
    parser.add_argument("--split", type=str, default="val", help="which split")
    parser.add_argument("--scorer", type=str | None, default=None, help=SCORERS)
    parser.add_argument("--scene_truth", type=bool, default=False, help="judge by the truth of made scenes")
    parser.add_argument("--labels", type=str, default="runs/labels", help="folder of the scorer's encodings")
    parser.add_argument("--fit_split", type=str, default="train", help="where its document frequencies come from")
    parser.add_argument("--relevance", type=str | None, help="instead of a scorer: a matrix or a table, in 0..1")
    parser.add_argument("--protocol", type=str, default="whole", help=f"one of: {protocol_names()}")
    parser.add_argument("--judgements", type=str, nargs="+", help="files of a protocol with judgements")
    parser.add_argument(
        "--output", type=str | None, default=None, help="the JSON file; default: RUN/SPLIT.json and the like"
    )
    return parser


def _judge_model(given: dict[str, Any]) -> tuple[str, dict[str, float], dict[str, Any], Path]:
    """Name, metrics, what was judged, and where the result belongs."""
    for option in ("image_ids", "caption_ids", "caption_image"):
        if given[option]:
            raise InputError(f"--{option} tells about rows of embeddings; the model {given['model']} makes its own")
    require_training("bcls evaluate")
    from bcls.models import RetrievalModel  # noqa: PLC0415
    from bcls.training.judging import FirstStage, OtherModel, judge_model  # noqa: PLC0415

    found = find_model(given["model"], given["data"], given["features"])
    first = None
    if given["first_stage"] is not None:
        other = find_model(given["first_stage"], found.data)
        first = FirstStage(RetrievalModel.from_pretrained(other.model), other.features, given["top"])
    others = [find_model(named, found.data) for named in given["ensemble"] or ()]
    metrics = judge_model(
        RetrievalModel.from_pretrained(found.model),
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
        first_stage=first,
        ensemble=[OtherModel(RetrievalModel.from_pretrained(other.model), other.features) for other in others],
    )
    folder = Path(given["model"])
    about = {"model": given["model"], "data": found.data}
    name = result_name(given)
    if first is not None:
        about |= {"first_stage": given["first_stage"], "top": given["top"]}
        name = f"{name}.first-{first.top}-of-{Path(given['first_stage']).name}"
    shown = folder.name
    if others:
        about |= {"ensemble": given["ensemble"]}
        names = distinct_names([given["model"], *given["ensemble"]])
        shown = " + ".join(names)
        name = f"{name}.with-{'-'.join(names[1:]).replace('/', '-')}"
    return shown, metrics, about, folder / f"{name}.json" if found.is_run else Path(f"{folder.name}.json")
