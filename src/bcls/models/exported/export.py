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
from bcls.files import replacing
from bcls.models.bag_of_words import BagOfWordsTower
from bcls.models.bigru import BiGRUTower
from bcls.models.exported.inputs import CaptionFunction, ImageFunction, caption_inputs
from bcls.models.pretrained import PretrainedCaptionTower, PretrainedImageTower
from bcls.models.pretrained.tokenizer import SETTINGS
from bcls.models.region_features import RegionFeatureTower
from bcls.models.retrieval_model import RetrievalModel
from bcls.models.sentence_encoder import SentenceEncoderTower
from bcls.models.sum_of_towers import SumCaptionTower
from bcls.models.towers import CaptionTower
from bcls.text import describe_tokenizer

IMAGE, CAPTION = "image.onnx", "caption.onnx"
OPSET = 18
PROBE = ("a dog runs", "two men in hats eat an apple")


def export_towers(model: RetrievalModel, folder: Path, images: Tensor) -> None:
    """Write `image.onnx` and `caption.onnx`, and beside them what prepares their inputs.

    The number of images, of regions, of captions and of tokens may vary from call to call. Beside lie a pretrained
    tower's image processor, up to the bytes that the graph takes and normalises itself, and its tokenizer, whose
    `model_max_length` is the tower's; or the vocabulary of a tower that reads words (its first word has id 2, 1 is
    every other word, 0 padding) with the tokenizer that finds them, see `docs/words.md`. Of a sum of towers the files
    and inputs of the first end with `_0`. Quantized files that are there are those of another export, and go.

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
    more = {**many, 1: torch.export.Dim.DYNAMIC}
    for name in (IMAGE, CAPTION):
        quantized(folder / name).unlink(missing_ok=True)
    sets = isinstance(model.image_tower, RegionFeatureTower)
    _export(ImageFunction(model.image_tower), folder / IMAGE, {"images": images}, (more if sets else many,))
    fixed = _fixed_lengths(model.caption_tower)
    shapes = [many if one.shape[1] in fixed else more for one in captions.values()]
    _export(CaptionFunction(model.caption_tower), folder / CAPTION, captions, (tuple(shapes),))  # one tuple: *tokens
    for name, content in _beside(model).items():
        with replacing(folder / name) as temporary:
            temporary.write_bytes(content)


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
        # While it exports, torch puts a GRU of any length in place of its own, but would call the one that it met last.
        getattr(torch.ops.aten.gru.input, "_dispatch_cache", {}).clear()
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


def _beside(model: RetrievalModel) -> dict[str, bytes]:
    files = _caption_files(model.caption_tower)
    if isinstance(model.image_tower, PretrainedImageTower):
        bytes_alone = {"do_rescale": False, "do_normalize": False}  # the graph does both
        settings = model.image_tower.processor.settings() | bytes_alone
        files["preprocessor_config.json"] = json.dumps(settings, indent=2).encode()
    return files


def _caption_files(tower: CaptionTower) -> dict[str, bytes]:
    """What turns captions into ids."""
    if isinstance(tower, SumCaptionTower):
        parts = [_caption_files(part) for part in tower.towers]
        return {
            f"{Path(name).stem}_{place}{Path(name).suffix}": content
            for place, part in enumerate(parts)
            for name, content in part.items()
        }
    if isinstance(tower, PretrainedCaptionTower):
        files = tower.tokenizer.contents()
        settings = json.loads(files.get(SETTINGS, b"{}")) | {"model_max_length": tower.tokenizer.longest}
        return {**files, SETTINGS: json.dumps(settings, ensure_ascii=False).encode()}
    if isinstance(tower, SentenceEncoderTower):
        return {"tokenizer.json": tower.sentence_encoder.tokenizer.backend_tokenizer.to_str().encode()}
    assert isinstance(tower, BagOfWordsTower | BiGRUTower), "caption_inputs refuses others"
    learnt = {**(tower.fitted() or {}), "tokenizer": describe_tokenizer(tower.tokenizer)}
    return {"vocabulary.json": json.dumps(learnt, ensure_ascii=False).encode()}
