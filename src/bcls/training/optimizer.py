"""AdamW and its learning rate over time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import nn

from bcls.errors import InputError


def adamw(
    modules: Iterable[nn.Module],
    *,
    learning_rate: float,
    weight_decay: float,
    pretrained: Iterable[nn.Parameter] = (),
    pretrained_learning_rate: float | None = None,
    rate_scales: Mapping[nn.Parameter, float] | None = None,
    fused: bool = True,
) -> torch.optim.AdamW:
    """AdamW over all parameters that learn; weight decay on matrices only, not on biases, scales and temperatures.

    Args:
        modules: whose parameters to optimize.
        learning_rate: the peak; a schedule scales it.
        weight_decay: decoupled weight decay of parameters with two axes or more.
        pretrained: those of the parameters that learn at a peak of their own.
        pretrained_learning_rate: their peak; None = the same as that of the others.
        rate_scales: factors on the peaks of some parameters, e.g. lower layers of a pretrained encoder.
        fused: one kernel for all parameters; quicker, but gradients cannot be clipped with it in mixed precision.

    Raises:
        InputError: nothing learns.
    """
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    if not parameters:
        raise InputError("nothing learns: both towers are frozen and have no projection; set dim, or trained")
    known, scales = {id(p) for p in pretrained}, rate_scales or {}
    own = learning_rate if pretrained_learning_rate is None else pretrained_learning_rate
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in parameters:
        peak = (own if id(parameter) in known else learning_rate) * scales.get(parameter, 1.0)
        decay = weight_decay if parameter.ndim >= 2 else 0.0
        groups.setdefault((peak, decay), []).append(parameter)
    made = [{"params": members, "lr": peak, "weight_decay": decay} for (peak, decay), members in groups.items()]
    return torch.optim.AdamW(made, lr=learning_rate, fused=fused)


def warmup_cosine(step: int, *, steps: int, warmup: float) -> float:
    """Factor of the learning rate at a step: a straight rise over the first `warmup` share, then a cosine to zero.

    Example:
        >>> [round(warmup_cosine(step, steps=10, warmup=0.2), 2) for step in (0, 1, 2, 6, 10, 11)]
        [0.5, 1.0, 1.0, 0.5, 0.0, 0.0]
    """
    rise = max(1, round(steps * warmup)) if warmup > 0 else 0
    if step < rise:
        return (step + 1) / rise
    share = min(1.0, (step - rise) / max(1, steps - rise))
    return 0.5 * (1 + math.cos(math.pi * share))
