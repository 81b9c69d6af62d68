"""`bcls export`: a trained model as ONNX files, checked against torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcls.cli.arguments import parse_words
from bcls.cli.models import find_model, model_place
from bcls.cli.outputs import refuse_other
from bcls.errors import BCLSError, InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser
    from torch import Tensor

    from bcls.models import RetrievalModel

DESCRIPTION = """Write both towers of a trained model as ONNX files, check them against torch, and with --int8 quantize
them. With a split of the run's data (or of --data), also tell what each version retrieves.

example: bcls export runs/flickr8k/bcls onnx --int8 true --split val"""
TOLERANCE = 1e-4
CAPTIONS = ("a", "a brown dog runs fast", "two men in hats", "a plate of pasta on a table by the sea", "zyzzyva")
RESULT = "export.json"
COLUMNS = ["image_to_text/recall@1", "text_to_image/recall@1", "rsum"]


def run(words: list[str]) -> int:
    """Export, check, quantize, judge."""
    given = parse_words(_parser(), words)
    from bcls.files import write_json  # noqa: PLC0415
    from bcls.models import RetrievalModel, fingerprint  # noqa: PLC0415
    from bcls.models.exported import OnnxTowers, export_towers, quantize_towers  # noqa: PLC0415

    output = Path(given["output"])
    if given["split"] is not None:
        _require_split(given)
    place = model_place(given["model"])
    model = RetrievalModel.from_pretrained(place)
    about = {"model": given["model"], "fingerprint": fingerprint(place)}
    _refuse_others(output, about, overwrite=given["overwrite"])
    write_json(output / RESULT, {"about": about})  # so that an interrupted export is known as one of this model
    export_towers(model, output, _images(model, 2))
    parity = OnnxTowers(output, model.caption_tower).difference(model, _images(model, 5), CAPTIONS)
    if not all(value <= TOLERANCE for value in parity.values()):  # also where one is NaN
        (output / RESULT).unlink()
        raise BCLSError(f"{output}: the exported towers differ from torch by {parity}, more than {TOLERANCE}")
    print(f"exported to {output}; largest difference from torch: " + _told(parity))
    result: dict[str, Any] = {"about": about, "difference": parity}
    if given["int8"]:
        quantize_towers(output)
        result["difference_int8"] = OnnxTowers(output, model.caption_tower, int8=True).difference(
            model, _images(model, 5), CAPTIONS
        )
        print("in int8: " + _told(result["difference_int8"]))
    if given["split"] is not None:
        result["metrics"] = _judge(model, given)
    write_json(output / RESULT, result)
    return 0


def _parser() -> ArgumentParser:
    import jsonargparse  # noqa: PLC0415

    parser = jsonargparse.ArgumentParser(prog="bcls export", description=DESCRIPTION, exit_on_error=False)
    parser.add_argument("model", type=str, help="a run's folder, a model's folder, or a hub id")
    parser.add_argument("output", type=str, help="the folder of the ONNX files")
    parser.add_argument("--int8", type=bool, default=False, help="also write quantized files")
    parser.add_argument("--split", type=str | None, default=None, help="judge each version on this split, e.g. val")
    parser.add_argument("--data", type=str | None, default=None, help="the data set; default: the run's")
    parser.add_argument("--features", type=str | None, default=None, help="the features; default: the run's")
    parser.add_argument("--overwrite", type=bool, default=False, help="replace the export of another model")
    return parser


def _refuse_others(output: Path, about: dict[str, Any], *, overwrite: bool) -> None:
    """Refuse a folder that holds the export of another model, or ONNX files of somebody else.

    Raises:
        InputError: which.
    """
    if not overwrite and not (output / RESULT).exists():
        strange = sorted(file.name for file in output.glob("*.onnx"))
        if strange:
            raise InputError(
                f"{output}: holds {strange[0]}, which is no finished export: choose another folder, or add "
                "--overwrite true to replace it"
            )
    refuse_other(output / RESULT, about, overwrite=overwrite, what="export", option="OUTPUT", ignored=("model",))


def _told(difference: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1e}" for name, value in difference.items())


def _images(model: RetrievalModel, count: int) -> Tensor:
    """Noise, as the image tower takes it."""
    import numpy as np  # noqa: PLC0415
    import torch  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    random = np.random.default_rng(count)
    prepare = getattr(model.image_tower, "prepare", None)
    if prepare is not None:
        pixels = random.integers(0, 256, (count, 96, 128, 3), dtype=np.uint8)
        prepared: Tensor = prepare([Image.fromarray(one) for one in pixels])
        return prepared
    known = model.image_tower.fitted() or {}
    regions = (9,) if type(model.image_tower).__name__ == "RegionFeatureTower" else ()
    return torch.from_numpy(random.normal(size=(count, *regions, int(known["input_dim"]))).astype(np.float32))


def _require_split(given: dict[str, Any]) -> None:
    """Refuse a split that there is not before minutes are spent on the export."""
    from bcls.data import read_dataset  # noqa: PLC0415

    read_dataset(find_model(given["model"], given["data"], given["features"]).data).split(given["split"])


def _judge(model: RetrievalModel, given: dict[str, Any]) -> dict[str, dict[str, float]]:
    from bcls.assessment.exported import evaluate_exported  # noqa: PLC0415
    from bcls.evaluation import text_table  # noqa: PLC0415

    found = find_model(given["model"], given["data"], given["features"])
    folder = Path(given["output"])
    metrics = evaluate_exported(model, folder, found.data, given["split"], found.features, int8=given["int8"])
    print(text_table(metrics, COLUMNS))
    return metrics
