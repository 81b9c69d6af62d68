"""Audit: how far a scorer can be trusted as continuous labels, held against human ratings."""

from __future__ import annotations

from bcls.relevance.audit.correlation import Correlation, Estimate, correlate
from bcls.relevance.audit.measure import audit_scorer, pair_similarity
from bcls.relevance.audit.order import GapPoint, OrderAgreement, comparisons, sharing_a_caption
from bcls.relevance.audit.picture import draw_audits, require_plotting
from bcls.relevance.audit.ratings import HumanRatings, read_ratings
from bcls.relevance.audit.scorer_audit import ScorerAudit, recommended_gap

__all__ = [
    "Correlation",
    "Estimate",
    "GapPoint",
    "HumanRatings",
    "OrderAgreement",
    "ScorerAudit",
    "audit_scorer",
    "comparisons",
    "correlate",
    "draw_audits",
    "pair_similarity",
    "read_ratings",
    "recommended_gap",
    "require_plotting",
    "sharing_a_caption",
]
