"""What of a pretrained encoder learns, and how fast."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from bcls.errors import InputError, MissingExtraError
from bcls.models.towers import require_sizes

Trained = Literal["nothing", "lora", "last", "all"]
Weights = Literal["float32", "bfloat16"]
ATTENTION = re.compile(r"(^|\.)(q_proj|v_proj|query|value|q_lin|v_lin|qkv|Wqkv|q|v)$")


@dataclass(frozen=True)
class Learning:
    """How an encoder learns.

    Attributes:
        trained: `nothing`, `lora`, the `last` layers and what follows them, or `all`.
        last_layers: how many, with `last`.
        lora_rank: of the adapters, with `lora`.
        layer_decay: factor on the learning rate from each layer to the one below.
        gradient_checkpointing: compute activations again in the backward pass instead of keeping them.
        weights: number format of the encoder's weights.

    Raises:
        InputError: an unknown name, or a number out of range.
    """

    trained: Trained
    last_layers: int
    lora_rank: int
    layer_decay: float
    gradient_checkpointing: bool
    weights: Weights

    def __post_init__(self) -> None:
        for name, value, known in (
            ("trained", self.trained, ("nothing", "lora", "last", "all")),
            ("weights", self.weights, ("float32", "bfloat16")),
        ):
            if value not in known:
                raise InputError(f"{name} is {value!r}; it must be one of {', '.join(known)}")
        require_sizes(last_layers=self.last_layers, lora_rank=self.lora_rank)
        if not isinstance(self.layer_decay, (int, float)) or not 0 < self.layer_decay <= 1:
            raise InputError(f"layer_decay is {self.layer_decay}; it must be above 0 and at most 1")
        if self.weights == "bfloat16" and self.trained in ("last", "all"):
            raise InputError(
                "weights: bfloat16 is for weights that stand still (trained: nothing or lora): small steps would be "
                "lost in it; train with optimization.precision: bf16-mixed"
            )

    def apply(self, encoder: nn.Module) -> None:
        """Set up a loaded encoder: its number format, adapters, and which parameters learn."""
        if self.weights == "bfloat16":
            encoder.to(torch.bfloat16)
        encoder.requires_grad_(self.trained == "all")
        if self.trained == "lora":
            add_adapters(encoder, self.lora_rank)
        if self.trained == "last":
            depths = layer_depths(encoder)
            _, layers = _list_of_layers(encoder)
            if self.last_layers > layers:
                raise InputError(f"last_layers is {self.last_layers}, but the encoder has {layers}; see trained: all")
            for name, parameter in encoder.named_parameters():
                parameter.requires_grad_(depths[name] > layers - self.last_layers)
        if self.gradient_checkpointing and self.trained != "nothing":
            _save_memory(encoder)

    def rate_scales(self, encoder: nn.Module) -> dict[nn.Parameter, float]:
        """The factor on the learning rate of each pretrained parameter that learns: 1 at the top, less below."""
        if self.trained not in ("last", "all"):
            return {}
        if self.layer_decay == 1:
            return {parameter: 1.0 for parameter in encoder.parameters() if parameter.requires_grad}
        depths = layer_depths(encoder)
        top = max(depths.values())
        return {
            parameter: self.layer_decay ** (top - depths[name])
            for name, parameter in encoder.named_parameters()
            if parameter.requires_grad
        }


def layer_depths(encoder: nn.Module) -> dict[str, int]:
    """Each parameter's depth: 0 before the layers, 1 to L in them, L + 1 behind them.

    Example:
        >>> from torch import nn
        >>> net = nn.ModuleDict({"embed": nn.Linear(1, 1), "layers": nn.ModuleList([nn.Linear(1, 1)])})
        >>> layer_depths(net)
        {'embed.weight': 0, 'embed.bias': 0, 'layers.0.weight': 1, 'layers.0.bias': 1}
    """
    prefix, layers = _list_of_layers(encoder)
    depths: dict[str, int] = {}
    passed = False
    for name, _ in encoder.named_parameters():
        if name.startswith(prefix):
            passed = True
            depths[name] = 1 + int(name[len(prefix) :].split(".")[0])
        else:
            depths[name] = layers + 1 if passed else 0
    return depths


def _list_of_layers(encoder: nn.Module) -> tuple[str, int]:
    """What the names of the layers' parameters begin with, and how many layers there are."""
    for name, part in encoder.named_modules():
        if isinstance(part, nn.ModuleList) and len(part):
            return f"{name}.", len(part)
    raise InputError(f"{type(encoder).__name__} is not made of layers; use trained: all with layer_decay: 1")


def add_adapters(encoder: nn.Module, rank: int) -> None:
    """Put low-rank adapters (alpha twice the rank) beside the queries and values of every attention layer.

    Source: LoRA, arXiv 2106.09685, by peft.

    Raises:
        MissingExtraError: peft is not installed.
        InputError: the encoder has no attention layers of a known kind.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("trained: lora", "hf") from None
    names = [name for name, part in encoder.named_modules() if isinstance(part, nn.Linear) and ATTENTION.search(name)]
    if not names:
        raise InputError(f"{type(encoder).__name__} has no queries and values that adapters could stand beside")
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=names), encoder)
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad_("lora_" in name)
        if "lora_" in name:
            parameter.data = parameter.data.float()


def _save_memory(encoder: Any) -> None:
    if not encoder.supports_gradient_checkpointing:
        raise InputError(f"{type(encoder).__name__} cannot checkpoint gradients: set gradient_checkpointing: false")
    encoder.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
