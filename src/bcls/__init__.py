"""BCLS: image-text retrieval with binary and continuous label supervision.

The public names can be taken from here; each is imported only when it is asked for, so that `import bcls` is quick.

Example:
    >>> import bcls
    >>> bcls.BCLSLoss.__module__
    'bcls.losses.binary_continuous'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bcls.data import read_dataset
    from bcls.evaluation import RetrievalTruth, evaluate
    from bcls.losses import (
        BCLSLoss,
        CoSENTLoss,
        InfoNCELoss,
        KendallLoss,
        LadderLoss,
        LanguageMarginLoss,
        LogRatioLoss,
        SelectivelyHardLoss,
        SemanticMarginLoss,
        SigmoidLoss,
        SmoothNDCGLoss,
        SoftContrastLoss,
        TripletLoss,
    )
    from bcls.models import RetrievalModel
    from bcls.relevance import CaptionRelevance, CiderScorer, RelevanceTable, SentenceScorer, TfidfScorer

__version__ = "0.1.0"

__all__ = [
    "BCLSLoss",
    "CaptionRelevance",
    "CiderScorer",
    "CoSENTLoss",
    "InfoNCELoss",
    "KendallLoss",
    "LadderLoss",
    "LanguageMarginLoss",
    "LogRatioLoss",
    "RelevanceTable",
    "RetrievalModel",
    "RetrievalTruth",
    "SelectivelyHardLoss",
    "SemanticMarginLoss",
    "SentenceScorer",
    "SigmoidLoss",
    "SmoothNDCGLoss",
    "SoftContrastLoss",
    "TfidfScorer",
    "TripletLoss",
    "__version__",
    "evaluate",
    "read_dataset",
]

_PACKAGES = {
    "CaptionRelevance": "relevance",
    "CiderScorer": "relevance",
    "RelevanceTable": "relevance",
    "RetrievalModel": "models",
    "RetrievalTruth": "evaluation",
    "SentenceScorer": "relevance",
    "TfidfScorer": "relevance",
    "evaluate": "evaluation",
    "read_dataset": "data",
}
"""The package of each public name that is no loss."""


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"bcls.{_PACKAGES.get(name, 'losses')}"), name)
    raise AttributeError(f"module 'bcls' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
