"""Writing both towers of a model as ONNX files, in float32 and in int8."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bcls.errors import InputError, MissingExtraError
from bcls.files import replacing, write_text
from bcls.models.bag_of_words import BagOfWordsTower
from bcls.models.bigru import BiGRUTower
from bcls.models.exported.inputs import CaptionFunction, ImageFunction, caption_inputs
from bcls.models.pretrained import PretrainedCaptionTower, PretrainedImageTower
from bcls.models.retrieval_model import RetrievalModel
from bcls.models.sentence_encoder import SentenceEncoderTower
from bcls.models.sum_of_towers import SumCaptionTower
from bcls.models.towers import CaptionTower

IMAGE, CAPTION = "image.onnx", "caption.onnx"
OPSET = 18
PROBE = ("a dog runs", "two men in hats eat an apple")


def export_towers(model: RetrievalModel, folder: Path, images: Tensor) -> None:
    """Write `image.onnx` and `caption.onnx`, and beside them what prepares their inputs.

    The number of images, of captions and of tokens may vary from call to call. A pretrained tower's processor settings
    and tokenizer files, or the vocabulary of a tower that reads words (its first word has id 2; 1 is every other word,
    0 padding), are written as JSON; of a sum of towers the files and inputs of the first end with `_0`.

    Args:
        model: fitted.
        folder: where to.
        images: two or more, as the image tower takes them, to trace it with.

    Raises:
        MissingExtraError: onnx or onnxscript is not installed.
        InputError: a tower cannot be exported.
    """
    model.require_vectors()
    model = model.eval()
    captions = caption_inputs(model.caption_tower, PROBE)
    many = {0: torch.export.Dim.DYNAMIC}
    _export(ImageFunction(model.image_tower, images), folder / IMAGE, {"images": images}, (many,))
    fixed = _fixed_lengths(model.caption_tower)
    shapes = [many if one.shape[1] in fixed else {**many, 1: torch.export.Dim.DYNAMIC} for one in captions.values()]
    _export(CaptionFunction(model.caption_tower), folder / CAPTION, captions, (tuple(shapes),))  # one tuple: *tokens
    for name, content in _beside(model).items():
        write_text(folder / name, content)


def quantize_towers(folder: Path) -> None:
    """Write `image.int8.onnx` and `caption.int8.onnx`: weights of matrices and embeddings in int8.

    Raises:
        MissingExtraError: onnxruntime is not installed.
    """
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("quantization", "onnx") from None
    for name in (IMAGE, CAPTION):
        with replacing(quantized(folder / name)) as temporary, _quiet(""):  # it advises on the root logger
            quantize_dynamic(folder / name, temporary, weight_type=QuantType.QInt8, per_channel=True)


def quantized(file: Path) -> Path:
    """Where the int8 version of an exported file lies."""
    return file.with_suffix(".int8.onnx")


def _export(function: nn.Module, file: Path, inputs: dict[str, Tensor], shapes: tuple[Any, ...]) -> None:
    try:
        import onnxscript  # type: ignore[import-not-found, unused-ignore]  # noqa: F401, PLC0415
    except ImportError:
        raise MissingExtraError("export to ONNX", "onnx") from None
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as temporary, warnings.catch_warnings(), _quiet("torch.onnx"):
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(
                function.eval(),
                tuple(inputs.values()),
                str(temporary),
                input_names=list(inputs),
                output_names=["embeddings"],
                dynamic_shapes=shapes,
                opset_version=OPSET,
                external_data=False,
                dynamo=True,
                verbose=False,
            )
        except Exception as error:  # torch raises many kinds here
            reason = " ".join(str(error.__cause__ or error).split())[:200]
            raise InputError(f"{file.name}: this tower cannot be exported ({reason})") from None


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Only errors from a logger of that name."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _fixed_lengths(tower: CaptionTower) -> set[int]:
    """The lengths to which every caption is padded, where there are any."""
    if isinstance(tower, SumCaptionTower):
        return set().union(*(_fixed_lengths(part) for part in tower.towers))
    length = tower.tokenizer.fixed_length if isinstance(tower, PretrainedCaptionTower) else None
    return set() if length is None else {length}


def _beside(model: RetrievalModel) -> dict[str, str]:
    files = _caption_files(model.caption_tower)
    if isinstance(model.image_tower, PretrainedImageTower):
        files["preprocessor_config.json"] = json.dumps(model.image_tower.processor.settings(), indent=2)
    return files


def _caption_files(tower: CaptionTower) -> dict[str, str]:
    """What turns captions into ids."""
    if isinstance(tower, SumCaptionTower):
        parts = [_caption_files(part) for part in tower.towers]
        return {
            f"{name.removesuffix('.json')}_{place}.json": text
            for place, part in enumerate(parts)
            for name, text in part.items()
        }
    if isinstance(tower, PretrainedCaptionTower):
        return {name: text for name, text in tower.tokenizer.files.items() if name.endswith(".json")}
    if isinstance(tower, SentenceEncoderTower):
        return {"tokenizer.json": tower.sentence_encoder.tokenizer.backend_tokenizer.to_str()}
    assert isinstance(tower, BagOfWordsTower | BiGRUTower), "caption_inputs refuses others"
    return {"vocabulary.json": json.dumps(tower.fitted(), ensure_ascii=False)}
