"""The two halves of a pretrained model: what reads pictures, and what reads captions."""

from __future__ import annotations

import inspect
from typing import Any, Literal

import torch
from torch import Tensor, nn

from bcls.errors import InputError
from bcls.models.pretrained.loading import loading, transformers

Half = Literal["vision", "text"]
PAIRS = ("clip", "siglip")
OWN_CLASS = {
    "clip_vision_model": "CLIPVisionModelWithProjection",
    "clip_text_model": "CLIPTextModelWithProjection",
    "siglip_vision_model": "SiglipVisionModel",
    "siglip_text_model": "SiglipTextModel",
}
PRIVATE = ("_name_or_path", "auto_map", "dtype", "architectures", "transformers_version")


def read_config(model: str, side: Half) -> Any:
    """The config of one half of a pair, or of a single encoder.

    Args:
        model: a local folder or a hub id.
        side: which half of a pair.

    Raises:
        InputError: there is none, or it is a pair of a kind that is not known here.
    """
    with loading(f"the pretrained model {model!r}"):
        config = transformers().AutoConfig.from_pretrained(model, trust_remote_code=False)
    if config.model_type in PAIRS:
        part = config.vision_config if side == "vision" else config.text_config
        if config.model_type == "clip":
            part.projection_dim = config.projection_dim
        return part
    if hasattr(config, "vision_config"):
        raise InputError(
            f"{model}: pairs of the kind {config.model_type!r} are not supported; {', '.join(PAIRS)} are (SigLIP 2 in "
            "its fixed resolutions too), and any single vision or text encoder of transformers"
        )
    return config


def own_size(config: Any) -> int | None:
    """The size of the space that a pair shares; None for an encoder without a partner."""
    if config.model_type.startswith("clip_"):
        return int(config.projection_dim)
    if config.model_type == "siglip_text_model":
        return int(config.projection_size)
    return int(config.hidden_size) if config.model_type == "siglip_vision_model" else None


def load_encoder(model: str, side: Half) -> nn.Module:
    """The pretrained half in float32; its weights come from safetensors only.

    Raises:
        InputError: no such model, pickled weights only, or a file that does not hold all weights.
    """
    config = read_config(model, side)
    kind, settings = _class_of(config)
    with loading(f"the pretrained model {model!r}"):
        encoder, report = kind.from_pretrained(
            model,
            config=config,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            trust_remote_code=False,
            **settings,
        )
    missing = sorted(report["missing_keys"])
    if missing:
        raise InputError(f"{model}: its weights lack {len(missing)} tensors of {kind.__name__}, e.g. {missing[0]}")
    return _checked(encoder)


def build_encoder(settings: Any) -> nn.Module:
    """An encoder with random weights, from a config as `config_of` gives it.

    Raises:
        InputError: the config describes none.
    """
    if not isinstance(settings, dict) or not isinstance(settings.get("model_type"), str):
        raise InputError("no config of a pretrained encoder")
    rest = {name: value for name, value in settings.items() if name != "model_type" and name not in PRIVATE}
    with loading(f"an encoder of the kind {settings['model_type']!r}"):
        config = transformers().AutoConfig.for_model(settings["model_type"], **rest)
        kind, more = _class_of(config)
        return _checked(kind._from_config(config, dtype=torch.float32, **more))


def config_of(encoder: nn.Module) -> dict[str, Any]:
    """The encoder's config, JSON-able, without the place that it came from."""
    settings: dict[str, Any] = encoder.config.to_dict()  # type: ignore[union-attr, operator]
    return {name: value for name, value in sorted(settings.items()) if name not in PRIVATE}


def _class_of(config: Any) -> tuple[Any, dict[str, Any]]:
    """The class of the encoder, and what its constructor wants besides the config."""
    library = transformers()
    name = OWN_CLASS.get(config.model_type)
    if name is not None:
        return getattr(library, name), {}
    kind = library.MODEL_MAPPING.get(type(config), None)
    kind = kind[0] if isinstance(kind, (tuple, list)) else kind
    if kind is None:
        raise InputError(f"transformers has no encoder of the kind {config.model_type!r}")
    pooler = "add_pooling_layer" in inspect.signature(kind.__init__).parameters
    return kind, {"add_pooling_layer": False} if pooler else {}


def _checked(encoder: Any) -> nn.Module:
    if encoder.config.is_encoder_decoder:
        raise InputError(f"{type(encoder).__name__} writes as well as reads; take an encoder")
    return encoder.eval()  # type: ignore[no-any-return]


def picture_vectors(encoder: nn.Module, pixels: Tensor) -> Tensor:
    """(pictures, 3, height, width) -> (pictures, width): the model's own vector of a picture.

    CLIP's projected class token, SigLIP's attention pooling, and of other encoders the pooled output where they have
    one, else the class token, else the mean of the patches.
    """
    found = encoder(pixel_values=pixels)
    for name in ("image_embeds", "pooler_output"):
        vector: Tensor | None = getattr(found, name, None)
        if vector is not None:
            return vector.flatten(1)
    states: Tensor = found.last_hidden_state
    return states[:, 0] if _leading_tokens(encoder, states, pixels) else states.mean(dim=1)


def picture_patches(encoder: nn.Module, pixels: Tensor) -> Tensor:
    """(pictures, 3, height, width) -> (pictures, patches, width): last states without class and register tokens.

    CLIP's go through its own last norm and projection, so that they lie in the space of its captions.
    """
    states: Tensor = encoder(pixel_values=pixels).last_hidden_state
    if states.ndim == 4:
        return states.flatten(2).transpose(1, 2)
    patches = states[:, _leading_tokens(encoder, states, pixels) :]
    if hasattr(encoder, "visual_projection"):
        patches = encoder.visual_projection(encoder.vision_model.post_layernorm(patches))  # type: ignore[union-attr, operator]
    return patches


def _leading_tokens(encoder: nn.Module, states: Tensor, pixels: Tensor) -> int:
    """How many tokens stand before the patches."""
    size = getattr(encoder.config, "patch_size", None)
    if not isinstance(size, int):
        return 0
    return max(0, states.shape[1] - (pixels.shape[2] // size) * (pixels.shape[3] // size))


def caption_vectors(found: Any) -> Tensor | None:
    """A text encoder's output -> (captions, width): the model's own vector of a caption; None where it has none."""
    for name in ("text_embeds", "pooler_output"):
        vector: Tensor | None = getattr(found, name, None)
        if vector is not None:
            return vector
    return None


def caption_states(encoder: nn.Module, found: Any) -> Tensor:
    """A text encoder's output -> (captions, tokens, width): last states; CLIP's in the space of its pictures."""
    states: Tensor = found.last_hidden_state
    if hasattr(encoder, "text_projection"):
        states = encoder.text_projection(states)  # type: ignore[operator]
    return states
