"""AdamW and its learning rate over time."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn


def adamw(
    modules: Iterable[nn.Module],
    *,
    learning_rate: float,
    weight_decay: float,
    pretrained: Iterable[nn.Parameter] = (),
    pretrained_learning_rate: float | None = None,
    fused: bool = True,
) -> torch.optim.AdamW:
    """AdamW over all parameters that learn; weight decay on matrices only, not on biases, scales and temperatures.

    Args:
        modules: whose parameters to optimize.
        learning_rate: the peak; a schedule scales it.
        weight_decay: decoupled weight decay of parameters with two axes or more.
        pretrained: those of the parameters that learn at a peak of their own.
        pretrained_learning_rate: their peak; None = the same as that of the others.
        fused: one kernel for all parameters; quicker, but gradients cannot be clipped with it in mixed precision.
    """
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    known = {id(p) for p in pretrained}
    own = learning_rate if pretrained_learning_rate is None else pretrained_learning_rate
    groups = [
        {
            "params": [p for p in parameters if (p.ndim >= 2) == matrix and (id(p) in known) == was_trained],
            "weight_decay": weight_decay if matrix else 0.0,
            "lr": own if was_trained else learning_rate,
        }
        for was_trained in (False, True)
        for matrix in (True, False)
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=learning_rate, fused=fused)


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
