"""BCLS: image-text retrieval with binary and continuous label supervision.

The public names can be taken from here; each is imported only when it is asked for, so that `import bcls` is quick.

Example:
    >>> import bcls
    >>> bcls.BCLSLoss.__module__
    'bcls.losses.binary_continuous'
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_ROOM_OF = {
    "BCLSLoss": "losses",
    "InfoNCELoss": "losses",
    "KendallLoss": "losses",
    "SigmoidLoss": "losses",
    "TripletLoss": "losses",
    "CaptionRelevance": "relevance",
    "CiderScorer": "relevance",
    "RelevanceTable": "relevance",
    "SentenceScorer": "relevance",
    "TfidfScorer": "relevance",
    "RetrievalModel": "models",
    "RetrievalTruth": "evaluation",
    "evaluate": "evaluation",
    "read_dataset": "data",
}

__all__ = ["__version__", *_ROOM_OF]


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'bcls' has no attribute {name!r}")
    return getattr(import_module(f"bcls.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOM_OF})
