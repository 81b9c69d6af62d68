"""Losses over a similarity matrix and its labels: binary (positives) and continuous (relevance).

They see matrices only, so they fit any model that yields scores. Triplet-SN, SW-HS and their sum are a reconstruction
of arXiv 2210.11319 from its abstract and from formulas that its authors published elsewhere. The others are the losses
that it is compared with, each from its own source.
"""

from __future__ import annotations

from bcls.losses.base import RetrievalLoss
from bcls.losses.binary_continuous import BCLSLoss
from bcls.losses.chunked import ChunkedLoss
from bcls.losses.cosent import CoSENTLoss, cosent_loss
from bcls.losses.gathered import gather_relevance, gather_rows
from bcls.losses.infonce import InfoNCELoss, infonce_loss
from bcls.losses.kendall import KendallLoss, kendall_loss
from bcls.losses.ladder import LadderLoss, ladder_loss
from bcls.losses.language_margin import LanguageMarginLoss, language_margin_loss
from bcls.losses.log_ratio import LogRatioLoss, log_ratio_loss
from bcls.losses.selectively_hard import SelectivelyHardLoss, selectively_hard_loss
from bcls.losses.semantic_margin import SemanticMarginLoss, semantic_margin_loss
from bcls.losses.sigmoid import SigmoidLoss, sigmoid_loss
from bcls.losses.smooth_ndcg import SmoothNDCGLoss, smooth_ndcg_loss
from bcls.losses.soft_contrast import SoftContrastLoss, soft_contrast_loss
from bcls.losses.triplet import TripletLoss, triplet_loss
from bcls.losses.windows import SelectedPairs, select_pairs

__all__ = [
    "BCLSLoss",
    "ChunkedLoss",
    "CoSENTLoss",
    "InfoNCELoss",
    "KendallLoss",
    "LadderLoss",
    "LanguageMarginLoss",
    "LogRatioLoss",
    "RetrievalLoss",
    "SelectedPairs",
    "SelectivelyHardLoss",
    "SemanticMarginLoss",
    "SigmoidLoss",
    "SmoothNDCGLoss",
    "SoftContrastLoss",
    "TripletLoss",
    "cosent_loss",
    "gather_relevance",
    "gather_rows",
    "infonce_loss",
    "kendall_loss",
    "ladder_loss",
    "language_margin_loss",
    "log_ratio_loss",
    "select_pairs",
    "selectively_hard_loss",
    "semantic_margin_loss",
    "sigmoid_loss",
    "smooth_ndcg_loss",
    "soft_contrast_loss",
    "triplet_loss",
]
