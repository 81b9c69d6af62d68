"""What the two pretrained towers have in common: an encoder, what of it learns, and a projection on top."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from bcls.errors import InputError
from bcls.models.pretrained.encoders import Half, build_encoder, config_of, load_encoder, own_size, read_config
from bcls.models.pretrained.learning import Learning, Trained, Weights
from bcls.models.towers import Tower, require_share, require_sizes, residual_projection
from bcls.models.weights_hash import weights_hash


class PretrainedTower(Tower):
    """Base of the pretrained towers; see there for the arguments."""

    side: ClassVar[Half]

    def __init__(
        self,
        *,
        model: str,
        dim: int | None,
        trained: Trained,
        last_layers: int,
        lora_rank: int,
        layer_decay: float,
        gradient_checkpointing: bool,
        weights: Weights,
        dropout: float,
    ) -> None:
        super().__init__()
        require_share("dropout", dropout)
        require_sizes(dim=dim)
        if not isinstance(model, str) or not model:
            raise InputError(f"model is {model!r}; it must name a local folder or a hub id")
        self.learning = Learning(trained, last_layers, lora_rank, layer_decay, gradient_checkpointing, weights)
        self.model = model
        self.trained: Trained = trained
        self.last_layers = last_layers
        self.lora_rank = lora_rank
        self.layer_decay = layer_decay
        self.gradient_checkpointing = gradient_checkpointing
        self.weights: Weights = weights
        self.dropout = dropout
        self._dim = dim
        self._own_dim: int | None = None
        self._hash: str | None = None
        self._width: int | None = None

    @property
    def dim(self) -> int:  # type: ignore[override]
        """Size of the embedding: as asked for, else that of the space that the model's two halves share.

        Raises:
            InputError: none was asked for, and the model shares no space with a partner.
        """
        if self._dim is not None:
            return self._dim
        if self._own_dim is None:
            self._own_dim = own_size(read_config(self.model, self.side))
        if self._own_dim is None:
            raise InputError(f"{self.model} is one encoder and not half of a pair: set dim, the size of a projection")
        return self._own_dim

    def hyperparameters(self) -> dict[str, Any]:
        """The constructor's arguments; of a local folder the name alone, since a saved model needs it no more."""
        names = [name for name in type(self).__init__.__annotations__ if name not in ("return", "dim", "model")]
        place = Path(self.model).absolute().name if Path(self.model).is_dir() else self.model
        return {"model": place, "dim": self._dim, **{name: getattr(self, name) for name in names}}

    @property
    def encoder_hash(self) -> str:
        """A hash of the encoder's weights as they were pretrained."""
        if self._hash is None:
            raise InputError(f"{type(self).__name__} has no encoder yet: call fit, or load a saved model")
        return self._hash

    def require_fitted(self) -> None:
        """Raise `InputError` where `fit` or `restore` has not been called; cheap, since each batch asks."""
        if self._width is None:
            super().require_fitted()

    def pretrained_parameters(self) -> list[nn.Parameter]:
        """Those of the encoder that learn, adapters left out: they are new."""
        return list(self.rate_scales())

    def rate_scales(self) -> dict[nn.Parameter, float]:
        """The factor on the learning rate of each pretrained parameter."""
        return {} if self._hash is None else self.learning.rate_scales(self.encoder)

    def train(self, mode: bool = True) -> Self:
        """Training or evaluation mode; an encoder that learns nothing stays in evaluation."""
        super().train(mode)
        if self._hash is not None and self.trained == "nothing":
            self.encoder.eval()
        return self

    def _load(self) -> None:
        encoder = load_encoder(self.model, self.side)
        self._attach(encoder, weights_hash(encoder))

    def _rebuild(self, fitted: dict[str, Any]) -> None:
        if not isinstance(fitted["encoder_hash"], str):
            raise InputError("encoder_hash is no text")
        self._attach(build_encoder(fitted["config"]), fitted["encoder_hash"])

    def _attach(self, encoder: nn.Module, encoder_hash: str) -> None:
        if self._dim is None:
            self._own_dim = own_size(encoder.config)
        self.learning.apply(encoder)
        self.encoder = encoder
        self._hash = encoder_hash

    def _project_to_dim(self, width: int) -> None:
        """Make the projection from the encoder's width, where one was asked for."""
        wanted = self.dim
        self._width = width
        self.projection: nn.Module = nn.Identity()
        if self._dim is not None:
            self.projection = residual_projection(width, wanted, None, self.dropout)

    def _about_encoder(self) -> dict[str, Any]:
        return {"config": config_of(self.encoder), "encoder_hash": self.encoder_hash}

    def _in_format(self, numbers: Tensor) -> Tensor:
        """In the number format of the encoder's weights."""
        return numbers.to(next(self.encoder.parameters()).dtype)
