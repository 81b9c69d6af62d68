"""Models on disk: `config.json` says what to build, `model.safetensors` holds the tensors. Nothing is unpickled."""

from __future__ import annotations

import inspect
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from safetensors.torch import load_file, save_file

from bcls.errors import BCLSError, InputError, MissingExtraError
from bcls.files import read_json, write_text
from bcls.models.attention_filtration import AttentionFiltration
from bcls.models.bag_of_words import BagOfWordsTower
from bcls.models.bigru import BiGRUTower
from bcls.models.convolution import ConvTower
from bcls.models.cross_attention import CrossAttention
from bcls.models.graph_reasoning import GraphReasoning
from bcls.models.pooled_features import PooledFeatureTower
from bcls.models.pretrained import PretrainedCaptionTower, PretrainedImageTower
from bcls.models.region_features import RegionFeatureTower
from bcls.models.sentence_encoder import SentenceEncoderTower
from bcls.models.similarity import Cosine, Similarity
from bcls.models.sum_of_towers import SumCaptionTower
from bcls.models.towers import CaptionTower, ImageTower, Tower
from bcls.text import Tokenizer, WordCharacters, describe_tokenizer, tokenizer_from

if TYPE_CHECKING:
    from bcls.models.retrieval_model import RetrievalModel

FORMATS = (1, 2)  # 2 = with a similarity other than the cosine, which readers of 1 would pass over
UNUSABLE = (TypeError, ValueError, LookupError, OverflowError, RuntimeError)  # torch raises the last for sizes
KNOWN: dict[str, type[Tower]] = {
    kind.__name__: kind
    for kind in (
        BagOfWordsTower,
        BiGRUTower,
        ConvTower,
        PooledFeatureTower,
        PretrainedCaptionTower,
        PretrainedImageTower,
        RegionFeatureTower,
        SentenceEncoderTower,
        SumCaptionTower,
    )
}
Part = TypeVar("Part")
SIMILARITIES: dict[str, type[Similarity]] = {
    kind.__name__: kind for kind in (AttentionFiltration, Cosine, CrossAttention, GraphReasoning)
}


def save_model(model: RetrievalModel, folder: Path) -> None:
    """Write a model's folder beside its place, then put it there.

    Raises:
        InputError: something other than a model is there, or a tower is unfitted or not one of this package.
    """
    folder = folder.absolute()
    if folder.exists() and not _may_replace(folder):
        raise InputError(f"{folder}: holds something other than a model; save to another folder")
    config: dict[str, Any] = {
        "format": 1,
        "image_tower": {**_describe(model.image_tower), "fitted": _fitted(model.image_tower)},
        "caption_tower": {**_describe(model.caption_tower), "fitted": _fitted(model.caption_tower)},
    }
    if not isinstance(model.similarity, Cosine):
        config |= {"format": 2, "similarity": _describe(model.similarity)}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        fresh = Path(temporary) / "fresh"
        fresh.mkdir()
        (fresh / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False), encoding="utf-8")
        state = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in model.state_dict().items()}
        save_file(state, fresh / "model.safetensors")
        _swap(fresh, folder, Path(temporary) / "old")


def _may_replace(folder: Path) -> bool:
    return folder.is_dir() and ((folder / "model.safetensors").is_file() or not any(folder.iterdir()))


def _swap(fresh: Path, folder: Path, old: Path) -> None:
    """Put `fresh` where `folder` is, and what stood there at `old`; if that fails, all is as before."""
    if not folder.exists():
        fresh.rename(folder)
        return
    folder.rename(old)
    try:
        fresh.rename(folder)
    except BaseException:
        old.rename(folder)
        raise


def find_model(path_or_hub_id: str | Path) -> Path:
    """The local folder of a model; a hub id is downloaded.

    Raises:
        InputError: neither a folder nor a hub id, or the hub does not answer.
        MissingExtraError: a hub id, and huggingface_hub is not installed.
    """
    path = Path(path_or_hub_id)
    if path.is_dir():
        return path
    if path.exists() or str(path_or_hub_id).count("/") != 1 or str(path_or_hub_id).startswith((".", "/")):
        raise InputError(f"{path_or_hub_id}: no such model folder (it should hold config.json and model.safetensors)")
    try:
        from huggingface_hub import snapshot_download  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("a model from the hub", "hf") from None
    try:
        return Path(snapshot_download(str(path_or_hub_id), allow_patterns=["config.json", "model.safetensors"]))
    except Exception as error:
        raise InputError(f"{path_or_hub_id}: no such folder, and not on the hub ({type(error).__name__})") from None


