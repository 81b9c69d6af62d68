"""`bcls evaluate`: judge a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bcls.cli.arguments import parse_words, require_training, scorer_from
from bcls.errors import InputError

DESCRIPTION = """Judge a run or a saved model on a split. A run knows its data; a model must be told.

example: bcls evaluate runs/flickr8k/bcls --split val --scorer cider"""


def run(words: list[str]) -> int:
    """Judge and print the table."""
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls evaluate", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("model", type=str, help="a run's folder, a model's folder, or a hub id")
    parser.add_argument("--data", type=str | None, default=None, help="the data set; default: the run's")
    parser.add_argument("--features", type=str | None, default=None, help="the features; default: the run's")
    parser.add_argument("--split", type=str, default="val", help="which split")
    parser.add_argument("--scorer", type=str, default="cider", help="judges graded order: cider, tfidf, sentence, none")
    parser.add_argument("--scene_truth", type=bool, default=False, help="judge by the truth of made scenes")
    parser.add_argument("--labels", type=str, default="runs/labels", help="folder of the scorer's encodings")
    parser.add_argument("--fit_split", type=str, default="train", help="where its document frequencies come from")
    parser.add_argument("--protocol", type=str, default="whole", help="whole, flickr8k, flickr30k, coco-5k, coco-1k")
    parser.add_argument("--output", type=str | None, default=None, help="the JSON file; default: in the run's folder")
    given = parse_words(parser, words)
    require_training("bcls evaluate")
    from bcls.evaluation import text_table, write_result  # noqa: PLC0415
    from bcls.models import RetrievalModel  # noqa: PLC0415
    from bcls.training.judging import judge_model  # noqa: PLC0415

    folder = Path(given["model"])
    about = _run_data(folder)
    data = given["data"] or about.get("path")
    if data is None:
        raise InputError(f"{folder} is not a run, so that its data is not known: name it with --data")
    is_run = (folder / "model").is_dir()
    metrics = judge_model(
        RetrievalModel.from_pretrained(folder / "model" if is_run else given["model"]),
        data,
        given["split"],
        features=given["features"] or about.get("features"),
        scorer=None if given["scorer"] == "none" else scorer_from(given["scorer"]),
        scene_truth=given["scene_truth"],
        labels_folder=Path(given["labels"]),
        fit_split=given["fit_split"],
        protocol=given["protocol"],
    )
    asked = {name: given[name] for name in ("split", "scorer", "scene_truth", "protocol")}
    output = Path(given["output"] or (folder / f"{given['split']}.json" if is_run else f"{folder.name}.json"))
    write_result(output, metrics, {"model": given["model"], "data": data, **asked})
    print(text_table({folder.name: metrics}))
    print(f"all metrics: {output}")
    return 0


def _run_data(folder: Path) -> dict[str, Any]:
    """The data section of a run's config; empty where the folder is no run."""
    import yaml  # noqa: PLC0415

    config = folder / "config.yaml"
    if not config.is_file():
        return {}
    try:
        content = yaml.safe_load(config.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(f"{config}: not YAML ({error})") from None
    data = content.get("data") if isinstance(content, dict) else None
    return data if isinstance(data, dict) else {}
