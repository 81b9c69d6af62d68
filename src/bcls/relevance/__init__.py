"""Continuous labels: scorers that compare captions, and the relevance of images and captions made from them."""

from __future__ import annotations

from bcls.relevance.calibration import Calibration
from bcls.relevance.caption_relevance import CaptionRelevance, RelevanceSource
from bcls.relevance.cider import CiderScorer
from bcls.relevance.encodings import DenseEncodings, Encodings, SparseEncodings
from bcls.relevance.matrix import MatrixRelevance
from bcls.relevance.noise import NoisyRelevance
from bcls.relevance.scorer import Scorer
from bcls.relevance.sentence import SentenceScorer
from bcls.relevance.store import captions_hash, open_labels, write_labels
from bcls.relevance.table import RelevanceTable, TableRelevance
from bcls.relevance.tfidf import TfidfScorer

__all__ = [
    "Calibration",
    "CaptionRelevance",
    "CiderScorer",
    "DenseEncodings",
    "Encodings",
    "MatrixRelevance",
    "NoisyRelevance",
    "RelevanceSource",
    "RelevanceTable",
    "Scorer",
    "SentenceScorer",
    "SparseEncodings",
    "TableRelevance",
    "TfidfScorer",
    "captions_hash",
    "open_labels",
    "write_labels",
]