def load_model(folder: Path) -> tuple[ImageTower, CaptionTower, Similarity, dict[str, torch.Tensor]]:
    """Towers and similarity as `config.json` says, without trained values, and the state dict of the whole model.

    Raises:
        InputError: a file is missing, damaged, or not a model of this package.
    """
    place = folder / "config.json"
    config = read_json(place)
    if not isinstance(config, dict) or config.get("format") not in FORMATS:
        raise InputError(f"{place}: not a model of this package (format 1 or 2 expected)")
    image_tower, caption_tower = (_restored(config.get(kind), f"{place}: {kind}") for kind in _KINDS)
    if not isinstance(image_tower, ImageTower) or not isinstance(caption_tower, CaptionTower):
        raise InputError(f"{place}: the towers are of the wrong kind")
    described = config.get("similarity", {"class": "Cosine", "hyperparameters": {}})
    similarity = _made(described, f"{place}: similarity", SIMILARITIES, "similarity")
    parts = dict(zip((*_KINDS, "similarity"), (image_tower, caption_tower, similarity), strict=True))
    return image_tower, caption_tower, similarity, _tensors(folder / "model.safetensors", parts)


_KINDS = ("image_tower", "caption_tower")


def upload_model(model: RetrievalModel, repo_id: str, card: str, *, private: bool) -> str:
    """Create the hub repository if needed and upload the model's folder, the card as its README.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
        InputError: a tower is unfitted or not one of this package; nothing is made on the hub then.
        BCLSError: the hub refuses, e.g. without a login, or does not answer.
    """
    try:
        from huggingface_hub import HfApi  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("uploading to the hub", "hf") from None
    with tempfile.TemporaryDirectory() as folder:
        save_model(model, Path(folder) / "model")
        write_text(Path(folder) / "model" / "README.md", card)
        try:
            api = HfApi()
            api.create_repo(repo_id, private=private, exist_ok=True)
            return str(api.upload_folder(repo_id=repo_id, folder_path=str(Path(folder) / "model")))
        except Exception as error:  # the library raises nearly every kind
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise BCLSError(f"{repo_id}: cannot be uploaded ({reason})") from error


def _describe(part: Tower | Similarity) -> dict[str, Any]:
    name = type(part).__name__
    if (KNOWN | SIMILARITIES).get(name) is not type(part):
        raise InputError(f"{name} cannot be saved: only the towers and similarities of this package can")
    return {"class": name, "hyperparameters": _plain(part.hyperparameters())}


def _plain(value: Any) -> Any:
    if isinstance(value, Tower):
        return _describe(value)
    if isinstance(value, Tokenizer):
        return describe_tokenizer(value)
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value


def _fitted(tower: Tower) -> dict[str, Any] | None:
    tower.require_fitted()
    return tower.fitted()


def _restored(described: Any, place: str) -> Tower:
    settings = described.get("hyperparameters") if isinstance(described, dict) else None
    if isinstance(settings, dict) and isinstance(settings.get("towers"), list):
        parts = {**settings, "towers": _restored_parts(settings["towers"], described.get("fitted"), place)}
        return _made({**described, "hyperparameters": parts}, place, KNOWN, "tower")
    tower = _made(described, place, KNOWN, "tower")
    try:
        tower.restore(described["fitted"])
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    except UNUSABLE as error:
        raise InputError(f"{place}: 'fitted' cannot be used ({type(error).__name__}: {error})") from None
    return tower


def _restored_parts(parts: list[Any], fitted: Any, place: str) -> list[Tower]:
    """The towers of a sum, ready before they are summed: a pretrained one knows its dim from what it learnt."""
    learnt = fitted.get("towers") if isinstance(fitted, dict) else None
    if isinstance(learnt, list) and len(learnt) == len(parts):
        parts = [
            {**part, "fitted": one} if isinstance(part, dict) else part for part, one in zip(parts, learnt, strict=True)
        ]
    return [_restored(part, place) for part in parts]


def _made(described: Any, place: str, known: dict[str, type[Part]], what: str) -> Part:
    name = described.get("class") if isinstance(described, dict) else described
    if not isinstance(described, dict) or not isinstance(name, str) or name not in known:
        raise InputError(f"{place}: no {what} {name!r}; there are {', '.join(known)}")
    settings = described.get("hyperparameters")
    if not isinstance(settings, dict):
        raise InputError(f"{place}: no 'hyperparameters'")
    try:
        return known[name](**_with_tokenizer(known[name], settings, place))
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    except UNUSABLE as error:
        raise InputError(f"{place}: {error}") from None


def _with_tokenizer(kind: type[Any], settings: dict[str, Any], place: str) -> dict[str, Any]:
    """The arguments, with the tokenizer itself; release 0.1 kept none, for it had one alone."""
    if "tokenizer" not in inspect.signature(kind).parameters:
        return settings
    kept = settings.get("tokenizer")
    return {**settings, "tokenizer": WordCharacters() if kept is None else tokenizer_from(kept, place)}


def _tensors(file: Path, parts: dict[str, torch.nn.Module]) -> dict[str, torch.Tensor]:
    try:
        state: dict[str, torch.Tensor] = load_file(file)
    except FileNotFoundError:
        raise InputError(f"{file}: no such file") from None
    except Exception as error:  # the library raises several kinds without a common base
        raise InputError(f"{file}: damaged or not a safetensors file ({error})") from None
    for kind, part in parts.items():
        for name, tensor in part.state_dict().items():
            found = state.get(f"{kind}.{name}")
            if found is not None and found.shape != tensor.shape:
                raise InputError(
                    f"{file}: {kind}.{name} is {tuple(found.shape)}, but config.json says {tuple(tensor.shape)}"
                )
    return state
