"""A graded loss and a graded evaluator for the trainer of sentence-transformers. Needs `sentence-transformers`."""

from __future__ import annotations

from bcls.errors import MissingExtraError

try:
    from bcls.integrations.sentence_transformers.evaluator import GradedRetrievalEvaluator
except ImportError:
    raise MissingExtraError("the integration with sentence-transformers", "sentence-transformers") from None
from bcls.integrations.sentence_transformers.loss import GradedRetrievalLoss

__all__ = ["GradedRetrievalEvaluator", "GradedRetrievalLoss"]
