"""Writing both towers of a model as ONNX files, in float32 and in int8."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bcls.errors import InputError, MissingExtraError
from bcls.files import replacing, write_text
from bcls.models.bag_of_words import BagOfWordsTower
from bcls.models.exported.inputs import CaptionFunction, ImageFunction, caption_inputs
from bcls.models.pretrained import PretrainedCaptionTower, PretrainedImageTower
from bcls.models.retrieval_model import RetrievalModel

IMAGE, CAPTION = "image.onnx", "caption.onnx"
OPSET = 18
PROBE = ("a dog runs", "two men in hats eat an apple")


def export_towers(model: RetrievalModel, folder: Path, images: Tensor) -> None:
    """Write `image.onnx` and `caption.onnx`, and beside them what prepares their inputs.

    The number of images, of captions and of tokens may vary from call to call. A pretrained tower's processor settings
    and tokenizer files, or a bag of words' vocabulary (its first word has id 2; 1 is every other word, 0 padding), are
    written as JSON.

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
    ids, mask = caption_inputs(model.caption_tower, PROBE)
    many = {0: torch.export.Dim.DYNAMIC}
    _export(ImageFunction(model.image_tower), folder / IMAGE, {"images": images}, [many])
    tokens = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    if ids.shape[1] == _fixed_length(model):
        tokens = many
    _export(CaptionFunction(model.caption_tower), folder / CAPTION, {"ids": ids, "mask": mask}, [tokens, tokens])
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


def _export(function: nn.Module, file: Path, inputs: dict[str, Tensor], shapes: Sequence[Any]) -> None:
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
                dynamic_shapes=tuple(shapes),
                opset_version=OPSET,
                external_data=False,
                dynamo=True,
                verbose=False,
            )
        except Exception as error:  # torch raises many kinds here
            kind = type(function.tower).__name__
            reason = " ".join(str(error.__cause__ or error).split())[:200]
            raise InputError(f"{kind} cannot be exported ({reason}); pooling: gpo is one that cannot") from None


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


def _fixed_length(model: RetrievalModel) -> int | None:
    """The length to which every caption is padded, where there is one."""
    tower = model.caption_tower
    return tower.tokenizer.fixed_length if isinstance(tower, PretrainedCaptionTower) else None


def _beside(model: RetrievalModel) -> dict[str, str]:
    files = {}
    if isinstance(model.image_tower, PretrainedImageTower):
        files["preprocessor_config.json"] = json.dumps(model.image_tower.processor.settings(), indent=2)
    if isinstance(model.caption_tower, PretrainedCaptionTower):
        files |= {name: text for name, text in model.caption_tower.tokenizer.files.items() if name.endswith(".json")}
    if isinstance(model.caption_tower, BagOfWordsTower):
        files["vocabulary.json"] = json.dumps(model.caption_tower.fitted(), ensure_ascii=False)
    return files
